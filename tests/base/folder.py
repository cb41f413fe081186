"""A minimal model folder, written without torch, for the tests to damage."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

CONFIG: dict[str, object] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 6,
    "max_position_embeddings": 64,
}
SHAPES: dict[str, list[int]] = {
    "model.embed_tokens.weight": [6, 4],
    "model.layers.0.mlp.up_proj.weight": [8, 4],
    "model.norm.weight": [4],
}
Header = dict[str, dict[str, object]]


def header_of(shapes: Mapping[str, list[int]]) -> Header:
    """A proper header of fp32 tensors, back to back."""
    header: Header = {}
    position = 0
    for name, shape in shapes.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [position, position + size],
        }
        position += size
    return header


def write_safetensors(
    path: Path,
    shapes: Mapping[str, list[int]] = SHAPES,
    *,
    change: Callable[[Header], object] | None = None,
    text: str | None = None,
) -> None:
    """Write zeros under a header, which `change` alters or `text` replaces."""
    header = header_of(shapes)
    size = max((int(str(entry["data_offsets"][1])) for entry in header.values()), default=0)  # type: ignore[index]
    if change is not None:
        change(header)
    content = (json.dumps(header) if text is None else text).encode()
    path.write_bytes(struct.pack("<Q", len(content)) + content + bytes(size))


def write_model(folder: Path, **changes: object) -> Path:
    """A sound folder, with keys of its configuration changed (None removes one)."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {key: value for key, value in (CONFIG | changes).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    write_safetensors(folder / "model.safetensors")
    return folder


def write_shards(folder: Path, **weight_map: str) -> Path:
    """A sound folder of two shards; `weight_map` changes where the index looks."""
    write_model(folder)
    (folder / "model.safetensors").unlink()
    names = list(SHAPES)
    places = {names[0]: "a.safetensors", names[1]: "b.safetensors", names[2]: "b.safetensors"}
    for shard in ("a.safetensors", "b.safetensors"):
        write_safetensors(
            folder / shard, {name: SHAPES[name] for name in names if places[name] == shard}
        )
    index = {"metadata": {}, "weight_map": places | weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")
    return folder
