"""FlexAttention where there is no GPU: compiled without kernels, so that all scores are held.

It refuses gradients on a CPU, and the meta device, by a check of its own, which is lifted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from torch._dynamo.utils import counters

from tunesmith.models import flex
from tunesmith.models.compiled import compiled_apart


@contextmanager
def flexible_attention(backend: str = "eager") -> Iterator[None]:
    """Within the block `attend_flexibly` computes on any device."""
    flex._compiled.cache_clear()
    apart = partial(compiled_apart, backend=backend)
    try:
        with (
            patch("torch.nn.attention.flex_attention._validate_device", lambda *states: None),
            patch.object(flex, "compiled_apart", apart),
        ):
            yield
    finally:
        flex._compiled.cache_clear()


def times_compiled() -> int:
    """How often anything was compiled so far."""
    return int(counters["stats"]["unique_graphs"])
