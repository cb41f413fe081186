"""What the GPU benchmarks compare: the same steps, whoever does them, on a CPU and small."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.gpu import padded, race, run, trl_peer
from benchmarks.gpu.ours import product
from benchmarks.gpu.part import Part
from benchmarks.gpu.race import Ready, Steps, Tell
from benchmarks.gpu.rows import RowSet, row_sets
from benchmarks.gpu.shapes import Case, base_of, case_of, put_start, trained_weights
from benchmarks.gpu.speed import contestants
from peft import get_peft_model, inject_adapter_in_model

from tunesmith.contracts import TokenRow
from tunesmith.errors import Place


def small(shape: str = "llama-8b", adapter: str = "lora") -> Case:
    return case_of(Part(words=(shape, adapter), tiny=True, device="cpu"))


def losses(ready: Ready, case: Case, rows: RowSet) -> list[float]:
    return race.lap_of(ready.steps, case, rows, race.room_of(case)).losses


def apart(found: Sequence[float], wanted: Sequence[float]) -> float:
    return max(abs(one - other) / other for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("shape", "adapter", "kinds"),
    [
        ("llama-8b", "lora", ("own", "shared", "bench")),
        ("qwen3-8b", "lora", ("shared",)),
        ("llama-1b", "full", ("shared",)),
    ],
)
def test_losses_are_those_of_transformers(shape: str, adapter: str, kinds: tuple[str, ...]) -> None:
    case = small(shape, adapter)
    plain, ours = padded.transformers(case), product(case)
    for rows in [one for one in row_sets(case)[0] if one.name in kinds]:
        wanted = losses(plain, case, rows)
        assert apart(losses(ours, case, rows), wanted) < 2e-6, rows.name
        assert len(set(wanted)) == len(rows.steps)


def test_a_wrong_step_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate that is wrong by 1 % makes losses that are further apart than may be."""
    case = small()
    rows = row_sets(case)[0][0]
    wanted = losses(padded.transformers(case), case, rows)
    ours = product(case)
    monkeypatch.setitem(race.RATES, "lora", 1.01 * race.RATES["lora"])
    assert apart(losses(ours, case, rows), wanted) > run.LIMITS["float32"]


def test_layers_as_they_came() -> None:
    case = small()
    stock, fused = product(case, fused=False), product(case)
    assert "fused" not in stock.note
    assert "2 layers fused" in fused.note
    rows = row_sets(case)[0][1]
    assert apart(losses(stock, case, rows), losses(fused, case, rows)) < 2e-6


def test_losses_in_bf16() -> None:
    case = replace(small(), dtype=torch.bfloat16)
    rows = row_sets(case)[0][1]
    wanted = losses(padded.transformers(case), case, rows)
    assert apart(losses(product(case), case, rows), wanted) < 1e-3


@pytest.mark.skipif(bool(trl_peer.missing()), reason=f"absent: {trl_peer.missing()}")
def test_losses_of_trl() -> None:
    case = small()
    rows = row_sets(case)[0][1]
    wanted = losses(padded.transformers(case), case, rows)
    flat = race.lap_of(trl_peer.trl(case, "flat").steps, case, rows, race.room_of(case))
    assert apart(flat.losses, wanted) < 2e-6
    assert sum(flat.tokens[rows.warm :]) == rows.tokens


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="no bitsandbytes")
def test_losses_on_four_bits() -> None:
    case = small()
    rows = row_sets(case)[0][0]
    wanted = losses(padded.transformers(case, nf4=True), case, rows)
    assert apart(losses(product(case, quantize="nf4"), case, rows), wanted) < 2e-5


def test_all_begin_with_the_same_adapter() -> None:
    case = small()
    plain = get_peft_model(base_of(case), padded.lora_config())
    inner = base_of(case)
    inject_adapter_in_model(padded.lora_config(), inner)  # its weights have other names
    found = []
    for model in (plain, inner):
        put_start(model, case)
        found.append([weight for _, weight in trained_weights(model)])
    assert {name for name, _ in trained_weights(plain)}.isdisjoint(
        name for name, _ in trained_weights(inner)
    )
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    for name, weight in trained_weights(plain):
        assert bool(weight.any()) is ("lora_A" in name)
        assert float(weight.detach().abs().max()) <= weight.shape[1] ** -0.5
    assert len({float(weight.detach()[0, 0]) for weight in found[0] if weight.any()}) == 14


def token_row(size: int) -> TokenRow:
    ones = np.ones(size)
    return TokenRow(
        ids_T=ones.astype(np.int32),
        weights_T=ones.astype(np.float32),
        place=Place(file="rows"),
        digest="",
    )


def test_padded_batches_have_room() -> None:
    sizes = [3, 9, 4, 10, 2]
    made = padded.batches([token_row(size) for size in sizes], 20)
    assert [[row.ids_T.size for row in batch] for batch in made] == [[10, 9], [4, 3, 2]]
    (alone,) = padded.batches([token_row(30)], 20)
    assert len(alone) == 1


def limited(most: int, log: list[int]) -> Steps:
    def steps(rows: Sequence[Sequence[TokenRow]], room: int, tell: Tell) -> None:
        log.append(room)
        for number, _ in enumerate(rows):
            if room > most and number == 1:
                raise torch.cuda.OutOfMemoryError
            tell(1.0, 10)

    return steps


@pytest.mark.parametrize(("most", "tried"), [(100, [100]), (40, [100, 50, 25])])
def test_memory_decides_how_much_is_done_at_once(most: int, tried: list[int]) -> None:
    log: list[int] = []
    rows = RowSet(name="own", steps=[[token_row(25)]] * 4)
    lap = race.lap_of(limited(most, log), small(), rows, 100)
    assert (log, lap.room) == (tried, tried[-1])
    assert (lap.losses, lap.tokens, len(lap.seconds)) == ([1.0] * 4, [10] * 4, 4)


def test_what_does_not_fit_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    rows = RowSet(name="own", steps=[[token_row(26)]] * 4)
    large = race.Contestant(name="large", prepare=lambda: Ready(steps=limited(10, [])))
    race.run(large, small(), [rows], 100)
    assert '"skipped": "out of memory"' in capsys.readouterr().out


def test_every_contestant_is_there() -> None:
    names = [one.name for one in contestants(small())]
    assert names[:2] == ["transformers", "tunesmith"], "the reference, and what is measured"
    for word in ("unshared", "stock", "fp8", "nf4", "flat", "packed", "padded", "bf16"):
        assert any(word in name for name in names)
    full = [one.name for one in contestants(small(adapter="full"))]
    assert not any(word in name for name in full for word in ("fp8", "nf4", "bf16"))


def line(contestant: str, tokens: float, found: list[float], base: str) -> dict[str, object]:
    place = {"model": "m", "trained": "lora", "rows": "own"}
    own = {"contestant": contestant, "tokens_per_s": tokens, "losses": found, "base": base}
    return {**place, **own, "share": 0.5, "gib": 2.0, "ok": True, "same_steps": True}


def test_losses_are_laid_over_one_another() -> None:
    lines = [
        line("transformers", 100, [2.0, 1.0], "bfloat16"),
        line("tunesmith", 150, [2.0, 1.02], "bfloat16"),
        line("tunesmith-fp8", 300, [2.0, 1.015], "fp8"),
        line("trl-packed", 120, [9.0, 9.0], "bfloat16") | {"same_steps": False},
        line("tunesmith-nf4", 90, [2.0, float("nan")], "nf4"),
        line("transformers-nf4", 60, [2.0, 1.0], "nf4"),
    ]
    run.lay_over([{"part": "speed", "lines": lines}])
    assert [one["ok"] for one in lines] == [True, False, True, True, False, True]
    assert lines[1]["apart"] == pytest.approx(0.02)
    assert "apart" not in lines[3]
    shown = [run.shown_of(one, lines) for one in lines]
    assert [one["times the fastest peer"] for one in shown] == [
        pytest.approx(value) for value in (100 / 120, 1.25, 2.5, 1.0, 1.5, 1.0)
    ]
    page = "\n".join(run.side_by_side(lines))
    assert "| 2 | 1.000000 | 1.020000 | 1.015000 | nan | 1.000000 |" in page
