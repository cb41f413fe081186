"""AdamW (Loshchilov and Hutter 2019), its state kept in 32 or in 8 bits, or in pages.

    m <- b1 m + (1 - b1) g          v <- b2 v + (1 - b2) g^2
    w <- w - rate (m' / (sqrt(v') + eps) + decay w)         ' = bias-corrected, eps = 1e-8

Torch's own runs fused, in one pass over weight, gradient and state. The states in 8 bits and in
pages are those of bitsandbytes: pages are memory of the CUDA driver, which moves them to the
host and back as the device needs room (arXiv 2305.14314).

Decay acts on weights with two or more dimensions (embeddings too), never on biases and
norms. The state is saved as tensors and plain numbers by weight name: no pickle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from tunesmith.contracts import JsonObject
from tunesmith.errors import ModelError, RecipeError
from tunesmith.recipe import Train

EPSILON = 1e-8
_PAGED_KEYS = ("state1", "state2")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerState:
    """What an optimizer remembers: `tensors["exp_avg/layer.weight"]`, and numbers alike."""

    tensors: dict[str, Tensor]
    numbers: JsonObject


class NamedOptimizer:
    """An optimizer that knows the names of its weights, and clips, checks and steps."""

    def __init__(self, weights: Sequence[tuple[str, nn.Parameter]], settings: Train) -> None:
        """Take over `weights`: those that require a gradient, in the model's order.

        Raises:
            ModelError: there are none.
            RecipeError: the optimizer needs a package that is absent.
        """
        if not weights:
            raise ModelError(
                "nothing is trainable: the adapter marked no weight of this model",
                hint="look at adapter.targets; the layers it names do not exist here",
            )
        # Groups first, names after: the state of an optimizer is numbered in group order.
        matrices = [(name, weight) for name, weight in weights if weight.ndim >= 2]
        others = [(name, weight) for name, weight in weights if weight.ndim < 2]
        self._names = [name for name, _ in matrices + others]
        self._weights = [weight for _, weight in matrices + others]
        groups = [
            {"params": [weight for _, weight in matrices], "weight_decay": settings.weight_decay},
            {"params": [weight for _, weight in others], "weight_decay": 0.0},
        ]
        self._paged = settings.optimizer.startswith("paged_")
        self._optimizer = _build([group for group in groups if group["params"]], settings)

    @property
    def size(self) -> int:
        """How many numbers are trained."""
        return sum(weight.numel() for weight in self._weights)

    def clip(self, largest: float) -> Tensor:
        """Scale all gradients down to the global norm `largest`; the norm before, unclipped.

        The norm is a tensor of one number, which a device may still be at work on.
        """
        gradients = [weight.grad for weight in self._weights if weight.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if isinstance(norm, DTensor):
            norm = norm.full_tensor()  # of all parts, wherever they lie
        torch.nn.utils.clip_grads_with_norm_(self._weights, largest, norm)
        return norm

    def step(self, rate: float) -> None:
        """Change the weights once at learning rate `rate`, and drop the gradients."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self.clear()

    def clear(self) -> None:
        """Drop the gradients."""
        self._optimizer.zero_grad(set_to_none=True)

    def bad_weights(self) -> list[str]:
        """Names of the weights that are not finite, in the part of them that lies here."""
        finite = torch.stack([torch.isfinite(_here(weight)).all() for weight in self._weights])
        return [name for name, good in zip(self._names, finite.tolist(), strict=True) if not good]

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that are trained, by name."""
        return dict(zip(self._names, self._weights, strict=True))

    def state(self) -> OptimizerState:
        """The memory of the optimizer, on the CPU, by weight name.

        On a CPU the tensors are the optimizer's own: save them before the next step. Those
        of weights that lie in parts on several processes are in parts too, where they are.
        """
        tensors: dict[str, Tensor] = {}
        taken: set[int] = set()
        numbers: JsonObject = {}
        for weight_name, weight in zip(self._names, self._weights, strict=True):
            for key, value in self._optimizer.state[weight].items():
                name = f"{key}/{weight_name}"
                if isinstance(value, DTensor):
                    tensors[name] = value.detach()
                elif isinstance(value, Tensor):
                    # Lookup tables of 8-bit states are one tensor for all weights; files of
                    # safetensors hold each by itself.
                    shared = value.data_ptr() in taken
                    taken.add(value.data_ptr())
                    tensors[name] = value.detach().to("cpu", copy=shared).contiguous()
                else:
                    assert value is None or isinstance(value, (bool, int, float, str)), name
                    numbers[name] = value
        return OptimizerState(tensors=tensors, numbers=numbers)

    def load_state(self, state: OptimizerState) -> None:
        """Remember what `state` says.

        Raises:
            ModelError: it was saved for other weights.
        """
        weights = dict(zip(self._names, self._weights, strict=True))
        values: dict[str, object] = {**state.tensors, **state.numbers}
        self._optimizer.state.clear()
        for key_name, value in values.items():
            key, _, name = key_name.partition("/")
            if name not in weights:
                raise ModelError(
                    f"the checkpoint's optimizer knows a weight {name} that is not trained here",
                    hint="the adapter or the base changed since; start a new run",
                )
            weight = weights[name]
            if isinstance(value, Tensor):
                paged = self._paged and key in _PAGED_KEYS
                value = self._in_pages(weight, value) if paged else value.to(weight.device)
            self._optimizer.state[weight][key] = value

    def _in_pages(self, weight: Tensor, value: Tensor) -> Tensor:
        """A state where the optimizer would have put it; small ones are not paged."""
        from bitsandbytes.optim.optimizer import Optimizer8bit

        assert isinstance(self._optimizer, Optimizer8bit), "only those have pages"
        buffer = self._optimizer.get_state_buffer(  # type: ignore[no-untyped-call]
            weight, dtype=value.dtype
        )
        assert isinstance(buffer, Tensor)
        if weight.is_cuda:  # which fills the pages with zeros in its own time
            torch.cuda.synchronize(weight.device)
        return buffer.copy_(value)


def _here(weight: Tensor) -> Tensor:
    return weight.to_local() if isinstance(weight, DTensor) else weight


def _build(groups: list[dict[str, object]], settings: Train) -> Optimizer:
    rate = settings.learning_rate
    assert rate is not None, "a resolved recipe has a learning rate"
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, betas=settings.betas, eps=EPSILON, fused=True)
    try:  # here and not at the top: half a second, and a package that only this choice needs
        from bitsandbytes.optim import adamw
    except ImportError as error:
        raise RecipeError(
            f"train.optimizer {settings.optimizer} needs the package bitsandbytes",
            hint='pip install "tunesmith[nf4]", or train.optimizer: adamw',
        ) from error
    kinds = {
        "adamw8bit": adamw.AdamW8bit,
        "paged_adamw": adamw.PagedAdamW,
        "paged_adamw8bit": adamw.PagedAdamW8bit,
    }
    optimizer: Optimizer = kinds[settings.optimizer](
        groups, lr=rate, betas=settings.betas, eps=EPSILON
    )
    return optimizer
