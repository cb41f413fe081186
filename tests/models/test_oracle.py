"""The forest against plain Transformers and PEFT: the same loss, step and files.

The plain side pads a batch, masks the padding, and takes Transformers' logits; the forest
side is what training runs. For each architecture the changes of every LoRA weight by an
AdamW step, after a warm step, agree by norm to 1e-4.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from tests.models.tiny import CONFIGS, UNSUPPORTED, random_rows, tiny_model
from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Packing, build_forests
from tunesmith.methods import sft
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import ForestSupport, enable_forest
from tunesmith.models.score import forest_scores

LENGTHS = (12, 7, 20, 30, 3)
ALL = CONFIGS | UNSUPPORTED


def plain_loss(model: nn.Module, rows: list[TokenRow]) -> Tensor:
    """The weighted mean of token losses by a padded batch of Transformers' own."""
    longest = max(row.ids_T.size for row in rows)
    ids_BT = torch.zeros(len(rows), longest, dtype=torch.long)
    mask_BT = torch.zeros(len(rows), longest, dtype=torch.long)
    weights_BT = torch.zeros(len(rows), longest)
    for place, row in enumerate(rows):
        size = row.ids_T.size
        ids_BT[place, :size] = torch.from_numpy(row.ids_T)
        mask_BT[place, :size] = 1
        weights_BT[place, :size] = torch.from_numpy(row.weights_T)
    logits_BTV = model(input_ids=ids_BT, attention_mask=mask_BT).logits.float()
    losses = nn.functional.cross_entropy(
        logits_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten(), reduction="none"
    )
    return (losses * weights_BT[:, 1:].flatten()).sum() / weights_BT.sum()


def forest_backward(
    model: nn.Module, rows: list[TokenRow], support: ForestSupport, room: int
) -> float:
    """Accumulate the step's gradients forest by forest; returns the loss."""
    denominator = sft.denominator([row.weights_T for row in rows])
    total = 0.0
    for forest in build_forests(list(enumerate(rows)), Packing(tokens_per_forest=room)):
        loss = sft.loss(forest_scores(model, forest, support=support), sft.Config()) / denominator
        loss.backward()
        total += float(loss.detach())
    return total


def plain_peft(name: str) -> nn.Module:
    torch.manual_seed(1)
    return get_peft_model(
        tiny_model(ALL[name]),
        LoraConfig(
            task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear",
            fan_in_fan_out=name == "gpt2",
        ),
    ).eval()  # fmt: skip


def trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def warm_up(model: nn.Module) -> None:
    """Give B values: at its zeros A has no gradient, and Adam's first step is all sign."""
    torch.manual_seed(2)
    with torch.no_grad():
        for weight in trained(model).values():
            weight.normal_(std=0.1)


@pytest.mark.parametrize("name", ["llama", "qwen2", "gemma", "gpt_neox"])
def test_loss_equals_transformers_own(name: str) -> None:
    model = tiny_model(CONFIGS[name])
    (row,) = random_rows(20)
    ids = torch.from_numpy(row.ids_T).long()[None]
    labels = torch.where(torch.from_numpy(row.weights_T) > 0, ids, -100)
    expected = float(model(input_ids=ids, labels=labels).loss)
    support = enable_forest(model)
    (forest,) = build_forests([(0, row)], Packing(tokens_per_forest=64))
    logprobs = forest_scores(model, forest, support=support).logprobs_N
    assert float(-logprobs.detach().mean()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings(
    "ignore:The following (rank|alpha)_pattern keys:RuntimeWarning"
)  # experts
@pytest.mark.parametrize("name", ALL)
def test_lora_steps_equal_plain_peft(name: str) -> None:
    plain = plain_peft(name)
    torch.manual_seed(1)
    ours = lora.attach(tiny_model(ALL[name]), lora.Config(rank=4))
    support = enable_forest(ours)
    assert support.supported == (name in CONFIGS), support.reason
    warm_up(plain)
    warm_up(ours)
    optimizers = [torch.optim.AdamW(trained(model).values(), lr=1e-2) for model in (plain, ours)]
    for step in range(2):
        rows = random_rows(*LENGTHS, seed=step)
        before = [flat(model) for model in (plain, ours)]
        expected = plain_loss(plain, rows)
        expected.backward()
        found = forest_backward(ours, rows, support, room=35)
        assert found == pytest.approx(float(expected.detach()), rel=1e-5)
        if step == 0:
            assert_same_gradients(plain, ours)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    change, own = flat(plain) - before[0], flat(ours) - before[1]
    assert (change - own).norm() <= 1e-4 * change.norm()


def flat(model: nn.Module) -> Tensor:
    """All trainable weights in one."""
    return torch.cat([weight.detach().flatten() for weight in trained(model).values()])


def assert_same_gradients(plain: nn.Module, ours: nn.Module) -> None:
    """Each tensor by norm to 1e-5, and to 1e-7 of all gradients together."""
    pairs = list(zip(trained(plain).items(), trained(ours).values(), strict=True))
    norms = [float(left.grad.norm()) for (_, left), _ in pairs if left.grad is not None]
    everything = float(np.linalg.norm(norms))
    for (key, left), right in pairs:
        assert left.grad is not None and right.grad is not None, key
        difference = (left.grad - right.grad).norm()
        assert difference <= 1e-5 * left.grad.norm() + 1e-7 * everything, key


@pytest.mark.parametrize("name", ["llama", "llama_tied", "gemma2", "granite", "gpt_neox"])
def test_full_gradients_equal_plain(name: str) -> None:
    rows = random_rows(*LENGTHS)
    plain = full.attach(tiny_model(CONFIGS[name]), full.Config())
    plain_loss(plain, rows).backward()
    ours = full.attach(tiny_model(CONFIGS[name]), full.Config())
    support = enable_forest(ours)
    assert support.supported, support.reason
    forest_backward(ours, rows, support, room=35)
    assert_same_gradients(plain, ours)


@pytest.mark.parametrize("name", ["llama", "gemma", "gpt_neox", "gpt2"])
def test_the_adapter_loads_in_plain_peft(name: str, tmp_path: Path) -> None:
    model = lora.attach(tiny_model(CONFIGS[name]), lora.Config(rank=4, rslora=True))
    with torch.no_grad():
        for weight in trained(model).values():
            weight.normal_(std=0.1)
    lora.save(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    plain = PeftModel.from_pretrained(tiny_model(CONFIGS[name]), str(tmp_path)).eval()
    ids = torch.arange(3, 30)[None]
    expected = model(input_ids=ids).logits
    base = tiny_model(CONFIGS[name])(input_ids=ids).logits
    torch.testing.assert_close(plain(input_ids=ids).logits, expected)
    assert not torch.allclose(expected, base, atol=1e-2), "the adapter must do something"


def test_how_a_step_is_cut_does_not_matter() -> None:
    rows = random_rows(*LENGTHS)
    gradients = []
    for room in (8, 35, 1000):
        torch.manual_seed(1)
        model = lora.attach(tiny_model(CONFIGS["llama"]), lora.Config(rank=4))
        forest_backward(model, rows, enable_forest(model), room)
        gradients.append([weight.grad for weight in trained(model).values()])
    for other in gradients[1:]:
        for left, right in zip(gradients[0], other, strict=True):
            assert left is not None and right is not None
            assert (left - right).norm() <= 1e-5 * left.norm() + 1e-9
