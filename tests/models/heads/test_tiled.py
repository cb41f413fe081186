"""The tiled head against the whole logits in float64, with autograd's gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from tests.models.tiny import CONFIGS, VOCABULARY, tiny_model
from tunesmith.models.causal import causal_model
from tunesmith.models.heads import tiled
from tunesmith.models.output.logprobs import token_logprobs
from tunesmith.models.output.reading import Head, HeadReading, own_head

WIDTH = 12


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of 8 entries and chunks of 5 tokens, so that small numbers have many of both."""
    monkeypatch.setattr(tiled, "_TILE", 8)
    monkeypatch.setattr(tiled, "_TOKENS", 5)


def plain_logprobs(linear: nn.Linear, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    reading = HeadReading(weight_VD=linear.weight, bias_V=linear.bias)
    head = Head(own=linear, vocabulary=linear.out_features, reading=reading)
    return tiled.logprobs(head, hidden_ND, targets_N)


def linear(vocabulary: int, *, bias: bool, scale: float = 1.0) -> nn.Linear:
    torch.manual_seed(vocabulary)
    made = nn.Linear(WIDTH, vocabulary, bias=bias)
    with torch.no_grad():
        made.weight.normal_(std=scale)
    return made


def whole(head: nn.Linear, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """All logits at once, in float64."""
    bias = None if head.bias is None else head.bias.double()
    logits_NV = nn.functional.linear(hidden_ND.double(), head.weight.double(), bias)
    return logits_NV.log_softmax(-1).gather(1, targets_N[:, None])[:, 0]


def assert_equal(
    head: nn.Linear, hidden_ND: Tensor, targets_N: Tensor, *, limit: float = 1e-5
) -> None:
    """Log-probabilities and every gradient; the same without gradients."""
    found = plain_logprobs(head, hidden_ND, targets_N)
    expected = whole(head, hidden_ND, targets_N)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=limit, atol=limit)
    with torch.no_grad():
        torch.testing.assert_close(plain_logprobs(head, hidden_ND, targets_N), found)
    leaves = [leaf for leaf in (hidden_ND, *head.parameters()) if leaf.requires_grad]
    assert found.requires_grad is bool(leaves)
    if not leaves:
        return
    slope = torch.linspace(-1, 2, found.numel())
    for mine, theirs in zip(
        torch.autograd.grad(found, leaves, slope),
        torch.autograd.grad(expected, leaves, slope.double()),
        strict=True,
    ):
        assert mine.shape == theirs.shape
        assert (mine - theirs).norm() <= limit * (theirs.norm() + 1)


@given(
    vocabulary=st.integers(1, 40),
    tokens=st.integers(1, 17),
    bias=st.booleans(),
    trained=st.sets(st.sampled_from(["hidden", "weight", "bias"])),
    targets=st.data(),
)
def test_any_size_and_whatever_is_trained(
    vocabulary: int, tokens: int, *, bias: bool, trained: set[str], targets: st.DataObject
) -> None:
    head = linear(vocabulary, bias=bias)
    for name, weight in head.named_parameters():
        weight.requires_grad_(name in trained)
    hidden = torch.randn(tokens, WIDTH).requires_grad_("hidden" in trained)
    drawn = targets.draw(st.lists(st.integers(0, vocabulary - 1), min_size=tokens, max_size=tokens))
    assert_equal(head, hidden, torch.tensor(drawn))


@pytest.mark.parametrize("trains", [False, True])
def test_tiles_of_the_real_size(monkeypatch: pytest.MonkeyPatch, *, trains: bool) -> None:
    """A vocabulary and a number of tokens just past a tile, and the same target throughout."""
    monkeypatch.undo()
    assert (tiled._TILE, tiled._TOKENS) != (8, 5)
    head = linear(2 * tiled._TILE + 1, bias=False).requires_grad_(trains)
    hidden = torch.randn(tiled._TOKENS + 3, WIDTH, requires_grad=True)
    for target in (0, 2 * tiled._TILE, 77):
        assert_equal(head, hidden, torch.full((tiled._TOKENS + 3,), target))


@pytest.mark.parametrize("trains", [False, True])
def test_huge_logits(*, trains: bool) -> None:
    """Scores of 1e4 in rising, falling and mixed order: no overflow, nothing infinite."""
    head = linear(40, bias=True).requires_grad_(trains)
    torch.manual_seed(0)
    hidden = torch.randn(9, WIDTH)
    with torch.no_grad():
        scores = head(hidden)
        hidden *= 1e4 / scores.abs().max()
        order = (head.weight @ hidden[0]).argsort()
    hidden.requires_grad_()
    for places in (order, order.flip(0), torch.arange(40)):
        arranged = linear(40, bias=False).requires_grad_(trains)
        with torch.no_grad():
            arranged.weight.copy_(head.weight[places])
        for targets in (torch.arange(9), torch.full((9,), 39)):
            found = plain_logprobs(arranged, hidden, targets)
            assert found.isfinite().all()
            # fp32 knows a score of 1e4 to 1e-3.
            expected = whole(arranged, hidden, targets)
            torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=5e-3)
            (slope,) = torch.autograd.grad(found.sum(), hidden)
            assert slope.isfinite().all()


def test_one_entry_is_certain() -> None:
    head = linear(1, bias=True)
    found = plain_logprobs(head, torch.randn(3, WIDTH), torch.zeros(3, dtype=torch.long))
    torch.testing.assert_close(found, torch.zeros(3), atol=1e-6, rtol=0)


def test_twice_gives_the_same_bits() -> None:
    head = linear(37, bias=True)
    hidden = torch.randn(13, WIDTH, requires_grad=True)
    targets = torch.arange(13)
    made = []
    for _ in range(2):
        found = plain_logprobs(head, hidden, targets)
        made.append([found, *torch.autograd.grad(found.square().sum(), [hidden, head.weight])])
    for first, second in zip(*made, strict=True):
        assert torch.equal(first, second)


def test_backward_leaves_the_weights_as_they_are() -> None:
    """The tiles are changed in place; the model is not."""
    head = linear(37, bias=True)
    before = {name: weight.detach().clone() for name, weight in head.named_parameters()}
    hidden = torch.randn(13, WIDTH, requires_grad=True)
    given_hidden = hidden.detach().clone()
    plain_logprobs(head, hidden, torch.arange(13)).sum().backward()
    for name, weight in head.named_parameters():
        assert torch.equal(weight.detach(), before[name]), name
    assert torch.equal(hidden.detach(), given_hidden)


@pytest.fixture
def heads_taken(monkeypatch: pytest.MonkeyPatch) -> list[Head]:
    """The heads that go the plain way."""
    taken: list[Head] = []
    logprobs = tiled.logprobs

    def noted(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
        taken.append(head)
        return logprobs(head, hidden_ND, targets_N)

    monkeypatch.setattr(tiled, "logprobs", noted)
    return taken


def model_whole(model: nn.Module, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Whatever the model's own forward makes of hidden states."""
    logits = own_head(model)(inputs_embeds=hidden_ND[None], use_cache=False).logits
    found: Tensor = logits[0].log_softmax(-1).gather(1, targets_N[:, None])[:, 0]
    return found


PLAIN = ["llama", "llama_tied", "qwen2", "qwen3", "mistral", "gemma", "gemma3", "phi3", "smollm3",
         "olmo2", "qwen3_moe", "gpt2", "opt", "gpt_neox"]  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_only_a_head_that_is_one_matrix_is_plain(name: str, heads_taken: list[Head]) -> None:
    model = tiny_model(CONFIGS[name])
    hidden = torch.randn(11, 32)
    targets = torch.arange(11)
    found = token_logprobs(model, hidden, targets)
    assert bool(heads_taken) is (name in PLAIN)
    torch.testing.assert_close(found, model_whole(model, hidden, targets), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cap", [3.0, 30.0])
def test_a_cap_is_seen_whatever_the_weights(cap: float, heads_taken: list[Head]) -> None:
    """Where logits are small a cap hides: the weights of a fresh head are."""
    model = tiny_model(CONFIGS["gemma2"])
    model.config.final_logit_softcapping = cap
    with torch.no_grad():
        causal_model(model).lm_head.weight.mul_(0.02)
    token_logprobs(model, torch.randn(3, 32), torch.arange(3))
    assert heads_taken == []


@pytest.mark.filterwarnings("ignore:Model has .tie_word_embeddings=True.:UserWarning")
@pytest.mark.parametrize("name", ["llama", "llama_tied"])
def test_an_adapted_head_is_not_plain(name: str, heads_taken: list[Head]) -> None:
    model = tiny_model(CONFIGS[name])
    token_logprobs(model, torch.randn(3, 32), torch.arange(3))
    assert len(heads_taken) == 1
    adapted = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["lm_head"])
    ).eval()
    with torch.no_grad():
        for key, weight in adapted.named_parameters():
            if "lora_B" in key:
                weight.normal_()
    hidden, targets = torch.randn(3, 32), torch.arange(3)
    found = token_logprobs(adapted, hidden, targets)
    torch.testing.assert_close(found, model_whole(adapted, hidden, targets))
    assert len(heads_taken) == 1


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float64])
def test_another_precision_is_not_plain(precision: torch.dtype, heads_taken: list[Head]) -> None:
    model = tiny_model(CONFIGS["llama"]).to(precision)
    token_logprobs(model, torch.randn(3, 32, dtype=precision), torch.arange(3))
    assert heads_taken == []


def test_autocast_is_not_plain(heads_taken: list[Head]) -> None:
    """Its products would be bf16, and their exponents be summed up in bf16."""
    model = tiny_model(CONFIGS["llama"])
    hidden, targets = torch.randn(64, 32, requires_grad=True), torch.arange(64)
    with torch.autocast("cpu", torch.bfloat16):
        found = token_logprobs(model, hidden, targets)
    assert heads_taken == []
    found.sum().backward()
    torch.testing.assert_close(found, model_whole(model, hidden, targets), rtol=2e-2, atol=2e-2)


def test_a_tied_head_adds_up_with_its_embedding() -> None:
    """One weight, both ends trained: the gradient is the sum."""
    model = tiny_model(CONFIGS["llama_tied"]).requires_grad_(True)
    ids = torch.arange(3, 20)
    hidden = model.base_model(input_ids=ids[None]).last_hidden_state[0]
    token_logprobs(model, hidden[:-1], ids[1:]).sum().backward()
    found = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    logits = model(input_ids=ids[None]).logits[0, :-1].log_softmax(-1)
    logits.gather(1, ids[1:, None]).sum().backward()
    for name, weight in model.named_parameters():
        assert (found[name] - weight.grad).norm() <= 1e-5 * weight.grad.norm(), name


def test_targets_are_of_the_vocabulary() -> None:
    """The edge's entries are reached, and none beyond."""
    head = linear(VOCABULARY, bias=False)
    hidden = torch.randn(2, WIDTH)
    plain_logprobs(head, hidden, torch.tensor([0, VOCABULARY - 1]))
    with pytest.raises(IndexError):
        plain_logprobs(head, hidden, torch.tensor([0, VOCABULARY]))
