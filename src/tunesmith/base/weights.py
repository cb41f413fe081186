"""Safetensors files, judged by their headers alone.

A file is 8 bytes (the header's length, little-endian), the header, and the numbers:

    {"model.norm.weight": {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}, ...}

Tensors must lie back to back and fill the file, as the format demands; so nothing is read
beyond a file, twice, or not at all. Source: huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from tunesmith.base.config import unique_keys
from tunesmith.errors import ModelError, Place

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_HEADER_LIMIT = 100_000_000
_BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16,
    "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8,
    "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "C64": 64,
}  # fmt: skip
_FOREIGN = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt", "*.h5", "*.msgpack", "*.gguf", "*.onnx")
_AGAIN = "the file is damaged or incomplete: download or convert it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFile:
    """One file: the shape of each tensor, and the header as it stands in the file."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    header: bytes


def find_weights(folder: Path) -> tuple[Path, ...]:
    """The safetensors files that make up the model, in the order of their names.

    Raises:
        ModelError: there are none, or the index names files that are not in the folder.
    """
    if (folder / SINGLE).exists():
        return (folder / SINGLE,)
    index = folder / INDEX
    if index.exists():
        shards = sorted(set(_weight_map(index).values()))
        return tuple(folder / shard for shard in shards)
    foreign = sorted(path.name for pattern in _FOREIGN for path in folder.glob(pattern))
    if foreign:
        raise ModelError(
            f"{folder}: the weights are not safetensors ({foreign[0]})",
            hint=(
                "pickled weights can run code when they are read and are never opened; look for "
                "a safetensors version of the model, or on a machine that you can afford to lose "
                "load it in Transformers and call save_pretrained"
            ),
        )
    raise ModelError(
        f"{folder}: there are no weights", hint=f"a model folder holds {SINGLE}, or {INDEX}"
    )


def check_index(folder: Path, files: tuple[WeightFile, ...]) -> None:
    """Each tensor must be in the shard that the index names, and in no other.

    Raises:
        ModelError: index and shards disagree, or a name occurs in two shards.
    """
    owner: dict[str, str] = {}
    for file in files:
        for name in file.shapes:
            if name in owner:
                raise ModelError(
                    f"{name} is in {owner[name]} and in {file.path.name}",
                    hint=_AGAIN,
                    place=Place(file=file.path),
                )
            owner[name] = file.path.name
    index = folder / INDEX
    if len(files) == 1 and files[0].path.name == SINGLE:
        return
    for name, shard in _weight_map(index).items():
        if owner.get(name) != shard:
            raise ModelError(
                f"{name} is not in {shard}, where the index has it",
                hint=_AGAIN,
                place=Place(file=index),
            )


def read_header(path: Path) -> WeightFile:
    """Read and check one file's header.

    Raises:
        ModelError: the file breaks the format; `place` names it.
    """
    size = path.stat().st_size
    place = Place(file=path)
    with path.open("rb") as stream:
        start = stream.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > size - 8:
            raise ModelError(
                f"the header should be {length:,} bytes, the file has {size:,}",
                hint=_AGAIN,
                place=place,
            )
        if length > _HEADER_LIMIT:
            raise ModelError(f"a header of {length:,} bytes", hint=_AGAIN, place=place)
        header = stream.read(length)
    return WeightFile(path=path, shapes=_shapes(header, size - 8 - length, place), header=header)


def _shapes(header: bytes, data_size: int, place: Place) -> dict[str, tuple[int, ...]]:
    try:
        entries = json.loads(header.decode("utf-8"), object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the header is not JSON: {error}", hint=_AGAIN, place=place) from error
    if not isinstance(entries, dict):
        raise ModelError("the header is not a JSON object", hint=_AGAIN, place=place)
    entries.pop("__metadata__", None)
    shapes: dict[str, tuple[int, ...]] = {}
    spans = []
    for name, entry in entries.items():
        shape, begin, end = _entry(name, entry, place)
        shapes[name] = shape
        spans.append((begin, end, name))
    position = 0
    for begin, end, name in sorted(spans):
        if begin != position:
            what = "overlaps the tensor before it" if begin < position else "leaves a gap before it"
            raise ModelError(f"{name} {what}", hint=_AGAIN, place=place)
        position = end
    if position != data_size:
        raise ModelError(
            f"the tensors take {position:,} bytes, the file holds {data_size:,}",
            hint=_AGAIN,
            place=place,
        )
    return shapes


def _entry(name: str, entry: object, place: Place) -> tuple[tuple[int, ...], int, int]:
    """Shape and span of one tensor."""
    if not isinstance(entry, dict):
        raise ModelError(f"{name} has no description", hint=_AGAIN, place=place)
    dtype: object = entry.get("dtype")
    shape: object = entry.get("shape")
    span: object = entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise ModelError(
            f"{name} has the unknown type {dtype}",
            hint=f"known types are {', '.join(_BITS)}",
            place=place,
        )
    if not _counts(shape) or not _counts(span) or len(span) != 2 or span[0] > span[1]:
        raise ModelError(f"{name} has no proper shape and offsets", hint=_AGAIN, place=place)
    if math.prod(shape) * _BITS[dtype] != 8 * (span[1] - span[0]):
        raise ModelError(
            f"{name} is {dtype} of shape {list(shape)}, but takes {span[1] - span[0]:,} bytes",
            hint=_AGAIN,
            place=place,
        )
    return tuple(shape), span[0], span[1]


def _counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _weight_map(index: Path) -> dict[str, str]:
    """The index's tensor names and the shards that hold them."""
    place = Place(file=index)
    try:
        content = json.loads(index.read_text("utf-8"), object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the index is not JSON: {error}", hint=_AGAIN, place=place) from error
    names = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names:
        raise ModelError("the index has no weight_map", hint=_AGAIN, place=place)
    for name, shard in names.items():
        if not isinstance(shard, str) or Path(shard).name != shard or "\\" in shard or not shard:
            raise ModelError(
                f"the index looks for {name} outside the folder: {shard}",
                hint="shards are plain file names beside the index",
                place=place,
            )
        if not shard.endswith(".safetensors"):
            raise ModelError(
                f"the index names {shard}", hint="only safetensors are read", place=place
            )
        if not (index.parent / shard).is_file():
            raise ModelError(
                f"{shard} is missing", hint="download the rest of the model", place=place
            )
    return names
