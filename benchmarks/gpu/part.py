"""What all parts have in common: their command line, and one JSON line a result."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a part was started with."""

    words: tuple[str, ...]
    tiny: bool
    device: str


def read_part(description: str | None) -> Part:
    """Read the command line and switch off what would make fp32 less than fp32."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="what to do, as benchmarks/gpu/run.py has it")
    parser.add_argument("--tiny", action="store_true", help="small, also on a CPU")
    given = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not given.tiny:
        raise SystemExit("torch sees no CUDA device: --tiny runs on a CPU")
    torch.set_float32_matmul_precision("highest")
    return Part(words=tuple(given.words), tiny=given.tiny, device=device)


def line(**values: Any) -> None:  # noqa: ANN401
    """Print a result; what is printed counts even if the process is stopped later."""
    print(json.dumps(values), flush=True)


def what_failed(error: BaseException) -> str:
    """The last line of an error, with its kind."""
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0][:300] if words else ''}"
