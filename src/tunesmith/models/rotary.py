"""Rotary positions that depend on how long the whole row is.

longrope turns all positions by long factors once a row is longer than the context that the
model was first trained with, and by short ones until then:

    frequency[i] = 1 / (factor[i] * base ** (2i / width)),   factor = long if T > border else short

Dynamic scaling stretches the base with every token past the context, and Transformers keeps
the stretched frequencies for shorter rows that come after.

Shapes: T tokens of a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedModel

_ORIGINAL = "original_inv_freq"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotaryByLength:
    """How a model's frequencies depend on the length of a row."""

    border: int
    """Up to this length every row has the same frequencies."""
    grows: bool
    """Whether each length past the border has its own (dynamic), or all the same (longrope)."""


def rotary_by_length(model: PreTrainedModel) -> RotaryByLength | None:
    """What a model's configuration says about it; None where length does not matter.

    Layers of several kinds may each have their own settings. Where those disagree about the
    border, no two lengths past the lowest count as alike.
    """
    config = model.config.get_text_config().to_dict()
    settings = config.get("rope_parameters")
    if not isinstance(settings, Mapping):
        return None
    borders = set()
    dynamic = False
    for one in (settings, *settings.values()):
        if not isinstance(one, Mapping):
            continue
        kind = str(one.get("rope_type"))
        # The test that Transformers makes: a name that holds "dynamic" is scaled so.
        if "dynamic" in kind:
            dynamic = True
            borders.add(int(config["max_position_embeddings"]))
        elif kind == "longrope":
            borders.add(int(one["original_max_position_embeddings"]))
    if not borders:
        return None
    return RotaryByLength(border=min(borders), grows=dynamic or len(borders) > 1)


def forget_length(model: nn.Module) -> None:
    """Undo what a long row has left behind, so that the next has the frequencies of its own.

    A rotary module puts its first frequencies back when it meets a row of one token.
    """
    for module in model.modules():
        for name, frequencies in list(module.named_buffers(recurse=False)):
            if name.endswith(_ORIGINAL):
                layer_type = name.removesuffix(_ORIGINAL).rstrip("_")
                start = torch.zeros(1, 1, dtype=torch.long, device=frequencies.device)
                kinds = {"layer_type": layer_type} if layer_type else {}
                module(frequencies, position_ids=start, **kinds)
