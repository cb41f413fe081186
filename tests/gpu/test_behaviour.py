"""NF4, generation, resuming, memory and more, as `benchmarks.gpu.behaviour` measures them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.gpu.behaviour import EVERY
from benchmarks.gpu.part import Part
from benchmarks.gpu.training import write_base

ON_GPU = [pytest.mark.gpu, pytest.mark.filterwarnings("default")]
"""What a GPU's compilers warn of is no fault of the result."""
SEVERAL_PROCESSES = ("resume", "memory")


def cases() -> list[object]:
    on_cpu = [
        pytest.param("cpu", name, marks=pytest.mark.slow if name in SEVERAL_PROCESSES else [])
        for name in EVERY
    ]
    return [*on_cpu, *(pytest.param("cuda", name, marks=ON_GPU) for name in EVERY)]


@pytest.mark.parametrize(("device", "name"), cases())
def test_it_behaves(
    device: str, name: str, tmp_path: Path, right: Callable[[list[dict[str, Any]]], None]
) -> None:
    write_base(tmp_path)
    right(EVERY[name](Part(words=(name,), tiny=device == "cpu", device=device), tmp_path))
