"""In what precision products run.

Weights that are trained are kept in fp32. Where the model was loaded for bf16 and all of it
is trained, its products run in bf16 all the same, by autocast.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from tunesmith.models.causal import causal_model


def products(model: nn.Module) -> AbstractContextManager[object]:
    """The context in which a model's forward pass runs."""
    inner = causal_model(model)
    wanted = inner.config.dtype
    if wanted in (torch.bfloat16, torch.float16) and inner.dtype == torch.float32:
        return torch.autocast(inner.device.type, dtype=wanted)
    return nullcontext()
