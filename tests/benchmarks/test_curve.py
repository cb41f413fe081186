"""The loss curves: their distances by hand, and the command on a tiny model."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from benchmarks.curve import arguments, differences, draw, gaps_of, page_of

from tests.benchmarks.test_benchmark import run_module, write_messages, write_model

CURVES = {
    "tunesmith": [4.0, 2.0, 1.0],
    "tunesmith-unshared": [4.0, 2.0, 1.5],
    "trl-accum": [4.0, 2.5, 1.0],
}


def test_distances_by_hand() -> None:
    assert differences([1.0, 3.0], [2.0, 2.0]) == [0.5, 0.5]
    shared, with_peer, unshared = gaps_of(CURVES)
    assert (shared.one, shared.other) == ("tunesmith", "tunesmith-unshared")
    assert (shared.largest, shared.step, shared.median) == (pytest.approx(1 / 3), 3, 0.0)
    assert (with_peer.largest, with_peer.step) == (pytest.approx(0.2), 2)
    assert (unshared.largest, unshared.step, unshared.median) == (0.5, 3, pytest.approx(0.2))
    assert "| tunesmith-unshared, trl-accum | 5.00e-01 | 3 |" in page_of(CURVES, gaps_of(CURVES))


def test_the_picture_holds_every_step() -> None:
    above, below = draw(CURVES, "trl-accum", "by hand").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in above.lines}
    assert drawn == CURVES
    apart = {line.get_label(): list(line.get_ydata()) for line in below.lines}
    assert set(apart) - {"one fp32 step (2^-23)"} == {"tunesmith", "tunesmith-unshared"}
    assert [math.isnan(gap) for gap in apart["tunesmith"]] == [True, False, True]
    assert apart["tunesmith-unshared"][1:] == [pytest.approx(0.2), pytest.approx(0.5)]


def run_curve(tmp_path: Path, peer: str) -> dict[str, list[float]]:
    write_model(tmp_path / "model")
    write_messages(tmp_path / "rows.jsonl", 6)
    rows = ["--data", str(tmp_path / "rows.jsonl"), "--rows-per-step", "3", "--steps", "2"]
    where = ["--base", str(tmp_path / "model"), "--out", str(tmp_path / "out")]
    page = run_module(
        ["benchmarks.curve", *where, *rows, "--rate", "0.02", "--peer", peer], tmp_path
    )
    assert f"| tunesmith, {peer} |" in page
    assert (tmp_path / "out" / "curve.png").read_bytes().startswith(b"\x89PNG")
    kept = json.loads((tmp_path / "out" / "curve.json").read_text())
    assert kept["task"]["rate"] == 0.02
    assert max(gap["largest"] for gap in kept["gaps"]) < 1e-5
    losses: dict[str, list[float]] = kept["losses"]
    assert list(losses) == ["tunesmith", "tunesmith-unshared", peer]
    assert all(len(curve) == 2 and curve[1] < curve[0] for curve in losses.values())
    return losses


def test_beside_a_plain_loop(tmp_path: Path) -> None:
    run_curve(tmp_path, "plain-accum")


@pytest.mark.slow
def test_beside_trl(tmp_path: Path) -> None:
    run_curve(tmp_path, "trl-accum")


def test_help_names_every_option() -> None:
    text = arguments().format_help()
    assert all(name in text for name in ("--steps", "--rate", "--peer", "--adapter", "curve.png"))
