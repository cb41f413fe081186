"""The starter model's steps, as `benchmarks.gpu.starter` measures them: compiled, and in bf16."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmarks.gpu.part import Part
from benchmarks.gpu.starter import steps


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "device",
    [pytest.param("cpu", marks=pytest.mark.slow), pytest.param("cuda", marks=pytest.mark.gpu)],
)
def test_compiled_steps_are_the_same(
    device: str, tmp_path: Path, right: Callable[[list[dict[str, Any]]], None]
) -> None:
    right(steps(Part(words=(), tiny=True, device=device), tmp_path))
