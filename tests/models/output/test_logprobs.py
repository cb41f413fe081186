"""The way a head is computed: which one is taken, and that it has to be right on a GPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.models.tiny import CONFIGS, VOCABULARY, tiny_model
from tunesmith import plugins
from tunesmith.errors import RecipeError
from tunesmith.models.output import logprobs as head_module
from tunesmith.models.output.logprobs import token_logprobs, use_way, way_called, why_not
from tunesmith.models.output.reading import Head

IDS = torch.arange(3, 40)[None]
WAYS = plugins.names("heads")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the ways that were taken."""
    names: list[str] = []
    for name in WAYS:
        way = way_called(name)

        def noted(
            *given: object, name: str = name, compute: object = way.logprobs, **named: object
        ) -> Tensor:
            names.append(name)
            return compute(*given, **named)

        monkeypatch.setattr(way, "logprobs", noted)
    return names


def test_nothing_to_score() -> None:
    model = tiny_model(CONFIGS["llama"])
    assert token_logprobs(model, torch.zeros(0, 32), IDS[0, :0]).shape == (0,)


def test_the_model_keeps_its_backbone() -> None:
    model = tiny_model(CONFIGS["llama"])
    backbone = model.model
    token_logprobs(model, torch.randn(3, 32), IDS[0, :3])
    assert model.model is backbone
    assert model(input_ids=IDS).logits.shape == (1, 37, VOCABULARY)


@pytest.mark.parametrize(
    ("name", "dtype", "way"),
    [
        ("llama", torch.float32, "tiled"),
        ("llama", torch.bfloat16, "general"),
        ("gemma2", torch.float32, "general"),
    ],
)
def test_by_default_on_a_cpu(name: str, dtype: torch.dtype, way: str, taken: list[str]) -> None:
    model = tiny_model(CONFIGS[name]).to(dtype)
    token_logprobs(model, torch.randn(3, 32, dtype=dtype), IDS[0, :3])
    assert taken == [way]


@pytest.mark.parametrize(
    ("name", "dtype", "way"),
    [
        ("llama", torch.float32, "chunked"),
        ("llama", torch.bfloat16, "chunked"),
        ("llama", torch.float64, "general"),
        ("gemma2", torch.bfloat16, "chunked"),
        ("cohere", torch.bfloat16, "chunked"),
    ],
)
def test_by_default_elsewhere(name: str, dtype: torch.dtype, way: str, taken: list[str]) -> None:
    """The meta device stands for a GPU."""
    model = tiny_model(CONFIGS[name]).to(device="meta", dtype=dtype)
    hidden = torch.zeros(3, 32, dtype=dtype, device="meta")
    assert token_logprobs(model, hidden, IDS[0, :3].to("meta")).shape == (3,)
    assert taken == [way]


def test_one_may_choose(taken: list[str]) -> None:
    """What cannot take the head is passed over."""
    model = tiny_model(CONFIGS["llama"])
    hidden = torch.randn(3, 32)
    use_way(model, "chunked")
    token_logprobs(model, hidden, IDS[0, :3])
    model.to(torch.float64)
    token_logprobs(model, hidden.double(), IDS[0, :3])
    assert taken == ["chunked", "general"]
    with pytest.raises(RecipeError, match="chunkd"):
        use_way(model, "chunkd")


def test_on_a_gpu_a_way_that_is_wrong_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, taken: list[str]
) -> None:
    """It has to prove itself, once; here the CPU stands in for the GPU."""
    asked = []

    def disagreement(way: object, *others: object) -> str:
        asked.append(way)
        return "" if way is not way_called("chunked") else "its slopes are off"

    monkeypatch.setattr(head_module, "_TESTED", ())
    monkeypatch.setattr(head_module, "disagreement", disagreement)
    model = tiny_model(CONFIGS["llama"]).to(torch.bfloat16)
    hidden = torch.randn(3, 32, dtype=torch.bfloat16)
    use_way(model, "chunked")
    for _ in range(2):
        token_logprobs(model, hidden, IDS[0, :3])
    assert taken == ["general", "general"]
    assert len(asked) == 1
    assert why_not(model, "chunked", hidden) == "its slopes are off"
    assert why_not(model, "general", hidden) == ""


@pytest.mark.parametrize("name", WAYS)
def test_every_way_says_what_it_takes(name: str) -> None:
    """A file of the folder has all that a way has; an unknown head is the general way's alone."""
    way = way_called(name)
    unread = Head(own=torch.nn.Identity(), vocabulary=97, reading=None)
    assert isinstance(way.REPEATABLE, bool)
    assert (way.suits(unread, torch.zeros(3, 32)) == "") is (name == "general")
