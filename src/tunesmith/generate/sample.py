"""Continue prompts with a model, many at a time.

Prompts of about the same length go together, padded on the left; what all of them begin with
is computed once, keys and values of what is done are kept, and a row that has ended leaves its
batch. Greedy output is that of Transformers' own `generate`.

Sampling draws from softmax(logits / temperature) by the inverse of its distribution
function, with one number a row and token from the seed: so a row's text does not depend on
which rows it shares a batch with.

Shapes: B rows of a batch, T tokens so far, V vocabulary.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from tunesmith.base.config import context_of
from tunesmith.generate.prefix import (
    SHORTEST,
    common_beginning,
    shared_cache,
    shares_beginnings,
)
from tunesmith.models.attention import stock_attention
from tunesmith.models.causal import causal_model
from tunesmith.models.precision import products
from tunesmith.models.rotary import forget_length, rotary_by_length

# Rows that run at once: enough to fill a processor, and no more than the cache has room for.
_ROWS = {"cpu": 64, "cuda": 256}
_CACHE_BYTES = {"cpu": 2**30, "cuda": 8 * 2**30}


@torch.no_grad()
def generate(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    *,
    stop_ids: Collection[int],
    max_new_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[int]]:
    """Continue each prompt until a stop token, the limit, or the end of the model's context.

    Args:
        model: a causal model, with or without an adapter, in evaluation mode.
        prompts: token ids; none may be empty, or longer than the context.
        stop_ids: tokens that end a row.
        max_new_tokens: limit a row.
        temperature: 0 takes the likeliest token; 1 draws from the model's own distribution.
        seed: of the draws.

    Returns:
        The new tokens of each prompt, in the prompts' order; the stop token, where one was
        reached, is the last.
    """
    outputs: list[list[int]] = [[] for _ in prompts]
    draws = _draws(len(prompts), max_new_tokens, temperature, seed)
    by_length = sorted(range(len(prompts)), key=lambda row: (len(prompts[row]), row))
    longest = max((len(prompt) for prompt in prompts), default=0) + max_new_tokens
    context = _context(model)
    batch_size = _rows_at_once(causal_model(model), longest)
    border = _border(model)
    if border is not None and longest > border:
        batch_size = 1  # Of rows in one batch, the longest would decide for all.
    with stock_attention(model), products(model):
        for start in range(0, len(prompts), batch_size):
            rows = by_length[start : start + batch_size]
            batch = _Batch(model, [prompts[row] for row in rows])
            for step in range(max_new_tokens):
                chosen = _choose(batch.logits_BV, draws[rows, step], temperature)
                for row, token in zip(rows, chosen, strict=True):
                    outputs[row].append(token)
                kept = [
                    place
                    for place, (row, token) in enumerate(zip(rows, chosen, strict=True))
                    if token not in stop_ids and len(prompts[row]) + step < context
                ]
                if not kept or step == max_new_tokens - 1:
                    break
                rows = [rows[place] for place in kept]
                batch.advance(kept, [chosen[place] for place in kept])
    return outputs


def stream(
    model: nn.Module,
    prompt: Sequence[int],
    *,
    stop_ids: Collection[int],
    max_new_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> Iterator[int]:
    """Continue one prompt, a token at a time; a stop token ends it and is not yielded."""
    draws = _draws(1, max_new_tokens, temperature, seed)
    batch: _Batch | None = None
    token = 0
    for step in range(min(max_new_tokens, _context(model) - len(prompt) + 1)):
        # Entered anew for each token: between two the caller may use the model.
        with torch.no_grad(), stock_attention(model), products(model):
            if batch is None:
                batch = _Batch(model, [prompt])
            else:
                batch.advance([0], [token])
        (token,) = _choose(batch.logits_BV, draws[[0], step], temperature)
        if token in stop_ids:
            return
        yield token


class _Batch:
    """Rows under way: their cache, where they are, and what comes next."""

    def __init__(self, model: nn.Module, prompts: Sequence[Sequence[int]]) -> None:
        self._model = causal_model(model)
        self._wrapped = model
        self._device = self._model.device
        self._border = _border(model)
        forget_length(self._model)
        longest = max(len(prompt) for prompt in prompts)
        ids_BT = torch.zeros(len(prompts), longest, dtype=torch.long)
        mask_BT = torch.zeros(len(prompts), longest, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            assert len(prompt) > 0, "a prompt has at least one token"
            ids_BT[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask_BT[row, longest - len(prompt) :] = 1
        self._ids_BT = ids_BT.to(self._device)
        self._mask_BT = mask_BT.to(self._device)
        positions_BT = (self._mask_BT.cumsum(dim=1) - 1).clamp(min=0)
        self._next_B = positions_BT[:, -1] + 1
        shared = common_beginning(prompts) if len(prompts) > 1 else 0
        if shared >= SHORTEST and shares_beginnings(self._model):
            padding = [longest - len(prompt) for prompt in prompts]
            self._cache = shared_cache(self._model, prompts[0][:shared], padding)
        else:
            shared = 0
            self._cache = DynamicCache(config=self._model.config)
        self.logits_BV = self._forward(self._ids_BT[:, shared:], positions_BT[:, shared:])

    def advance(self, kept: list[int], tokens: list[int]) -> None:
        """Keep some rows, append a token to each, and find what comes next."""
        if len(kept) < self._mask_BT.shape[0]:
            index = torch.tensor(kept, device=self._device)
            self._cache.batch_select_indices(index)
            self._ids_BT = self._ids_BT[index]
            self._mask_BT = self._mask_BT[index]
            self._next_B = self._next_B[index]
        ones_B1 = self._mask_BT.new_ones(len(kept), 1)
        self._mask_BT = torch.cat([self._mask_BT, ones_B1], dim=1)
        ids_B1 = torch.tensor(tokens, device=self._device)[:, None]
        self._ids_BT = torch.cat([self._ids_BT, ids_B1], dim=1)
        if self._border is not None and int(self._next_B.max()) == self._border:
            # The row, which is alone, has outgrown the border: all of it has other frequencies.
            self._cache = DynamicCache(config=self._model.config)
            positions_1T = torch.arange(self._border + 1, device=self._device)[None]
            self.logits_BV = self._forward(self._ids_BT, positions_1T)
        else:
            self.logits_BV = self._forward(ids_B1, self._next_B[:, None])
        self._next_B = self._next_B + 1

    def _forward(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        output = self._model(
            input_ids=ids_BT,
            position_ids=positions_BT,
            attention_mask=self._mask_BT,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits_BV = output.logits[:, -1].float()
        assert isinstance(logits_BV, Tensor)
        return logits_BV


def _border(model: nn.Module) -> int | None:
    """Length past which a whole row is computed anew; with dynamic scaling the context ends."""
    rotary = rotary_by_length(causal_model(model))
    return None if rotary is None or rotary.grows else rotary.border


def _rows_at_once(model: PreTrainedModel, tokens: int) -> int:
    """How many rows of that length the cache has room for."""
    config = model.config.get_text_config()
    heads = config.to_dict().get("num_key_value_heads") or config.num_attention_heads
    width = config.to_dict().get("head_dim") or config.hidden_size // config.num_attention_heads
    per_token = 2 * config.num_hidden_layers * heads * width * model.dtype.itemsize
    device = "cuda" if model.device.type == "cuda" else "cpu"
    room = int(_CACHE_BYTES[device] // (per_token * tokens))
    return max(1, min(_ROWS[device], room))


def _context(model: nn.Module) -> int:
    """How many positions the model has; without bound where it does not say."""
    return context_of(causal_model(model).config.to_dict()) or sys.maxsize


def _draws(rows: int, steps: int, temperature: float, seed: int) -> NDArray[np.float64]:
    """One uniform number a row and token; a row's are the same whatever rows follow it."""
    if temperature == 0:
        return np.zeros((rows, steps))
    return np.random.default_rng(seed).random((rows, steps))


def _choose(logits_BV: Tensor, draws_B: NDArray[np.float64], temperature: float) -> list[int]:
    if temperature == 0:
        return [int(token) for token in logits_BV.argmax(dim=-1).tolist()]
    chances_BV = torch.softmax(logits_BV.double() / temperature, dim=-1)
    reached_BV = chances_BV.cumsum(dim=-1)
    # The sum may end just below 1: scale the draw to what there is.
    draws_B1 = torch.from_numpy(draws_B).to(reached_BV.device)[:, None] * reached_BV[:, -1:]
    chosen_B1 = torch.searchsorted(reached_BV, draws_B1, right=True)
    return [int(token) for token in chosen_B1.clamp(max=logits_BV.shape[1] - 1)[:, 0].tolist()]
