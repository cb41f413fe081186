"""Medians, ratios, agreement and the page, from runs that are made up."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.contestants import EVERY, PEERS, PRODUCT, extra, why_not
from benchmarks.table import COLUMNS, section, share_of, summarise
from benchmarks.task import Task

TASK = Task(
    name="rows.jsonl sft lora", base="models/tiny", method="sft", adapter="lora", steps=2,
    rows_per_step=8, longest=64, data="", tokens="", held_out="", start="", words=True,
    chatml=True, useful=1000, trained=400,
)  # fmt: skip
LIMIT = {
    "weights": 6_000_000,
    "body": {"lora": 1e11},
    "head": {"lora": 1e11},
    "rows_alone": {"tokens": 990, "operations": 1e9, "seconds": 0.1, "useful_per_s": 2000.0},
    "prefixes_shared": {"tokens": 500, "operations": 6e8, "seconds": 0.1, "useful_per_s": 4000.0},
}


def ran(name: str, wall: float, peak: float, **more: Any) -> dict[str, Any]:
    return {
        "contestant": name, "round": 1, "wall_train": wall, "wall_process": 2 * wall,
        "peak_gib": peak, "steps": 2, "loss_first": 2.0, "loss_last": 1.0, "eval_loss": 1.5, **more,
    }  # fmt: skip


RUNS = [
    ran("tunesmith", 1.0, 1.5),
    ran("trl-accum", 4.0, 1.0),
    ran("trl-padded", 2.0, 3.0),
    ran("tunesmith", 3.0, 1.7),
    ran("tunesmith", 1.25, 1.6),
]


def test_medians_ratios_and_shares() -> None:
    ours, accum, padded = summarise(TASK, RUNS)
    assert [ours["name"], accum["name"], padded["name"]] == ["tunesmith", "trl-accum", "trl-padded"]
    assert ours["rounds"] == 3
    assert ours["wall_train"] == 1.25
    assert ours["wall_train_range"] == [1.0, 3.0]
    assert ours["useful_per_s"] == pytest.approx(800)
    assert ours["ratio_train"] == pytest.approx(800 / 500)
    assert ours["ratio_process"] == pytest.approx(4.0 / 2.5)
    assert ours["ratio_memory"] == pytest.approx(1.6)
    assert accum["ratio_memory"] == 1
    assert padded["ratio_train"] == 1
    assert share_of(ours, LIMIT, "rows_alone") == pytest.approx(0.4)
    assert share_of(ours, LIMIT, "prefixes_shared") == pytest.approx(0.2)


def test_the_product_is_never_its_own_peer() -> None:
    runs = [ran("tunesmith", 1.0, 1.0), ran("tunesmith-unshared", 0.5, 0.5)]
    assert all("ratio_train" not in entry for entry in summarise(TASK, runs))


def test_another_result_is_noticed() -> None:
    def verdict(**more: Any) -> str:
        found = summarise(TASK, [ran("trl-accum", 1, 1), ran("tunesmith", 1, 1, **more)])
        return found[1]["same_work"]

    assert verdict() == "yes"
    assert verdict(loss_first=2.000009, eval_loss=1.50009) == "yes"
    assert verdict(loss_first=2.00002).startswith("differs: first loss by")
    assert verdict(eval_loss=1.4998).startswith("differs: held-out loss by")
    packed = [ran("trl-packing", 1, 1, loss_first=9.0), ran("trl-accum", 1, 1)]
    assert [one["same_work"] for one in summarise(TASK, packed)] == ["own batches", "yes"]


def test_the_section_shows_everybody() -> None:
    runs = [RUNS[0] | {"others_busy": 1.0}, *RUNS[1:]]
    runs += [{"contestant": "plain-accum", "round": 1, "error": "exit code 1: killed"}]
    page = section(TASK, summarise(TASK, runs), LIMIT)
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in rows} == {len(COLUMNS) + 1}
    assert "| tunesmith | 1.25 | 1.00 to 3.00 | 800 | 1.60 |" in page
    assert "| 40% | 20% |" in page
    assert "- plain-accum: exit code 1: killed" in page
    assert "other work to do during rounds of tunesmith." in page


def test_no_limit_no_share() -> None:
    page = section(TASK, summarise(TASK, RUNS), None)
    assert "Arithmetic limit" not in page
    assert page.splitlines()[-1].endswith("|  |  |")


def test_settings_of_ones_own() -> None:
    one = extra("lean:train.tokens_per_forest=512,base.precision=fp32")
    assert one.name == "tunesmith-lean"
    assert one.is_product
    assert one.settings == ("train.tokens_per_forest=512", "base.precision=fp32")
    with pytest.raises(ValueError, match="NAME:key=value"):
        extra("train.steps=1")


def test_who_takes_part() -> None:
    assert all(not why_not(one, TASK, None) for one in PRODUCT)
    assert why_not(EVERY["llamafactory-accum"], TASK, None).startswith("no environment")
    preferences = Task(**{**{key: getattr(TASK, key) for key in TASK.__slots__}, "method": "dpo"})
    assert "no dpo" in why_not(EVERY["trl-packing"], preferences, None)
    assert {one.module for one in PEERS} == {"trl_trainer", "llamafactory", "plain"}
