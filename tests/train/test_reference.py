"""The reference: computed once, found again, made again where damaged, extended with the run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from tests.models.tiny import CONFIGS, VOCABULARY, tiny_model

from tunesmith.contracts import Scores, TokenRow
from tunesmith.data.forest import Forest, Packing
from tunesmith.errors import Place
from tunesmith.models.attention import enable_forest
from tunesmith.models.score import forest_scores
from tunesmith.runs import Run
from tunesmith.train import metrics, reference
from tunesmith.train.reference import Reference, of_held_out, of_steps
from tunesmith.train.steps import StepRows

if TYPE_CHECKING:
    from tests.train.conftest import Killable, Workshop

Digest = Callable[[Run], str]


class Made:
    """Rows that follow from their number; pairs share a prompt."""

    def __len__(self) -> int:
        return 40

    def row(self, index: int) -> TokenRow:
        prompt = np.random.default_rng(index // 2).integers(3, VOCABULARY, 20)
        answer = np.random.default_rng(1000 + index).integers(3, VOCABULARY, 3 + index % 5)
        weights = np.array([0.0] * 20 + [1.0] * answer.size, dtype=np.float32)
        return TokenRow(
            ids_T=np.concatenate([prompt, answer]).astype(np.int32),
            weights_T=weights,
            place=Place(file="pairs", line=index // 2 + 1),
            digest="",
        )


class Counting:
    """The scores of a tiny model, and how many trained tokens were asked for."""

    def __init__(self) -> None:
        self.model = tiny_model(CONFIGS["llama"])
        self.support = enable_forest(self.model)
        self.tokens = 0

    def __call__(self, forest: Forest) -> Scores:
        self.tokens += forest.target_ids_N.size
        return forest_scores(self.model, forest, support=self.support)


def begin(folder: Path, scores: Counting) -> Reference:
    packing = Packing(tokens_per_forest=120, rows_together=2)
    return Reference(folder=folder, scores=scores, packing=packing, say=lambda line: None)


def steps() -> StepRows:
    order = lambda epoch: np.random.default_rng([7, epoch]).permutation(20)  # noqa: E731
    return StepRows(Made(), order, 3, 2)


def of(folder: Path, total: int, scores: Counting) -> list[np.ndarray | None]:
    known = of_steps(begin(folder, scores), Made(), steps(), total)
    return [known.row(index).reference_T for index in range(40)]


def same(one: list[np.ndarray | None], other: list[np.ndarray | None]) -> bool:
    return all(
        (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b))
        for a, b in zip(one, other, strict=True)
    )


@pytest.fixture(scope="module")
def scores() -> Counting:
    torch.set_num_threads(1)
    return Counting()


def test_each_row_has_what_it_has_alone(scores: Counting, tmp_path: Path) -> None:
    rows, plain = Made(), tiny_model(CONFIGS["llama"])
    for index, found in enumerate(of(tmp_path, 7, scores)):
        row = rows.row(index)
        ids = torch.from_numpy(row.ids_T.astype(np.int64))[None]
        with torch.no_grad():
            logprobs = plain(input_ids=ids).logits[0].float().log_softmax(-1)
        alone = logprobs[:-1].gather(1, ids[0, 1:, None])[:, 0].numpy()
        assert found is not None
        np.testing.assert_allclose(found[20:], alone[19:], rtol=1e-5, atol=1e-6)
        assert not found[:20].any()


def test_only_the_rows_that_steps_have_are_computed(scores: Counting, tmp_path: Path) -> None:
    visited = {index for step in (1, 2) for index in steps().indices(step)}
    found = of(tmp_path, 2, scores)
    assert {index for index, row in enumerate(found) if row is not None} == visited


def test_what_is_kept_is_not_computed_again(scores: Counting, tmp_path: Path) -> None:
    first = of(tmp_path, 7, scores)
    before = scores.tokens
    assert same(of(tmp_path, 7, scores), first)
    assert scores.tokens == before


@pytest.mark.parametrize("piece", [2, 256])
def test_a_longer_run_adds_and_changes_nothing(
    scores: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(reference, "PIECE", piece)
    short = of(tmp_path / "a", 3, scores)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    long = of(tmp_path / "a", 7, scores)
    assert all(
        np.array_equal(one, other)
        for one, other in zip(short, long, strict=True)
        if one is not None and other is not None
    )
    assert all((tmp_path / "a" / name).read_bytes() == data for name, data in kept.items())
    assert same(of(tmp_path / "b", 7, scores), long)


@pytest.mark.parametrize("harm", ["flip", "cut", "no stamp", "no values", "stamp"])
def test_damage_is_noticed_and_made_good(scores: Counting, tmp_path: Path, harm: str) -> None:
    of(tmp_path, 3, scores)
    first = of(tmp_path, 7, scores)
    path = tmp_path / "0-3.bin"
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-5] ^= 1
        path.write_bytes(data)
    elif harm == "cut":
        path.write_bytes(data[:-4])
    elif harm == "no values":
        path.unlink()
    elif harm == "no stamp":
        path.with_suffix(".json").unlink()
    else:
        path.with_suffix(".json").write_text("{")
    before = scores.tokens
    assert same(of(tmp_path, 7, scores), first)
    assert scores.tokens > before


def test_held_out_rows_are_kept_too(scores: Counting, tmp_path: Path) -> None:
    rows = [Made().row(index) for index in range(6)]
    first = of_held_out(begin(tmp_path, scores), rows)
    before = scores.tokens
    again = of_held_out(begin(tmp_path, scores), rows)
    assert scores.tokens == before
    assert same([row.reference_T for row in first], [row.reference_T for row in again])


def test_other_decisions_have_another_place(tmp_path: Path) -> None:
    one = reference.folder_of(tmp_path, {"base": "a", "seed": 0})
    assert one == reference.folder_of(tmp_path, {"seed": 0, "base": "a"})
    assert one != reference.folder_of(tmp_path, {"base": "b", "seed": 0})


@pytest.fixture(scope="module")
def unbroken(workshop: Workshop, killable: Killable) -> Run:
    run = workshop.new_run("dpo-unbroken")
    assert killable.train(run, method="dpo") == 0
    return run


def lines(run: Run) -> list[object]:
    return [replace(record, seconds=0) for record in metrics.read(run.path("metrics.jsonl"))]


def test_pairs_are_learned(unbroken: Run) -> None:
    losses = [event["held_out_loss"] for event in unbroken.events.read("evaluated")]
    assert losses[0] == pytest.approx(np.log(2), abs=1e-6)
    assert min(losses) < losses[0] - 0.01  # type: ignore[operator, type-var]


@pytest.mark.parametrize(
    ("point", "number"),
    [("write", 1), ("write", 2), ("rename", 3), ("fsync", 3), ("step", 1), ("step", 9)],
)
def test_killed_and_resumed_is_unbroken(
    workshop: Workshop,
    killable: Killable,
    unbroken: Run,
    digest_of: Digest,
    point: str,
    number: int,
) -> None:
    run = workshop.new_run(f"dpo-killed-{point}-{number}")
    assert killable.train(run, f"{point}:{number}:kill", method="dpo") == -signal.SIGKILL
    assert killable.train(run, method="dpo") == 0
    assert digest_of(run) == digest_of(unbroken)
    assert lines(run) == lines(unbroken)


def test_a_lost_reference_is_made_again_on_resume(
    workshop: Workshop, killable: Killable, unbroken: Run, digest_of: Digest
) -> None:
    run = workshop.new_run("dpo-lost")
    assert killable.train(run, "step:9:kill", method="dpo") == -signal.SIGKILL
    for path in run.path("data", "reference").rglob("*.bin"):
        path.write_bytes(path.read_bytes()[:-4] + b"oops")
    assert killable.train(run, method="dpo") == 0
    assert digest_of(run) == digest_of(unbroken)


def test_a_longer_dpo_run_goes_on(
    workshop: Workshop, killable: Killable, digest_of: Digest
) -> None:
    extended, at_once = workshop.new_run("dpo-extended"), workshop.new_run("dpo-at-once")
    assert killable.train(extended, method="dpo", steps=4, schedule="constant", warmup=0) == 0
    assert killable.train(extended, method="dpo", steps=9, schedule="constant", warmup=0) == 0
    assert killable.train(at_once, method="dpo", steps=9, schedule="constant", warmup=0) == 0
    assert lines(extended) == lines(at_once)
    assert digest_of(extended) == digest_of(at_once)
