"""A forest gives what its rows give alone, in fp32 and bf16, by every way of attention.

The rows and the comparison are those of `benchmarks.gpu.exact`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from benchmarks.gpu.exact import CONFIGS, agreements

ON_GPU = [pytest.mark.gpu, pytest.mark.filterwarnings("default")]
"""What a GPU's compilers warn of is no fault of the result."""
FEW = ("llama", "gemma2")
"""Measured on a CPU by every `make test`; the others by `make test-all`."""
ADAPTERS = ("lora", "full")


def cases() -> list[object]:
    every = [(name, adapter) for name in CONFIGS for adapter in ADAPTERS]
    on_cpu = [
        pytest.param("cpu", *case, marks=[] if case in [(name, "lora") for name in FEW]
                     else pytest.mark.slow)
        for case in every
    ]  # fmt: skip
    return [*on_cpu, *(pytest.param("cuda", *case, marks=ON_GPU) for case in every)]


@pytest.mark.parametrize(("device", "name", "adapter"), cases())
def test_a_forest_gives_what_its_rows_give_alone(
    device: str, name: str, adapter: str, right: Callable[[list[dict[str, Any]]], None]
) -> None:
    found = list(agreements(name, adapter, device, 1 if device == "cpu" else 4))
    right(found)
    assert {line["precision"] for line in found} == {"float32", "bfloat16"}
    if device == "cuda":
        assert {line["attention"] for line in found} == {"flex", "segments"}
