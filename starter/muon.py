"""Muon: momentum made orthogonal, for the matrices inside the layers.

For a matrix W with gradient G::

    M <- m M + G;   U = G + m M        (Nesterov)
    W <- W - lr * sqrt(max(1, rows / columns)) * orthogonal(U)

``orthogonal`` is five Newton-Schulz rounds ``X <- a X + (b A + c A A) X`` with ``A = X X^T``.
PyTorch's own Muon computes these in bfloat16 only, which is very slow on a processor without
bfloat16 products, and one matrix at a time; here the type is a choice and matrices of one
shape go together, in a few calls for all of them: a GPU would spend more time on being asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

ROUNDS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices_KRC: Tensor, compute: torch.dtype) -> Tensor:
    """Bring the singular values of K matrices of R x C near one."""
    a, b, c = COEFFICIENTS
    tall = matrices_KRC.shape[-2] > matrices_KRC.shape[-1]
    wide = matrices_KRC.mT if tall else matrices_KRC
    size = torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7
    current: Tensor = (wide / size).to(compute)
    for _ in range(ROUNDS):
        square = current @ current.mT
        mixed = torch.baddbmm(square, square, square, beta=b, alpha=c)
        current = torch.baddbmm(current, mixed, current, beta=a)
    return (current.mT if tall else current).float().contiguous()


class Muon(torch.optim.Optimizer):
    """The optimizer over two-dimensional parameters.

    Args:
        parameters: Matrices only.
        learning_rate: Size of a step, about 0.02.
        momentum: Share of the last step that is kept.
        weight_decay: Decoupled decay, times the learning rate.
        compute: Type of the Newton-Schulz products.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        compute: torch.dtype = torch.float32,
    ) -> None:
        self.compute = compute
        defaults = {"lr": learning_rate, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            by_shape: defaultdict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                self._step_together(parameters, group)

    def _step_together(self, parameters: list[nn.Parameter], group: dict[str, float]) -> None:
        gradients: list[Tensor] = []
        for parameter in parameters:
            assert parameter.grad is not None
            gradients.append(parameter.grad)
            if "momentum" not in self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum"] for parameter in parameters]
        torch._foreach_mul_(momenta, group["momentum"])
        torch._foreach_add_(momenta, gradients)
        updates = torch._foreach_add(gradients, momenta, alpha=group["momentum"])
        rows, columns = parameters[0].shape
        scale = group["lr"] * max(1.0, rows / columns) ** 0.5
        orthogonal = orthogonalise(torch.stack(updates), self.compute)
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(parameters, list(orthogonal.unbind()), alpha=-scale)
