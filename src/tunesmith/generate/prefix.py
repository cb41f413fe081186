"""What all prompts of a batch begin with is computed once.

    prompts   s s s s a b      columns   0 1 2 3 4 5        computed once    s s s s
              s s s s c                  . s s s s c        for each row     a b | s c

Rows stand left-padded. The keys and values of the beginning are computed for one row and then
laid where each row has them; a shorter row computes the end of the beginning once more, in
columns that padding would have filled. So every row lies as it would without sharing, sliding
windows included.

Shapes: B rows, P tokens of the common beginning, G heads of keys and values, D width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

SHORTEST = 16
"""Tokens worth a forward pass of their own."""

_BY_TOKEN = (DynamicLayer, DynamicSlidingWindowLayer)


def common_beginning(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with; every prompt keeps one token after them."""
    shortest = min(len(prompt) for prompt in prompts)
    # What the first and the last in alphabetical order share, all between them share.
    ordered = sorted(list(prompt[:shortest]) for prompt in prompts)
    first, last = ordered[0], ordered[-1]
    for place in range(shortest - 1):
        if first[place] != last[place]:
            return place
    return shortest - 1


def shares_beginnings(model: PreTrainedModel) -> bool:
    """Whether the model keeps a key and a value a token and layer, and nothing else."""
    layers = DynamicCache(config=model.config).layers
    return not model._is_stateful and all(type(layer) in _BY_TOKEN for layer in layers)


def shared_cache(
    model: PreTrainedModel, beginning: Sequence[int], padding: Sequence[int]
) -> DynamicCache:
    """The cache of rows that begin alike, after the first `len(beginning)` columns.

    Args:
        model: a model that `shares_beginnings`.
        beginning: P token ids.
        padding: columns before each of the B rows.
    """
    ids_1P = torch.tensor([list(beginning)], device=model.device)
    positions_1P = torch.arange(len(beginning), device=model.device)[None]
    # Without a configuration it keeps all of them, also those that a window has left behind.
    whole = DynamicCache()
    model.base_model(
        input_ids=ids_1P, position_ids=positions_1P, past_key_values=whole, use_cache=True
    )
    padding_B1 = torch.tensor(padding, device=model.device)[:, None]
    # What stands in a padding column is masked.
    source_BP = (positions_1P - padding_B1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    for number, layer in enumerate(whole.layers):
        assert isinstance(layer, DynamicLayer)
        assert layer.keys is not None and layer.values is not None, "it has just been filled"
        keys_BGPD = layer.keys[0][:, source_BP].transpose(0, 1).contiguous()
        values_BGPD = layer.values[0][:, source_BP].transpose(0, 1).contiguous()
        cache.update(keys_BGPD, values_BGPD, number)
    return cache
