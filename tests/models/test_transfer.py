"""Arrays arrive as they were sent, whatever their types and sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tunesmith.models import transfer
from tunesmith.models.transfer import sent

CPU = torch.device("cpu")
ARRAYS = [
    np.arange(5),
    np.array([0.5, 1.5, 2.5], dtype=np.float32),
    np.zeros(0, dtype=np.int64),
    np.arange(12, dtype=np.int32).reshape(3, 4).T,
    np.array(7, dtype=np.int64),
    np.array([True, False, True]),
]


def test_on_a_cpu_nothing_is_copied() -> None:
    for array, tensor in zip(ARRAYS, sent(ARRAYS, CPU), strict=True):
        assert np.shares_memory(array, tensor.numpy()) or not array.size
        assert np.array_equal(array, tensor.numpy())


def test_what_is_packed_comes_apart_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one buffer, kept on the host, holds every array at its place."""
    kept: list[torch.Tensor] = []
    empty = torch.empty

    def noted(*size: int, **named: object) -> torch.Tensor:
        assert named.pop("pin_memory") is True
        kept.append(empty(*size, **named))  # type: ignore[call-overload]
        return kept[-1]

    monkeypatch.setattr(torch, "empty", noted)
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, device, non_blocking: tensor)
    found = sent(ARRAYS, torch.device("cuda"))
    assert len(kept) == 1, "one copy"
    for array, tensor in zip(ARRAYS, found, strict=True):
        assert np.array_equal(array, tensor.numpy())
        assert tensor.dtype == torch.from_numpy(array).dtype
        assert tensor.data_ptr() % 4 == 0


def test_shapes_arrive_on_the_meta_device() -> None:
    found = sent(ARRAYS, torch.device("meta"))
    assert [tuple(one.shape) for one in found] == [array.shape for array in ARRAYS]
    assert all(one.device.type == "meta" for one in found)
    assert transfer.sent([], torch.device("meta")) == []
