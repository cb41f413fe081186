"""Too little memory, told with what would need less.

CUDA raises torch.OutOfMemoryError. The CPU's allocator raises a bare RuntimeError whose
words are all there is to know it by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from tunesmith.errors import ResourceError

_CPU_SAYS = ("can't allocate memory", "not enough memory")


@contextmanager
def shortage_named(doing: str, tokens_per_forest: int, processes: int = 1) -> Iterator[None]:
    """Turn an allocation that fails within the block into a ResourceError.

    Args:
        doing: what is being done, as in "not enough memory in step 3".
        tokens_per_forest: tokens that are computed at once.
        processes: how many train together; several do not halve their forests by themselves.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(words in str(error) for words in _CPU_SAYS):
            raise
        raise ResourceError(
            f"not enough memory {doing}, with {tokens_per_forest} tokens at once"
            + (f" in one of {processes} processes" if processes > 1 else ""),
            hint="start a new run with train.tokens_per_forest: "
            f"{max(8, tokens_per_forest // 2)} (the result is the same), "
            "a smaller data.max_length, or base.quantize: nf4"
            + ("; only a run of one process halves it by itself" if processes > 1 else ""),
        ) from error
