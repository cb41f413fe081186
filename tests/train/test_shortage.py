"""A failed allocation becomes advice; other errors stay what they are."""

from __future__ import annotations

import pytest
import torch

from tunesmith.errors import ResourceError
from tunesmith.train.shortage import shortage_named


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_shortages_are_told(error: Exception) -> None:
    with (
        pytest.raises(ResourceError, match="not enough memory in step 3, with 64 tokens") as caught,
        shortage_named("in step 3", 64),
    ):
        raise error
    assert "tokens_per_forest: 32" in caught.value.hint
    assert caught.value.exit_code == 4


def test_a_real_allocation_that_is_too_large() -> None:
    with pytest.raises(ResourceError), shortage_named("in step 3", 64):
        torch.empty(2**60, dtype=torch.uint8)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), shortage_named("in step 3", 64):
        raise RuntimeError("shapes do not match")
