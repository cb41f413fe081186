"""A base whose linear layers are kept in 4 bits (NF4, bitsandbytes), as QLoRA has it.

The layers' weights are 4-bit numbers with a scale every 64, the scales themselves in 8 bits:
about 0.56 bytes a weight. Products run in `dtype`. Source: arXiv 2305.14314.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from transformers import BitsAndBytesConfig

from tunesmith.errors import RecipeError


def nf4_options(dtype: torch.dtype) -> BitsAndBytesConfig:
    """What `from_pretrained` takes as `quantization_config`.

    Raises:
        RecipeError: bitsandbytes is not installed.
    """
    try:
        import bitsandbytes  # noqa: F401  the extra `nf4`, loaded only where it is used
    except ImportError as error:
        raise RecipeError(
            "base.quantize: nf4 needs bitsandbytes", hint="pip install 'tunesmith[nf4]'"
        ) from error
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def keep_gradients_right(model: nn.Module) -> None:
    """Forbid bitsandbytes its CPU layout for inference.

    On CPUs with AVX512-BF16 a layer repacks its weights at the first forward pass without
    gradients; from then on its products have no derivative, and training goes wrong without
    an error.
    """
    from bitsandbytes.nn.modules import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def dense_values(layer: nn.Module) -> Callable[[], Tensor] | None:
    """What puts the weight (O, I) of a layer in 4 bits together; None for any other layer."""
    if "bitsandbytes" not in sys.modules:  # then there is none, and loading it takes its time
        return None
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    weight: object = layer.weight if isinstance(layer, Linear4bit) else None
    if not isinstance(weight, Params4bit) or weight.quant_state is None:
        return None
    return partial(dequantize_4bit, weight, weight.quant_state)
