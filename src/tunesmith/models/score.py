"""Scores of a forest: what a method sees of a model.

The backbone runs over the forest, and only the tokens that predict a trained one go on to
the head. Without support for forests, the rows run one at a time and give the same; so do the
rows of a forest that lie on either side of a length that the model looks at.

Shapes: S tokens of the forest, N trained tokens, D width of the hidden states.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tunesmith.contracts import Scores
from tunesmith.data.forest import Forest
from tunesmith.models.attention import ForestSupport, layout_of
from tunesmith.models.blocks import padded, room_for
from tunesmith.models.causal import causal_model, vocabulary_of
from tunesmith.models.output.logprobs import token_logprobs
from tunesmith.models.precision import products
from tunesmith.models.rotary import forget_length
from tunesmith.models.transfer import sent


def forest_scores(model: nn.Module, forest: Forest, *, support: ForestSupport) -> Scores:
    """Log-probabilities of a forest's trained tokens.

    Args:
        model: the model that `enable_forest` was asked about.
        forest: rows of one step.
        support: its answer.

    Returns:
        Scores on the model's device, in the forest's order of trained tokens;
        differentiable unless gradients are switched off.
    """
    # What rows that share a beginning are both trained on there goes through the head once.
    keys_N = forest.source_index_N * vocabulary_of(model) + forest.target_ids_N
    _, first, place_N = np.unique(keys_N, return_index=True, return_inverse=True)
    twice = first.size < keys_N.size
    arrays: list[NDArray[Any]] = [forest.weights_N, forest.rows_N]
    arrays += [forest.target_ids_N[first], first, place_N] if twice else [forest.target_ids_N]
    if forest.reference_N is not None:
        arrays.append(forest.reference_N)
    weights_N, rows_N, targets, *others = sent(arrays, causal_model(model).device)
    hidden_ND = forest_hidden(model, forest, support=support)
    if twice:
        hidden_ND = hidden_ND.index_select(0, others[0])
    with products(model):
        logprobs_N = token_logprobs(model, hidden_ND, targets)
    if twice:
        logprobs_N = logprobs_N.index_select(0, others[1])
    return Scores(
        logprobs_N=logprobs_N,
        weights_N=weights_N,
        rows_N=rows_N,
        reference_N=None if forest.reference_N is None else others[-1],
    )


def forest_hidden(model: nn.Module, forest: Forest, *, support: ForestSupport) -> Tensor:
    """The last hidden states (N, D) that predict a forest's trained tokens, for the head."""
    with products(model):
        if support.supported and not forest.straddles:
            return _packed(model, forest, flexible=support.flexible)
        return _row_by_row(model, forest, support)


def _packed(model: nn.Module, forest: Forest, *, flexible: bool) -> Tensor:
    inner = causal_model(model)
    wanted_U, place_N = np.unique(forest.source_index_N, return_inverse=True)
    ids_S = padded(forest.ids_S, room_for(forest.ids_S.size)) if flexible else forest.ids_S
    layout = layout_of(
        forest.positions_S,
        forest.subtree_end_S,
        device=inner.device,
        flexible=flexible,
        wanted_U=wanted_U,
        beside=[ids_S, place_N, forest.source_index_N],
    )
    ids, places, sources = layout.beside
    output = inner.base_model(
        input_ids=ids[None],
        position_ids=layout.positions_S[None],
        use_cache=False,
        forest_layout=layout,
    )
    hidden_SD: Tensor = output.last_hidden_state.squeeze(0)
    # The layers either made all states or those that are wanted.
    index_N = places if hidden_SD.shape[0] == wanted_U.size else sources
    return hidden_SD.index_select(0, index_N)


def _row_by_row(model: nn.Module, forest: Forest, support: ForestSupport) -> Tensor:
    inner = causal_model(model)
    parts, places = [], []
    for row in np.unique(forest.rows_N):
        own_N = np.flatnonzero(forest.rows_N == row)
        sources_N = forest.source_index_N[own_N]
        path_T = _whole_row(forest, int(sources_N.max()))
        within_N = np.searchsorted(path_T, sources_N)
        if support.border is not None:
            forget_length(inner)
        if support.supported:
            alone = replace(
                forest,
                ids_S=forest.ids_S[path_T],
                positions_S=forest.positions_S[path_T],
                subtree_end_S=np.full(path_T.size, path_T.size),
                source_index_N=within_N,
            )
            parts.append(_packed(model, alone, flexible=support.flexible))
        else:
            ids_T, index_N = sent([forest.ids_S[path_T], within_N], inner.device)
            output = inner.base_model(
                input_ids=ids_T[None],
                position_ids=torch.arange(path_T.size, device=inner.device)[None],
                use_cache=False,
            )
            parts.append(output.last_hidden_state[0].index_select(0, index_N))
        places.append(own_N)
    (order,) = sent([np.argsort(np.concatenate(places))], inner.device)
    return torch.cat(parts).index_select(0, order)


def _whole_row(forest: Forest, last: int) -> NDArray[np.int64]:
    """The tokens of the row whose last trained token is predicted by the token `last`.

    What follows `last` and has no fork is the rest of a row that was kept whole.
    """
    rest = np.arange(last + 1, int(forest.subtree_end_S[last]))
    depth = int(forest.positions_S[last]) + 1
    if not np.array_equal(forest.positions_S[rest], np.arange(depth, depth + rest.size)):
        rest = rest[:0]
    return np.concatenate([forest.path_to(last), rest])
