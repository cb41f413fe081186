"""The whole stage on a tiny model, against what Transformers itself says about it."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch.nn import functional
from transformers import AutoModelForCausalLM, PreTrainedModel

from tests.evaluate.conftest import Recorder, Scene
from tunesmith.contracts import Result
from tunesmith.data.examples import load_examples
from tunesmith.errors import RunError
from tunesmith.evaluate import stage
from tunesmith.evaluate.display import Display
from tunesmith.evaluate.record import find, read_record
from tunesmith.evaluate.sides import Models, sides
from tunesmith.evaluate.stage import evaluate
from tunesmith.evaluate.subject import Asking, ModelSubject, spoken
from tunesmith.tokenizer.encode import encode_example

SceneMaker = Callable[..., Scene]


def by_hand(model: PreTrainedModel | PeftModel, scene: Scene) -> tuple[float, float]:
    """Loss and token accuracy of the held-out rows, one row at a time with full logits."""
    nats = correct = tokens = 0.0
    coding = scene.ground.coding
    for example in load_examples(scene.run.path("data", "heldout.examples.jsonl")):
        for row in encode_example(
            example.content, coding.tokenizer, coding.template, train_on="all"
        ):
            ids = torch.tensor([row.ids])
            with torch.no_grad():
                logits = model(input_ids=ids).logits[0, :-1].float()
            targets = ids[0, 1:]
            trained = torch.tensor(row.weights[1:]) > 0
            losses = functional.cross_entropy(logits, targets, reduction="none")
            nats += float(losses[trained].sum())
            correct += float((logits.argmax(-1) == targets)[trained].sum())
            tokens += int(trained.sum())
    return nats / tokens, correct / tokens


def result(results: tuple[Result, ...], task: str, metric: str, part: str = "all") -> Result:
    found = find(results, task, metric, part)
    assert found is not None, (task, metric, part)
    return found


def test_measuring_gives_the_same_bits_twice_where_training_does(
    make_scene: SceneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[object] = []

    @contextmanager
    def deterministic(device: str, *, wanted: bool) -> Iterator[None]:
        order.append((device, wanted))
        yield
        order.append("free")

    def measured(models: Models, asking: Asking) -> Iterator[ModelSubject]:
        order.append("measured")
        yield from sides(models, asking)

    monkeypatch.setattr(stage, "deterministic", deterministic)
    monkeypatch.setattr(stage, "sides", measured)
    scene = make_scene(adapter=True)
    evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    assert order == [("cpu", True), "measured", "free"]


@pytest.mark.parametrize("adapter", [True, False], ids=["lora", "full"])
def test_figures_are_those_of_transformers(make_scene: SceneMaker, adapter: bool) -> None:
    scene = make_scene(adapter=adapter)
    record = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    loss = result(record.results, "heldout", "loss")
    accuracy = result(record.results, "heldout", "token_accuracy")
    base = AutoModelForCausalLM.from_pretrained(scene.base.path)
    assert (loss.base, accuracy.base) == pytest.approx(by_hand(base, scene), rel=1e-5)
    if adapter:
        tuned = PeftModel.from_pretrained(base, str(scene.run.path("model")))
    else:
        tuned = AutoModelForCausalLM.from_pretrained(scene.run.path("model"))
    assert (loss.tuned, accuracy.tuned) == pytest.approx(by_hand(tuned, scene), rel=1e-5)
    assert loss.base is not None and abs(loss.base - loss.tuned) > 0.01
    assert loss.difference == pytest.approx(loss.tuned - loss.base)
    perplexity = result(record.results, "heldout", "perplexity")
    assert perplexity.tuned == pytest.approx(math.exp(loss.tuned))
    assert loss.n == 12


def test_everything_is_written_and_read_back(make_scene: SceneMaker) -> None:
    scene = make_scene(max_rows=9)
    display = Recorder()
    record = evaluate(scene.recipe, scene.run, scene.ground, display=display)
    assert read_record(scene.run.path("evaluation.json")) == record
    assert {r.task for r in record.results} == {"answers", "heldout", "overfitting", "retention"}
    assert record.skipped == {
        "classification": "the answers do not look like labels",
        "preferences": "the rows are no pairs of answers",
    }
    assert record.settings["rows"] == record.settings["answered"] == 9
    assert all(one.n in (3, 9, 18) for one in record.results)
    assert len(record.generations) == 9
    assert {g.place for g in record.generations} == {
        row["place"] for row in read_rows(scene.run.path("evaluation", "rows.jsonl"), "answers")
    }
    assert all(
        set(g.scores) >= {"f1", "rouge_l", "chrf", "exact_match"} for g in record.generations
    )
    (gate,) = record.gates
    assert gate.passed and gate.value == result(record.results, "heldout", "loss").tuned
    assert any("at most 9 rows, greedy answers of at most 8 tokens" in x for x in display.lines)


def read_rows(path: Path, task: str) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [row for row in rows if row["task"] == task]


def test_measuring_again_gives_the_same(make_scene: SceneMaker) -> None:
    scene = make_scene()
    first = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    second = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    assert first.results == second.results and first.generations == second.generations


def test_labels_are_judged_by_probability_too(make_scene: SceneMaker) -> None:
    scene = make_scene(labels=True)
    record = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    likeliest = result(record.results, "classification", "likeliest_accuracy")
    assert likeliest.n == 12 and likeliest.base is not None
    assert record.confusion is not None
    assert record.confusion["labels"] == ["blue", "green", "red"]
    assert result(record.results, "classification", "accuracy").tuned <= 1


def test_without_held_out_rows_forgetting_is_still_measured(make_scene: SceneMaker) -> None:
    scene = make_scene(held_out=0)
    record = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    assert {r.task for r in record.results} == {"retention"}
    assert record.skipped["heldout"] == "no rows are held out"
    assert record.generations == ()
    assert result(record.results, "retention", "bits_per_byte").n == 3


def test_only_the_tasks_that_are_asked_for_run(make_scene: SceneMaker) -> None:
    scene = make_scene(tasks=("retention",))
    record = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    assert {r.task for r in record.results} == {"retention"}
    assert record.settings["answered"] == 0


def test_a_small_budget_answers_one_batch_of_the_same_questions(
    make_scene: SceneMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.evaluate.subject.BATCH", 5)
    scene = make_scene(budget=1e-6)
    display = Recorder()
    record = evaluate(scene.recipe, scene.run, scene.ground, display=display)
    assert record.settings["answered"] == 5
    assert result(record.results, "answers", "f1").n == 5
    assert result(record.results, "heldout", "loss").n == 12
    assert any("5 of 12 questions are answered" in line for line in display.lines)


def test_a_run_that_went_on_from_an_adapter_is_compared_with_that(make_scene: SceneMaker) -> None:
    scene = make_scene(tasks=("heldout",))
    raw = evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    base = scene.recipe.base.model_copy(update={"adapter": str(scene.run.path("model"))})
    recipe = scene.recipe.model_copy(update={"base": base})
    record = evaluate(recipe, scene.run, scene.ground, display=Recorder())
    loss, raw_loss = (result(one.results, "heldout", "loss") for one in (record, raw))
    assert loss.base == loss.tuned == raw_loss.tuned and raw_loss.base != raw_loss.tuned
    assert loss.p_value == 1 and loss.low == loss.high == 0


def test_reasoning_is_no_part_of_the_answer() -> None:
    assert spoken("<think>\n\n</think>\n\nYes. ") == "Yes."
    assert spoken("so 4</think>4") == "4"
    assert spoken(" <think>never ends") == "<think>never ends"


def test_a_run_without_a_model_says_how_to_continue(make_scene: SceneMaker) -> None:
    scene = make_scene()
    scene.run.path("model").rename(scene.run.path("elsewhere"))
    with pytest.raises(RunError, match="no trained model yet"):
        evaluate(scene.recipe, scene.run, scene.ground, display=Recorder())
    assert not scene.run.path("evaluation.json").exists()


def test_progress_goes_to_the_stream_in_plain_lines(make_scene: SceneMaker) -> None:
    scene = make_scene()
    stream = io.StringIO()
    evaluate(scene.recipe, scene.run, scene.ground, display=Display(stream))
    text = stream.getvalue()
    assert "base: held out  12/12" in text and "tuned: answers  12/12" in text
    assert "\x1b" not in text
