"""A base whose linear layers are kept, and multiplied, in 8 bits (FP8, e4m3).

    q(a) = round_e4m3(a / s),   s = max |a| of the row / 448         for each row of a
    y  = s_x s_W q(x) q(W)^T                                         rows of W are outputs
    dx = s_g q(g) q(W),         g = dy s_W

Weights are rounded once, when the model is loaded; what is multiplied with them, token by
token. So the gradient by the input is that of the weights that the forward pass used: their
scales lie along its sum, and go into the slopes before these are rounded. Both products are
one call of torch's scaled product where the device has FP8 products; elsewhere they are
computed in the layer's own precision from the same rounded numbers. The output head, and
layers whose sides are not multiples of 16, stay as they are.

Source of the format: arXiv 2209.05433. Shapes: M tokens, I inputs, O outputs, K columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable
from transformers import PreTrainedModel

from tunesmith.errors import ModelError
from tunesmith.hardware import has_fp8_products
from tunesmith.models.compiled import compile_faults, one_pass, said

E4M3 = torch.float8_e4m3fn
LARGEST = 448.0
_SMALLEST_SCALE = 1e-30
"""A row of zeros has no scale of its own; one that is not a number keeps it."""
_SIDES = 16
"""What torch's scaled product asks the sides of a weight to be multiples of."""


class Fp8Linear(nn.Linear):
    """A frozen linear layer in FP8: `weight` (O, I) in e4m3, `scale_O` in fp32."""

    scale_O: Tensor

    def __init__(self, layer: nn.Linear, device: torch.device) -> None:
        """Round the weights of `layer`, one layer at a time on `device`."""
        nn.Module.__init__(self)
        self.in_features, self.out_features = layer.in_features, layer.out_features
        weight_OI = layer.weight.detach()
        # Under this name PEFT asks quantised layers for the precision of what goes beside them.
        self.compute_dtype = weight_OI.dtype
        rounded_OI, scale_O1 = rounded_rows(weight_OI.to(device))
        self.weight = nn.Parameter(rounded_OI, requires_grad=False)
        self.register_buffer("scale_O", scale_O1.squeeze(1))
        bias_O = None
        if layer.bias is not None:
            bias_O = nn.Parameter(layer.bias.detach().to(device), requires_grad=False)
        self.register_parameter("bias", bias_O)
        self.rounds_inputs = True

    def forward(self, input: Tensor) -> Tensor:
        """`(..., I)` to `(..., O)`, in the precision of the input."""
        states_MI = input.reshape(-1, self.in_features)
        if self.rounds_inputs:
            made = _Product.apply(states_MI, self.weight, self.scale_O)  # type: ignore[no-untyped-call]
            assert isinstance(made, Tensor)
        else:
            made = states_MI @ self.values().to(input.dtype).t()
        output = made.reshape(*input.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias.to(output.dtype)

    def values(self) -> Tensor:
        """The weights (O, I) that the rounded ones stand for, in fp32."""
        return self.weight.float() * self.scale_O[:, None]


class _Product(torch.autograd.Function):
    """The product with a rounded weight, and its gradient by the input."""

    @staticmethod
    def forward(ctx: FunctionCtx, states_MI: Tensor, weight_OI: Tensor, scale_O: Tensor) -> Tensor:
        ctx.save_for_backward(weight_OI, scale_O)
        weight = Fp8Weight(values_OI=weight_OI, scale_O=scale_O)
        return weight.product(round_states(states_MI), states_MI.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, slope_MO: Tensor) -> tuple[Tensor, None, None]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        return Fp8Weight(values_OI=saved[0], scale_O=saved[1]).slope(slope_MO), None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounded:
    """States in e4m3, and what to multiply each row with."""

    values_MI: Tensor
    scale_M1: Tensor


def round_states(states_MI: Tensor) -> Rounded:
    """Round the rows; in one pass over memory on a GPU."""
    values_MI, scale_M1 = one_pass(rounded_rows, states_MI)(states_MI, None)
    return Rounded(values_MI=values_MI, scale_M1=scale_M1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fp8Weight:
    """The weight of a layer in FP8, as products use it."""

    values_OI: Tensor
    scale_O: Tensor

    def product(self, states: Rounded, dtype: torch.dtype) -> Tensor:
        """`(M, O)` in `dtype`."""
        scales = (states.scale_M1, self.scale_O[None])
        return multiplied(states.values_MI, self.values_OI.t(), scales, dtype)

    def slope(self, slope_MO: Tensor) -> Tensor:
        """The gradient by the states, `(M, I)`, in the precision of that by the product."""
        rounded_MO, scale_M1 = one_pass(rounded_rows, slope_MO)(slope_MO, self.scale_O)
        ones_1I = torch.ones_like(self.scale_O[:1]).expand(self.values_OI.shape[1])[None]
        # The kernel wants the columns of its second matrix one after the other.
        columns_OI = self.values_OI.t().contiguous().t()
        scales = (scale_M1, ones_1I.contiguous())
        return multiplied(rounded_MO, columns_OI, scales, slope_MO.dtype)


def rounded_rows(values_MK: Tensor, scale_K: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The rows in e4m3, and what to multiply each with: `(M, K)` and `(M, 1)` in fp32.

    Args:
        values_MK: finite numbers; a row with one that is not becomes not a number.
        scale_K: multiplied with the columns first.
    """
    exact_MK = values_MK.float()
    if scale_K is not None:
        exact_MK = exact_MK * scale_K
    scale_M1 = (exact_MK.abs().amax(dim=-1, keepdim=True) / LARGEST).clamp(min=_SMALLEST_SCALE)
    return (exact_MK / scale_M1).clamp(-LARGEST, LARGEST).to(E4M3), scale_M1


def multiplied(
    left_MK: Tensor, right_KN: Tensor, scales: tuple[Tensor, Tensor], dtype: torch.dtype
) -> Tensor:
    """The product of rounded matrices, `(M, N)`.

    Args:
        left_MK: in e4m3.
        right_KN: in e4m3; its columns lie one after the other.
        scales: of the rows `(M, 1)`, and of the columns `(1, N)`.
        dtype: of the result.
    """
    if has_fp8_products(left_MK.device):
        return scaled_product(left_MK, right_KN, scales).to(dtype)
    exact = torch.float32 if dtype == torch.float32 else torch.bfloat16  # both hold e4m3 exactly
    made = (left_MK.to(exact) @ right_KN.to(exact)).float() * scales[0] * scales[1]
    return made.to(dtype)


def scaled_product(left_MK: Tensor, right_KN: Tensor, scales: tuple[Tensor, Tensor]) -> Tensor:
    """The same by torch's kernel, in bf16."""
    return torch._scaled_mm(
        left_MK,
        right_KN,
        scale_a=scales[0],
        scale_b=scales[1],
        out_dtype=torch.bfloat16,
        use_fast_accum=left_MK.is_cuda,
    )


def keep_in_fp8(model: PreTrainedModel, device: torch.device) -> None:
    """Round the linear layers, and bring the model to `device`; the head stays as it is.

    Raises:
        ModelError: no layer can be kept in FP8, or the device's products in FP8 fail.
    """
    head: object = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    found = [
        (name, module)
        for name, module in model.named_modules()
        if type(module) is nn.Linear
        and module is not head
        and module.in_features % _SIDES == module.out_features % _SIDES == 0
    ]
    if not found:
        raise ModelError(
            f"base.quantize: fp8 finds no linear layer in this {model.config.model_type} model "
            f"with sides that are multiples of {_SIDES}",
            hint="use base.quantize: nf4, or none",
        )
    if has_fp8_products(device):
        _require_products(device)
    for name, module in found:
        model.set_submodule(name, Fp8Linear(module, device))
    nn.Module.to(model, device)


def _require_products(device: torch.device) -> None:
    """Multiply something small as training and generation will, and look at what comes out."""
    weight = Fp8Linear(nn.Linear(64, 32, bias=False).to(device, torch.bfloat16), device)
    for tokens in (48, 1):
        states_MI = torch.linspace(-2, 3, tokens * 64, device=device).view(tokens, 64).bfloat16()
        states_MI.requires_grad_()
        wrong = ""
        try:
            made_MO = weight(states_MI)
            (slope_MI,) = torch.autograd.grad(made_MO.float().square().sum(), states_MI)
        except compile_faults() as error:
            wrong = said(error)
        else:
            exact_MI = states_MI.detach().float().requires_grad_()
            expected_MO = exact_MI @ weight.values().t()
            (expected_MI,) = torch.autograd.grad(expected_MO.square().sum(), exact_MI)
            for found, expected in ((made_MO, expected_MO), (slope_MI, expected_MI)):
                far = (found - expected).detach().norm() / expected.detach().norm()
                if not float(far) <= 0.1:  # not so where it is no number, either
                    wrong = "it gives other numbers than it should"
        if wrong:
            raise ModelError(
                f"base.quantize: fp8 does not work on this device ({device}): {wrong}",
                hint="use base.quantize: nf4, or none",
            )


def holds_fp8(model: nn.Module) -> bool:
    """Whether any layer is kept in FP8."""
    return any(isinstance(module, Fp8Linear) for module in model.modules())


def give_back_fp8(model: nn.Module) -> None:
    """Put ordinary layers, in fp32, in the place of those in FP8, with the same weights."""
    for name, module in list(model.named_modules()):
        if isinstance(module, Fp8Linear):
            plain = nn.Linear(
                module.in_features,
                module.out_features,
                bias=module.bias is not None,
                device=module.weight.device,
            )
            with torch.no_grad():
                plain.weight.copy_(module.values())
                if module.bias is not None:
                    plain.bias.copy_(module.bias)
            model.set_submodule(name, plain.requires_grad_(False))


@contextmanager
def inputs_unrounded(model: nn.Module) -> Iterator[None]:
    """Within the block layers in FP8 multiply with the numbers as they come.

    For comparisons: a difference in the last bit that moves a number over a border of
    rounding becomes a difference of one part in sixteen.
    """
    layers = [module for module in model.modules() if isinstance(module, Fp8Linear)]
    before = [layer.rounds_inputs for layer in layers]
    for layer in layers:
        layer.rounds_inputs = False
    try:
        yield
    finally:
        for layer, rounds in zip(layers, before, strict=True):
            layer.rounds_inputs = rounds
