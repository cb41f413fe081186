"""The output head at real sizes, as `benchmarks.gpu.head` measures it: right, and how fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from benchmarks.gpu.head import HEADS, heads
from benchmarks.gpu.part import Part

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.gpu
@pytest.mark.parametrize("name", HEADS)
def test_our_own_way_is_right_on_a_gpu(
    name: str, right: Callable[[list[dict[str, Any]]], None]
) -> None:
    right(heads(Part(words=(name,), tiny=False, device="cuda")))


def test_the_same_small_on_a_cpu(right: Callable[[list[dict[str, Any]]], None]) -> None:
    found = heads(Part(words=(), tiny=True, device="cpu"))
    right(found)
    assert sum(bool(line.get("chosen")) for line in found) == 4
