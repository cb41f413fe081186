"""A step that does not fit is repeated in smaller forests, also by a run that resumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from tunesmith.contracts import Scores, TokenRow
from tunesmith.data.forest import Forest
from tunesmith.errors import Place, ResourceError
from tunesmith.models.score import forest_scores
from tunesmith.runs import Run
from tunesmith.train import metrics, stage
from tunesmith.train.room import Room, longest_example

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

Digest = Callable[[Run], str]
FROM_STEP = 5


class Device:
    """Scores forests of at most `room` tokens while it trains, from some step on."""

    def __init__(self, run: Run, room: int) -> None:
        self.run, self.room = run, room
        self.refused = 0

    def __call__(self, model: torch.nn.Module, forest: Forest, **named: object) -> Scores:
        scores: Scores = forest_scores(model, forest, **named)  # type: ignore[arg-type]
        made = len(list(metrics.read(self.run.path("metrics.jsonl"))))
        if torch.is_grad_enabled() and made + 1 >= FROM_STEP and forest.ids_S.size > self.room:
            self.refused += 1
            # What has been added to the gradients by now must not count twice.
            scores.logprobs_N.sum().backward()
            raise torch.OutOfMemoryError("CUDA out of memory")
        return scores


def test_a_step_that_does_not_fit_is_repeated(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = workshop.new_run("room-plain")
    workshop.train(plain, workshop.recipe())
    device = Device(new_run, 34)
    monkeypatch.setattr(stage, "forest_scores", device)
    workshop.train(new_run, workshop.recipe())
    (event,) = new_run.events.read("forest_halved")
    assert (event["tokens_per_forest"], event["before"]) == (32, 64)
    assert int(str(event["step"])) >= FROM_STEP
    assert device.refused == 1, "later steps begin with the smaller forests"
    found, wanted = (list(metrics.read(run.path("metrics.jsonl"))) for run in (new_run, plain))
    assert [one.loss for one in found] == pytest.approx([one.loss for one in wanted], rel=1e-5)
    assert [one.gradient_norm for one in found] == pytest.approx(
        [one.gradient_norm for one in wanted], rel=1e-4
    )


def test_a_run_that_resumes_halves_where_it_did(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch, digest_of: Digest
) -> None:
    device = Device(new_run, 34)
    monkeypatch.setattr(stage, "forest_scores", device)
    workshop.train(new_run, workshop.recipe())
    digest = digest_of(new_run)
    # Back to the last checkpoint but one, with a device that has room now.
    *_, last = sorted(new_run.path("checkpoints").glob("step-*"), key=lambda path: path.name)
    monkeypatch.setattr(stage, "forest_scores", forest_scores)
    for path in new_run.path("checkpoints").glob("step-*"):
        if path.name != min(last.name, "step-12"):
            for file in path.iterdir():
                file.unlink()
            path.rmdir()
    told: list[str] = []
    workshop.train(new_run, workshop.recipe(), told=told)
    assert any("resuming from step" in line for line in told)
    assert digest_of(new_run) == digest
    assert len(new_run.events.read("forest_halved")) == 1


def test_a_row_that_does_not_fit_alone_is_an_error(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "forest_scores", Device(new_run, 0))
    with pytest.raises(ResourceError, match=f"not enough memory in step {FROM_STEP}"):
        workshop.train(new_run, workshop.recipe())
    tokens = [
        int(str(event["tokens_per_forest"])) for event in new_run.events.read("forest_halved")
    ]
    assert tokens == sorted(tokens, reverse=True) and tokens, "halved as long as that was possible"


def test_room_is_what_it_was(new_run: Run) -> None:
    room = Room(100, new_run)
    assert room.halve(3, 30) == 50
    assert room.halve(5, 30) == 30
    assert room.halve(5, 30) is None
    for same in (room, Room(100, new_run)):
        assert [same.at(step) for step in (2, 3, 4, 5, 9)] == [100, 50, 50, 30, 30]
    assert Room(40, new_run).at(4) == 40, "fewer were chosen since"


def test_pairs_stay_together() -> None:
    rows = [
        TokenRow(
            ids_T=np.zeros(size, dtype=np.int32),
            weights_T=np.ones(size, dtype=np.float32),
            place=Place(file="rows.jsonl"),
            digest="",
        )
        for size in (3, 4, 6, 2)
    ]
    assert longest_example(rows, 1) == 6
    assert longest_example(rows, 2) == 8
    assert longest_example([], 1) == 0
