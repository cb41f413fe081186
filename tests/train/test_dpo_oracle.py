"""DPO equals TRL's trainer, loss and gradients, and does not depend on how a step is cut."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.data.shops import prepare
from tests.data.test_pairs import pairs as pair_rows
from tests.tiny_run import write_tokenizer
from torch import Tensor, nn

from tunesmith.base import locate_base
from tunesmith.contracts import Scores, TokenRow
from tunesmith.data.forest import Forest, Packing
from tunesmith.methods import dpo
from tunesmith.models.adapters import lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.load import adapter_switched_off, load_model
from tunesmith.models.score import forest_scores
from tunesmith.recipe import Data, Source
from tunesmith.train.objective import Objective
from tunesmith.train.reference import Reference, of_held_out

BETA = 0.3
OPTIONS = lora.Config(rank=4, alpha=8.0)


@dataclass(frozen=True)
class Bench:
    """A base with a tokenizer, pairs in words, and the same pairs in tokens."""

    base: Path
    words: list[dict[str, Any]]
    rows: list[TokenRow]


def conversational(row: dict[str, Any], turn: str) -> dict[str, Any]:
    system = {"role": "system", "content": "You are the desk of a small museum. Be brief."}
    return {
        "prompt": [system, {"role": "user", "content": f"{row['prompt']} {turn}"}],
        "chosen": [{"role": "assistant", "content": row["chosen"]}],
        "rejected": [{"role": "assistant", "content": row["rejected"]}],
    }


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("oracle")
    base = folder / "base"
    base.mkdir()
    make_model(base)
    words = [conversational(row, "Please." * (n % 3)) for n, row in enumerate(pair_rows(5))]
    path = folder / "pairs.jsonl"
    path.write_text("".join(f"{one}\n" for one in map(as_json, words)))
    data = Data(sources=(Source(path=str(path)),), held_out=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        made = prepare(data, base=base, run_folder=folder / "run", seed=0, max_length=400)
    return Bench(
        base=base, words=words, rows=[made.train.row(index) for index in range(len(made.train))]
    )


def as_json(value: object) -> str:

    return json.dumps(value)


def make_model(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=258,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    write_tokenizer(folder)


def adapted(base: Path) -> nn.Module:
    """The base under an adapter that is not zero any more."""
    model = load_model(locate_base(str(base)), device="cpu", dtype="fp32")
    torch.manual_seed(1)
    model = lora.attach(model, OPTIONS)
    disturb(model)
    return model


def disturb(model: nn.Module) -> None:
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, weight in sorted(trained(model).items()):
            if "lora_B" in name:
                weight.normal_(std=0.2, generator=generator)
            else:
                weight.normal_(std=0.3, generator=generator)


def trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def ours(
    model: nn.Module, rows: Sequence[TokenRow], folder: Path, packing: Packing, **options: float
) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradients of a step of these rows."""
    support = enable_forest(model)

    def scores(forest: Forest) -> Scores:
        return forest_scores(model, forest, support=support)

    config = dpo.Config(**{"beta": BETA, **options})
    with adapter_switched_off(model):
        beginning = Reference(folder=folder, scores=scores, packing=packing, say=lambda line: None)
        referenced = of_held_out(beginning, rows)
    objective = Objective(
        model=model, scores=scores, method=dpo, config=config, packing=packing, seed=0
    )
    model.zero_grad()
    loss = objective.backward(objective.prepare(1, referenced)).read()
    found = {name: one.grad.clone() for name, one in trained(model).items() if one.grad is not None}
    assert len(found) == len(trained(model))
    return loss, found


def trl(bench: Bench, words: list[dict[str, Any]], folder: Path, *, precompute: bool) -> Any:
    """TRL's trainer over the same base, with an adapter of the same weights."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    tokenizer = AutoTokenizer.from_pretrained(bench.base, pad_token="</s>")
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(bench.base, dtype=torch.float32),
        args=DPOConfig(
            output_dir=str(folder),
            per_device_train_batch_size=len(words),
            beta=BETA,
            bf16=False,
            activation_checkpointing=False,
            max_length=None,
            precompute_ref_log_probs=precompute,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(words),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            task_type="CAUSAL_LM", r=4, lora_alpha=8, lora_dropout=0.0, target_modules="all-linear"
        ),
    )
    disturb(trainer.model)
    return trainer


def theirs(trainer: Any) -> tuple[float, dict[str, Tensor]]:
    (batch,) = trainer.get_train_dataloader()
    loss = trainer.compute_loss(trainer.model, trainer._prepare_inputs(batch))
    trainer.model.zero_grad()
    loss.backward()
    found = {name: one.grad for name, one in trained(trainer.model).items()}
    return loss.item(), found


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor], share: float = 3e-5) -> None:
    """Per tensor by norm, a little wider than for sft.

    The rounding of a margin, 1e-7 of sums of hundreds of nats that nearly cancel, moves the factor
    sigmoid(-margin) that all gradients of the pair share.
    """
    assert set(one) == set(other)
    everything = float(torch.stack([grad.norm() for grad in other.values()]).norm())
    for name, grad in other.items():
        allowed = share * float(grad.norm()) + 1e-7 * everything
        assert float((one[name] - grad).norm()) <= allowed, name


WHOLE = Packing(tokens_per_forest=4096, rows_together=2)


@pytest.mark.parametrize("precompute", [False, True])
def test_loss_and_gradients_equal_those_of_trl(
    bench: Bench, tmp_path: Path, precompute: bool
) -> None:
    trainer = trl(bench, bench.words, tmp_path / "trl", precompute=precompute)
    wanted_loss, wanted = theirs(trainer)
    model = adapted(bench.base)
    loss, found = ours(model, bench.rows, tmp_path / "ours", WHOLE)
    assert {n: w.shape for n, w in trained(model).items()} == {
        n: w.shape for n, w in trained(trainer.model).items()
    }
    assert wanted_loss != pytest.approx(np.log(2), abs=0.01)
    assert loss == pytest.approx(wanted_loss, rel=1e-5)
    assert_same(found, wanted)


def test_the_tokens_and_the_trained_ones_equal_those_of_trl(bench: Bench, tmp_path: Path) -> None:
    trainer = trl(bench, bench.words, tmp_path, precompute=False)
    for number, row in enumerate(trainer.train_dataset):
        for side, name in enumerate(("chosen_ids", "rejected_ids")):
            mine = bench.rows[2 * number + side]
            assert mine.ids_T.tolist() == row["prompt_ids"] + row[name]
            assert mine.ids_T[mine.weights_T > 0].tolist() == row[name]


def test_label_smoothing_mixes_in_the_swapped_pairs(bench: Bench, tmp_path: Path) -> None:
    swapped = [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} for row in bench.words]
    right_loss, right = theirs(trl(bench, bench.words, tmp_path / "a", precompute=False))
    wrong_loss, wrong = theirs(trl(bench, swapped, tmp_path / "b", precompute=False))
    model = adapted(bench.base)
    loss, found = ours(model, bench.rows, tmp_path / "ours", WHOLE, label_smoothing=0.2)
    assert loss == pytest.approx(0.8 * right_loss + 0.2 * wrong_loss, rel=1e-5)
    assert_same(found, {name: 0.8 * right[name] + 0.2 * wrong[name] for name in right})


@pytest.mark.parametrize(
    "packing",
    [
        replace(WHOLE, share=False),
        replace(WHOLE, tokens_per_forest=8),
        replace(WHOLE, tokens_per_forest=300),
        replace(WHOLE, tokens_per_forest=300, share=False),
        replace(WHOLE, shortest_shared=1),
    ],
    ids=["apart", "a pair each", "some", "some apart", "all shared"],
)
def test_any_cut_gives_the_same(bench: Bench, tmp_path: Path, packing: Packing) -> None:
    model = adapted(bench.base)
    wanted_loss, wanted = ours(model, bench.rows, tmp_path / "whole", WHOLE)
    loss, found = ours(model, bench.rows, tmp_path / "cut", packing)
    assert loss == pytest.approx(wanted_loss, rel=5e-6)
    assert_same(found, wanted)


def test_the_order_of_the_pairs_makes_no_difference(bench: Bench, tmp_path: Path) -> None:
    model = adapted(bench.base)
    wanted_loss, wanted = ours(model, bench.rows, tmp_path / "a", WHOLE)
    turned = [bench.rows[2 * pair + side] for pair in (4, 2, 0, 1, 3) for side in (0, 1)]
    loss, found = ours(model, turned, tmp_path / "b", WHOLE)
    assert loss == pytest.approx(wanted_loss, rel=5e-6)
    assert_same(found, wanted)


def test_weights_scale_what_a_token_says(bench: Bench, tmp_path: Path) -> None:
    model = adapted(bench.base)
    half = [replace(row, weights_T=row.weights_T * np.float32(0.5)) for row in bench.rows]
    loss, found = ours(model, half, tmp_path / "a", WHOLE)
    wanted_loss, wanted = ours(model, bench.rows, tmp_path / "b", WHOLE, beta=0.5 * BETA)
    assert loss == pytest.approx(wanted_loss, rel=5e-6)
    assert_same(found, wanted)
