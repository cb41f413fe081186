"""Rows and models that do not fit one another: refused by name, or computed the slow way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.train.test_stage import losses
from transformers import FalconConfig, FalconForCausalLM

from tunesmith.data.store import PackedRow, PackedRows, open_packed, write_packed
from tunesmith.errors import DataError
from tunesmith.runs import Run
from tunesmith.train.stage import Material

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

VOCABULARY = 258
Change = Callable[[NDArray[np.int32], NDArray[np.float32]], None]


def changed(folder: Path, rows: PackedRows, bad: int, change: Change) -> PackedRows:
    """The rows, of which one is another."""

    def one(number: int) -> PackedRow:
        row = rows.row(number)
        ids_T, weights_T = row.ids_T.copy(), row.weights_T.copy()
        if number == bad:
            change(ids_T, weights_T)
        return PackedRow(row=replace(row, ids_T=ids_T, weights_T=weights_T))

    write_packed(folder, [one(number) for number in range(len(rows))])
    return open_packed(folder)


def beyond(ids_T: NDArray[np.int32], weights_T: NDArray[np.float32]) -> None:
    ids_T[2] = VOCABULARY


def negative(ids_T: NDArray[np.int32], weights_T: NDArray[np.float32]) -> None:
    weights_T[-1] = -1


def nan(ids_T: NDArray[np.int32], weights_T: NDArray[np.float32]) -> None:
    weights_T[-1] = np.nan


def leading(ids_T: NDArray[np.int32], weights_T: NDArray[np.float32]) -> None:
    weights_T[0] = 1


def in_training(material: Material, folder: Path, change: Change) -> Material:
    return replace(material, rows=changed(folder, material.rows, 17, change))


def in_held_out(material: Material, folder: Path, change: Change) -> Material:
    assert material.held_out is not None
    return replace(material, held_out=changed(folder, material.held_out, 5, change))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (beyond, f"token 3 of the row has id {VOCABULARY}, but the model has only {VOCABULARY} "),
        (negative, "has the weight -1.0"),
        (nan, "has the weight nan"),
        (leading, "the first token is trained"),
    ],
)
@pytest.mark.parametrize(
    ("put", "place"), [(in_training, "rows.jsonl:18"), (in_held_out, "rows.jsonl:1006")]
)
def test_rows_that_cannot_be_learnt_are_named_before_the_model_is_loaded(
    workshop: Workshop,
    new_run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    says: str,
    put: Callable[[Material, Path, Change], Material],
    place: str,
) -> None:
    monkeypatch.setattr(
        "tunesmith.train.trainee.load_model", lambda *_, **__: pytest.fail("loaded")
    )
    material = put(workshop.material(), tmp_path / "rows", change)
    with pytest.raises(DataError, match=says) as caught:
        workshop.train(new_run, workshop.recipe(), material=material)
    assert str(caught.value.place) == place
    assert caught.value.exit_code == 2
    assert not new_run.path("metrics.jsonl").exists()


def test_rows_longer_than_the_room_are_trained_the_same(workshop: Workshop) -> None:
    curves = []
    for room in (8, 1024):
        run = workshop.new_run(f"room-{room}")
        workshop.train(run, workshop.recipe(tokens_per_forest=room, steps=4))
        curves.append(losses(run))
    assert max(workshop.material().rows.lengths) > 12
    assert curves[0] == pytest.approx(curves[1], rel=1e-5)


def test_a_model_outside_the_attention_interface_says_so_once_and_trains(
    workshop: Workshop, new_run: Run, tmp_path: Path
) -> None:
    base = tmp_path / "falcon"
    shutil.copytree(workshop.folder / "base", base, ignore=shutil.ignore_patterns("*.safetensors"))
    torch.manual_seed(0)
    FalconForCausalLM(
        FalconConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            alibi=False, bos_token_id=0, eos_token_id=1,
        )
    ).save_pretrained(base)  # fmt: skip
    told: list[str] = []
    record = workshop.train(
        new_run, workshop.recipe(steps=6), material=workshop.material(base=base), told=told
    )
    says = "one row at a time: its attention is outside Transformers' attention interface"
    assert [line for line in told if "row" in line] == [says]
    assert record.forest == says
    curve = losses(new_run)
    assert curve[-1] < curve[0]
