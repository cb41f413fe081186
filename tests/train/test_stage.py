"""The stage on a tiny model: it learns, keeps the best, and stops at what has gone wrong."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tunesmith.data.store import PackedRow, PackedRows, open_packed, write_packed
from tunesmith.errors import DataError, Diverged, RecipeError
from tunesmith.runs import Run
from tunesmith.train import checkpoint, metrics, stage

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

GOLDEN = [5.5443, 5.5217, 5.3871, 5.2052, 4.7684, 5.0005, 4.8179, 4.4276, 4.4499, 4.2981]
GOLDEN += [3.8629, 3.5766, 3.7042, 3.5391, 3.5588, 3.3580, 3.2824, 3.5621, 3.2523, 3.4368]


def losses(run: Run) -> list[float]:
    return [record.loss for record in metrics.read(run.path("metrics.jsonl"))]


def events(run: Run, kind: str) -> list[dict[str, object]]:
    return run.events.read(kind)


def test_the_loss_curve_is_the_golden_one(workshop: Workshop, new_run: Run) -> None:
    recipe = workshop.recipe(adapter="full", steps=20, schedule="linear", weight_decay=0.1)
    workshop.train(new_run, recipe)
    assert losses(new_run) == pytest.approx(GOLDEN, abs=2e-3)


def test_what_is_the_same_bits_twice_is_so_from_the_first_product_on(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels that are compiled for the proof at load are those of training."""
    order = []

    @contextmanager
    def deterministic(device: str, *, wanted: bool) -> Iterator[None]:
        order.append("deterministic")
        yield
        order.append("free")

    def load(*given: object, **named: object) -> stage.Trainee:
        order.append("load")
        return load_trainee(*given, **named)

    load_trainee = stage.load_trainee
    monkeypatch.setattr(stage, "deterministic", deterministic)
    monkeypatch.setattr(stage, "load_trainee", load)
    workshop.train(new_run, workshop.recipe(steps=1))
    assert order == ["deterministic", "load", "free"]


def test_it_records_what_it_did(workshop: Workshop, new_run: Run) -> None:
    record = workshop.train(new_run, workshop.recipe(adapter="full"))
    assert record.steps == record.total == 15
    assert record.best_loss is not None and record.first_loss is not None
    assert record.best_loss < record.first_loss - 0.3
    found = list(metrics.read(new_run.path("metrics.jsonl")))
    assert [one.step for one in found] == list(range(1, 16))
    assert record.tokens == sum(one.tokens for one in found)
    assert record.last_loss == found[-1].loss
    assert all(one.gradient_norm > 0 and one.seconds >= 0 for one in found)
    assert found[0].learning_rate == pytest.approx(1e-2 / 2), "one step of warm-up"
    measured = events(new_run, "evaluated")
    assert [event["step"] for event in measured] == [0, 4, 8, 12, 15]
    assert measured[0]["held_out_loss"] == record.first_loss
    samples = measured[0]["samples"]
    assert isinstance(samples, list) and len(samples) == 3
    assert set(samples[0]) == {"place", "prompt", "answer", "reference"}
    json.dumps(record.as_json(), allow_nan=False)


def test_without_held_out_rows_the_last_step_is_the_result(
    workshop: Workshop, new_run: Run
) -> None:
    record = workshop.train(new_run, workshop.recipe(), material=workshop.material(held_out=False))
    assert (record.chosen_step, record.best_loss) == (15, None)
    assert "no row is held out" in record.reason
    assert events(new_run, "evaluated") == []
    assert_model_is_checkpoint(new_run, 15)


def test_early_stopping_keeps_the_best(workshop: Workshop, new_run: Run) -> None:
    # Memorising 30 rows of random letters: the held-out rows get worse soon.
    recipe = workshop.recipe(
        adapter="full", epochs=30.0, learning_rate=0.02, early_stopping=3, schedule="constant"
    )
    record = workshop.train(new_run, recipe)
    assert record.steps < record.total
    found = {event["step"]: event["held_out_loss"] for event in events(new_run, "evaluated")}
    after = {step: loss for step, loss in found.items() if step}
    assert record.chosen_step == min(after, key=lambda step: after[step])
    assert record.best_loss == after[record.chosen_step]
    assert [step for step in after if step > record.chosen_step] == [
        record.chosen_step + 4 * number for number in (1, 2, 3)
    ]
    assert record.steps == record.chosen_step + 12
    assert_model_is_checkpoint(new_run, record.chosen_step, adapter="full")
    kept = checkpoint.steps(new_run.path("checkpoints"))
    assert record.chosen_step in kept and record.steps in kept
    assert len(kept) <= 3


def assert_model_is_checkpoint(run: Run, step: int, adapter: str = "lora") -> None:
    saved = load_file(run.path("checkpoints", f"step-{step}", "weights.safetensors"))
    name = "adapter_model.safetensors" if adapter == "lora" else "model.safetensors"
    written = load_file(run.path("model", name))
    for key, weight in saved.items():
        assert torch.equal(weight, written[key]), key


def test_the_adapter_loads_in_peft_with_its_tokenizer(workshop: Workshop, new_run: Run) -> None:
    workshop.train(new_run, workshop.recipe())
    folder = new_run.path("model")
    base = AutoModelForCausalLM.from_pretrained(workshop.folder / "base")
    ids = torch.tensor([[0, 5, 6, 7]])
    with torch.no_grad():
        before = base(ids).logits
        after = PeftModel.from_pretrained(base, folder)(ids).logits
    assert not torch.allclose(before, after)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    own = workshop.material().speech.tokenizer
    assert tokenizer("abc", add_special_tokens=False).input_ids == own.encode("abc")
    chat = [{"role": "user", "content": "abc"}, {"role": "assistant", "content": "abd"}]
    assert "abd" in tokenizer.apply_chat_template(chat, tokenize=False)
    generation = json.loads((folder / "generation_config.json").read_text())
    assert generation["eos_token_id"] == 1


def test_a_full_model_loads_in_transformers(workshop: Workshop, new_run: Run) -> None:
    workshop.train(new_run, workshop.recipe(adapter="full"))
    model = AutoModelForCausalLM.from_pretrained(new_run.path("model"))
    assert model.generation_config.eos_token_id == 1
    assert new_run.path("model", "chat_template.jinja").exists()


# ---- what goes wrong -----------------------------------------------------------------------


def spoiled(folder: Path, rows: PackedRows, bad: int) -> PackedRows:
    """The rows, of which one has weights so large that the loss is not finite."""
    largest = np.finfo(np.float32).max

    def one(number: int) -> PackedRow:
        row = rows.row(number)
        if number != bad:
            return PackedRow(row=row)
        return PackedRow(row=replace(row, weights_T=np.where(row.weights_T > 0, largest, 0.0)))

    write_packed(folder, [one(number) for number in range(len(rows))])
    return open_packed(folder)


def test_a_row_that_makes_the_loss_infinite_is_named(
    workshop: Workshop, new_run: Run, tmp_path: Path
) -> None:
    material = workshop.material()
    material = replace(material, rows=spoiled(tmp_path / "rows", material.rows, 17))
    recipe = workshop.recipe(save_every=1)
    with pytest.raises(
        Diverged, match=r"step (\d+) is not finite; rows: rows\.jsonl:18\n"
    ) as caught:
        workshop.train(new_run, recipe, material=material)
    made = len(losses(new_run))
    assert f"step {made + 1} " in caught.value.what
    (event,) = events(new_run, "diverged")
    assert (event["step"], event["rows"]) == (made + 1, ["rows.jsonl:18"])
    assert checkpoint.latest_valid(new_run.path("checkpoints")).step == (made or None)
    assert not new_run.path("model").exists()


def test_an_explosion_stops_and_is_never_saved(workshop: Workshop, new_run: Run) -> None:
    recipe = workshop.recipe(
        adapter="full",
        learning_rate=1.0,
        warmup=0.0,
        max_gradient_norm=100.0,
        save_every=1,
        eval_every=100,
        steps=20,
    )
    with pytest.raises(Diverged, match="exploded") as caught:
        workshop.train(new_run, recipe)
    assert caught.value.exit_code == 5
    assert "rows.jsonl:" in caught.value.what
    assert len(losses(new_run)) == 3
    assert checkpoint.steps(new_run.path("checkpoints")) == [1], "before the first spike"


def test_a_held_out_row_that_is_infinite_is_named(
    workshop: Workshop, new_run: Run, tmp_path: Path
) -> None:
    material = workshop.material()
    assert material.held_out is not None
    material = replace(material, held_out=spoiled(tmp_path / "rows", material.held_out, 5))
    with pytest.raises(Diverged, match=r"held-out loss after step 0 .*rows\.jsonl:1006\n"):
        workshop.train(new_run, workshop.recipe(), material=material)


def test_a_warmup_longer_than_the_run_is_refused(workshop: Workshop, new_run: Run) -> None:
    with pytest.raises(RecipeError, match=r"train\.warmup is 15 steps"):
        workshop.train(new_run, workshop.recipe(warmup=15.0))
    assert not new_run.path("metrics.jsonl").exists()


def test_no_rows_are_refused(workshop: Workshop, new_run: Run, tmp_path: Path) -> None:
    empty = write_packed(tmp_path / "none", [])
    material = workshop.material()
    mixture = replace(material.mixture, source_of_R=empty.source_of)
    with pytest.raises(DataError, match="no row to train on"):
        workshop.train(
            new_run, workshop.recipe(), material=replace(material, rows=empty, mixture=mixture)
        )


def test_a_missing_tracker_is_told_before_anything_is_loaded(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tunesmith.train.trainee.load_model", lambda *_, **__: pytest.fail("loaded")
    )
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(RecipeError, match="wandb") as caught:
        workshop.train(new_run, workshop.recipe(report_to=("wandb",)))
    assert caught.value.hint == 'pip install "tunesmith[wandb]"'


def test_rows_without_trained_tokens_change_nothing(
    workshop: Workshop, new_run: Run, tmp_path: Path
) -> None:
    rows = workshop.material().rows
    untrained = [
        PackedRow(row=replace(rows.row(number), weights_T=np.zeros(rows.lengths[number])))
        for number in range(len(rows))
    ]
    write_packed(tmp_path / "rows", untrained)
    material = replace(workshop.material(), rows=open_packed(tmp_path / "rows"))
    workshop.train(
        new_run,
        workshop.recipe(adapter="full", weight_decay=0.0, steps=3),
        material=material,
    )
    assert losses(new_run) == [0.0, 0.0, 0.0]
    written = load_file(new_run.path("model", "model.safetensors"))
    base = load_file(workshop.folder / "base" / "model.safetensors")
    assert all(torch.equal(written[name], base[name]) for name in base)
    assert not any(
        math.isnan(record.gradient_norm) for record in metrics.read(new_run.path("metrics.jsonl"))
    )
