"""The small files beside a model's weights, read with limits.

A base folder comes from a stranger: what is missing, too large, not a plain file or not JSON
is a ModelError that names the file and, where the parser knows it, the line.
"""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import ModelError, Place

LARGEST_TOKENIZER = 100 * 2**20
LARGEST_CONFIG = 16 * 2**20
_DOWNLOAD_AGAIN = "download the model again; the file must be complete"


def read_text(path: Path, *, largest: int = LARGEST_CONFIG) -> str | None:
    """The UTF-8 text of a file, None where there is no such file.

    Raises:
        ModelError: it is not a plain file, is over `largest` bytes, or is not UTF-8.
    """
    if not path.exists():
        if path.is_symlink():
            raise ModelError(
                "this link leads nowhere", hint=_DOWNLOAD_AGAIN, place=Place(file=path)
            )
        return None
    place = Place(file=path)
    if not path.is_file():
        raise ModelError("this is not a plain file", hint=_DOWNLOAD_AGAIN, place=place)
    size = path.stat().st_size
    if size > largest:
        raise ModelError(
            f"this file has {size / 2**20:.0f} MB, more than the {largest / 2**20:.0f} MB allowed",
            hint="a file of this kind is never so large; check where the model comes from",
            place=place,
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(
            f"this is not UTF-8 text (byte {error.start})", hint=_DOWNLOAD_AGAIN, place=place
        ) from error
    except OSError as error:
        raise ModelError(
            f"this file cannot be read: {error.strerror}",
            hint="check its permissions",
            place=place,
        ) from error


def read_json(path: Path, *, largest: int = LARGEST_CONFIG) -> JsonObject | None:
    """The JSON object in a file, None where there is no such file.

    Raises:
        ModelError: as `read_text`, or it is not one JSON object.
    """
    text = read_text(path, largest=largest)
    if text is None:
        return None
    try:
        values: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(
            f"this is not JSON: {error.msg}",
            hint=_DOWNLOAD_AGAIN,
            place=Place(file=path, line=error.lineno, column=error.colno),
        ) from error
    except (RecursionError, ValueError) as error:
        raise ModelError(
            f"this is not usable JSON: {error}", hint=_DOWNLOAD_AGAIN, place=Place(file=path)
        ) from error
    if not isinstance(values, dict):
        raise ModelError("this must be a JSON object", hint=_DOWNLOAD_AGAIN, place=Place(file=path))
    return values
