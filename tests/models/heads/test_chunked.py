"""The chunked head against the formula in fp64, on every kind of head, and the stock one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.heads import chunked, general
from tunesmith.models.output import passes, reading
from tunesmith.models.output.logprobs import token_logprobs, use_way
from tunesmith.models.output.reading import Head, HeadReading, read_head

WIDTH = 12


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chunks of 16 tokens and parts of 16 entries, so that small numbers have many of both."""
    monkeypatch.setattr(reading, "CHUNK_BYTES", {"cpu": 4})
    monkeypatch.setattr(chunked, "CHUNK_BYTES", {"cpu": 4})
    monkeypatch.setattr(chunked, "_TOKENS", 20)
    yield


def head_of(
    vocabulary: int,
    *,
    bias: bool = False,
    scale: float = 1.0,
    cap: float | None = None,
    dtype: torch.dtype = torch.float32,
    width: int = WIDTH,
) -> Head:
    torch.manual_seed(vocabulary)
    linear = nn.Linear(width, vocabulary, bias=bias, dtype=dtype).requires_grad_(False)
    for weight in linear.parameters():
        weight.normal_()
    return Head(
        own=linear,
        vocabulary=vocabulary,
        reading=HeadReading(weight_VD=linear.weight, bias_V=linear.bias, scale=scale, cap=cap),
    )


def leaves_of(head: Head, hidden_ND: Tensor) -> list[Tensor]:
    """What gets a gradient."""
    assert head.reading is not None
    given = (hidden_ND, head.reading.weight_VD, head.reading.bias_V)
    return [one for one in given if one is not None and one.requires_grad]


def whole(head: Head, hidden_ND: Tensor, targets_N: Tensor, dtype: torch.dtype) -> Tensor:
    """All logits at once, in `dtype` up to the softmax, as models have it."""
    assert head.reading is not None
    found = head.reading
    logits_NV = hidden_ND.to(dtype) @ found.weight_VD.to(dtype).t()
    if found.bias_V is not None:
        logits_NV = logits_NV + found.bias_V.to(dtype)
    logits_NV = logits_NV * found.scale
    if found.cap is not None:
        logits_NV = torch.tanh(logits_NV / found.cap) * found.cap
    exact = torch.promote_types(dtype, torch.float32)
    return logits_NV.to(exact).log_softmax(-1).gather(1, targets_N[:, None])[:, 0]


def made(found: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """Log-probabilities and the gradients of a sum with unlike slopes."""
    slopes = torch.linspace(-1, 2, found.numel(), dtype=found.dtype)
    return [found.detach(), *torch.autograd.grad(found, leaves, slopes)]


@given(
    vocabulary=st.integers(1, 40),
    tokens=st.integers(1, 45),
    bias=st.booleans(),
    scale=st.sampled_from([1.0, 0.25]),
    cap=st.sampled_from([None, 3.0]),
    trained=st.sets(st.sampled_from(["hidden", "weight", "bias"])),
    targets=st.data(),
)
def test_any_head_any_size_and_whatever_is_trained(
    vocabulary: int,
    tokens: int,
    *,
    bias: bool,
    scale: float,
    cap: float | None,
    trained: set[str],
    targets: st.DataObject,
) -> None:
    head = head_of(vocabulary, bias=bias, scale=scale, cap=cap)
    for name, weight in head.own.named_parameters():
        weight.requires_grad_(name in trained)
    hidden = torch.randn(tokens, WIDTH).requires_grad_("hidden" in trained)
    drawn = targets.draw(st.lists(st.integers(0, vocabulary - 1), min_size=tokens, max_size=tokens))
    ids = torch.tensor(drawn)
    assert chunked.suits(head, hidden) == ""
    found = chunked.logprobs(head, hidden, ids)
    expected = whole(head, hidden, ids, torch.float64)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(chunked.logprobs(head, hidden, ids), found)
    leaves = leaves_of(head, hidden)
    assert found.requires_grad is bool(leaves)
    if leaves:
        for mine, theirs in zip(made(found, leaves), made(expected, leaves), strict=True):
            assert mine.shape == theirs.shape
            assert (mine - theirs).norm() <= 1e-5 * (theirs.norm() + 1)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(("scale", "cap"), [(1.0, None), (0.25, None), (1.0, 4.0)])
def test_in_bf16_no_farther_from_fp64_than_the_usual_way(
    scale: float, cap: float | None, *, trained: bool, autocast: bool
) -> None:
    dtype = torch.float32 if autocast else torch.bfloat16
    head = head_of(300, scale=scale, cap=cap, dtype=dtype, width=64)
    head.own.requires_grad_(trained)
    hidden = (torch.randn(90, 64) / 2).to(dtype).requires_grad_()
    targets = torch.arange(90) % 7
    leaves = leaves_of(head, hidden)
    exact = made(whole(head, hidden, targets, torch.float64), leaves)
    with torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext():
        ours = made(chunked.logprobs(head, hidden, targets), leaves)
        stock = made(whole(head, hidden, targets, torch.bfloat16), leaves)
    for name, mine, theirs, true in zip(
        ("log-probabilities", "slopes", "weights"), ours, stock, exact, strict=False
    ):
        errors = [float((one.double() - true).norm() / true.norm()) for one in (mine, theirs)]
        # What is kept for the backward pass has been rounded once more.
        assert errors[0] <= 1.3 * errors[1], (name, errors)
        assert errors[0] < 0.03


def test_the_length_of_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one is shorter, and each token is told by itself."""
    head = head_of(40)
    hidden, targets = torch.randn(35, WIDTH), torch.arange(35)
    found = chunked.logprobs(head, hidden, targets)
    for length in (1, 7, 1000):
        monkeypatch.setattr(chunked, "chunk_length", lambda *given, length=length: length)
        torch.testing.assert_close(chunked.logprobs(head, hidden, targets), found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("trained", [False, True])
def test_nothing_waits_for_the_device(dtype: torch.dtype, *, trained: bool) -> None:
    """The meta device has no numbers: whatever asks for one fails there."""
    with torch.device("meta"):
        linear = nn.Linear(WIDTH, 40, dtype=dtype).requires_grad_(trained)
        hidden = torch.randn(35, WIDTH, dtype=dtype, requires_grad=True)
        targets = torch.zeros(35, dtype=torch.int64)
    for cap in (None, 3.0):
        reading = HeadReading(weight_VD=linear.weight, bias_V=linear.bias, scale=0.5, cap=cap)
        head = Head(own=linear, vocabulary=40, reading=reading)
        found = chunked.logprobs(head, hidden, targets)
        found.sum().backward()
        assert hidden.grad is not None
        assert (hidden.grad.dtype, hidden.grad.shape) == (dtype, hidden.shape)


def test_compiled_once_for_every_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passes as a GPU would run them: traced as a whole, and again for no other length."""
    traced: list[str] = []

    def backend(graph: torch.fx.GraphModule, example: list[object]) -> torch.fx.GraphModule:
        traced.append("graph")
        return graph

    def one_pass(function: object, scores: Tensor) -> object:
        if 1 in scores.shape:
            return function
        return passes.compiled(function, backend)

    monkeypatch.setattr(chunked, "one_pass", one_pass)
    torch._dynamo.reset()
    for trained, graphs in ((False, 2), (True, 3)):  # summed, derived; then changed
        for tokens in (35, 90, 33, 16, 1, 2, 17, 64):
            head = head_of(43, bias=True, cap=3.0, dtype=torch.bfloat16)
            head.own.requires_grad_(trained)
            hidden = torch.randn(tokens, WIDTH, dtype=torch.bfloat16, requires_grad=True)
            targets = torch.arange(tokens) % 43
            leaves = leaves_of(head, hidden)
            with torch.no_grad():
                chunked.logprobs(head, hidden, targets)
            found = made(chunked.logprobs(head, hidden, targets), leaves)
            with monkeypatch.context() as plain:
                plain.setattr(chunked, "one_pass", lambda function, scores: function)
                expected = made(chunked.logprobs(head, hidden, targets), leaves)
            for mine, theirs in zip(found, expected, strict=True):
                torch.testing.assert_close(mine, theirs)
        assert len(traced) == graphs
    torch._dynamo.reset()


@pytest.mark.parametrize("name", CONFIGS)
def test_it_takes_every_head_of_a_formula(name: str) -> None:
    """The values and the gradient are those of the model's own forward."""
    model = tiny_model(CONFIGS[name])
    head = read_head(model)
    hidden = torch.randn(36, 32, requires_grad=True)
    targets = torch.arange(36)
    assert chunked.suits(head, hidden) == ""
    found = made(chunked.logprobs(head, hidden, targets), [hidden])
    expected = made(general.logprobs(head, hidden, targets), [hidden])
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_what_it_does_not_take() -> None:
    head = head_of(40)
    hidden = torch.randn(3, WIDTH)
    assert chunked.suits(Head(own=head.own, vocabulary=40, reading=None), hidden)
    assert "fp32 and bf16" in chunked.suits(head, hidden.double())
    assert "fp32 and bf16" in chunked.suits(head, hidden.half())
    assert "differ" in chunked.suits(head, hidden.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        assert chunked.suits(head, hidden.bfloat16()) == ""
    with torch.autocast("cpu", torch.float16):
        assert "fp32 and bf16" in chunked.suits(head, hidden)


def test_scores_that_stay_in_fp32_are_closer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a GPU's products leave them: slopes several times, log-probabilities to rounding."""
    monkeypatch.setattr(chunked, "_product", lambda left, right: left.float() @ right.float())
    monkeypatch.setattr(
        chunked, "_add_product", lambda total, left, right: total.add_(left.float() @ right.float())
    )
    for trained in (False, True):
        head = head_of(300, dtype=torch.bfloat16, width=64)
        head.own.requires_grad_(trained)
        hidden = (torch.randn(90, 64) / 2).bfloat16().requires_grad_()
        targets = torch.arange(90)
        leaves = leaves_of(head, hidden)
        exact = made(whole(head, hidden, targets, torch.float64), leaves)
        ours = made(chunked.logprobs(head, hidden, targets), leaves)
        stock = made(whole(head, hidden, targets, torch.bfloat16), leaves)
        for place, (mine, theirs, true) in enumerate(zip(ours, stock, exact, strict=True)):
            errors = [float((one.double() - true).norm() / true.norm()) for one in (mine, theirs)]
            assert errors[0] < (0.6 * errors[1] if place else 1e-6), (place, errors)


@pytest.mark.parametrize("name", ["llama", "llama_tied", "gemma2", "granite"])
def test_within_a_model_that_is_trained_as_a_whole(name: str) -> None:
    """The gradient of every weight; that of a tied one is the sum of both ends."""
    found = []
    for way in ("chunked", "general"):
        model = tiny_model(CONFIGS[name]).requires_grad_(True)
        use_way(model, way)
        ids = torch.arange(3, 40)
        hidden = model.base_model(input_ids=ids[None]).last_hidden_state[0]
        logprobs = token_logprobs(model, hidden[:-1], ids[1:])
        (logprobs * torch.linspace(-1, 2, 36)).sum().backward()
        found.append({key: weight.grad for key, weight in model.named_parameters()})
    for key, gradient in found[0].items():
        assert gradient is not None
        assert (gradient - found[1][key]).norm() <= 1e-5 * found[1][key].norm(), key
