"""What waits for a GPU runs end to end on a CPU, small."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from benchmarks.gpu import run, unsloth_peer
from benchmarks.gpu.part import Part
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, PreTrainedModel

ROOT = Path(__file__).parents[2]


def run_tiny(folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu" / "run.py"), "--tiny", *more]
    done = subprocess.run(
        [*command, "--out", str(folder)],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "gpu.json").read_text())
    return {result["part"]: result for result in results}


def check(result: dict[str, Any]) -> None:
    assert "error" not in result, result
    assert result["lines"]
    wrong = [line for line in result["lines"] if line.get("ok") is False]
    assert not wrong


def test_a_few_parts(tmp_path: Path) -> None:
    check(run_tiny(tmp_path, "--only", "machine")["machine"])
    results = run_tiny(tmp_path, "--only", "exact llama qwen3")
    assert list(results) == ["machine", "exact llama qwen3"], "what was found before is kept"
    found = results["exact llama qwen3"]
    check(found)
    assert {"float32", "bfloat16"} == {line["precision"] for line in found["lines"]}
    assert "| NO |" not in (tmp_path / "gpu.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_part(tmp_path: Path) -> None:
    results = run_tiny(tmp_path, "--budget", "1400")
    assert list(results) == [part.name for part in run.parts()]
    for result in results.values():
        check(result)
    lines = results["speed llama-8b full"]["lines"]
    raced = [line for line in lines if "losses" in line]
    assert {line["rows"] for line in raced} >= {"own", "shared"}
    for line in raced:
        assert 0 < line["share"] < 1
        assert line["apart"] < 1e-5 if line["same_steps"] else "apart" not in line
    assert "## llama-8b, full, rows: own" in (tmp_path / "gpu.md").read_text()


def test_what_is_right_comes_before_what_is_fast() -> None:
    found = run.parts()
    modules = [part.module for part in found]
    assert modules.index("speed") > max(
        place for place, module in enumerate(modules) if module in ("exact", "behaviour")
    )
    assert [part.name.split()[0] for part in found[:5]] == ["machine", *["exact"] * 3, "nf4"]
    assert len({part.name for part in found}) == len(found)


def test_a_part_that_fails_or_hangs_does_not_end_the_rest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [
        run.Part(name="broken", module="absent", arguments=(), seconds=60, call=1),
        run.Part(name="slow", module="machine", arguments=(), seconds=0.05, call=1),
        run.Part(name="late", module="machine", arguments=(), seconds=60, call=1),
    ]
    monkeypatch.setattr(run, "parts", lambda: broken)
    monkeypatch.setattr(run, "LEAST", 30.0)
    clock = iter([0.0, 0.0, 0.0, 1.0, 10.0, 10.0, 20.0, 90.0])
    monkeypatch.setattr(run.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "argv", ["run.py", "--out", str(tmp_path), "--budget", "100"])
    run.main()
    results = {result["part"]: result for result in json.loads((tmp_path / "gpu.json").read_text())}
    assert "No module named" in results["broken"]["error"]
    assert results["slow"]["error"] == "stopped after 0 seconds"
    assert results["late"]["skipped"] == "the time is up"
    assert "## late: skipped: the time is up" in capfd.readouterr().out


def test_unsloth_is_asked_for_the_same_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a stand-in for its package, which needs a GPU."""
    asked: dict[str, object] = {}

    class FastLanguageModel:
        @staticmethod
        def from_pretrained(model_name: str, **options: object) -> tuple[object, None]:
            asked.update(options)
            return AutoModelForCausalLM.from_pretrained(model_name, dtype=torch.bfloat16), None

        @staticmethod
        def get_peft_model(model: PreTrainedModel, **options: object) -> object:
            asked.update(options)
            names = ("r", "lora_alpha", "lora_dropout", "bias", "target_modules")
            chosen = {name: options[name] for name in names}
            return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **chosen))

    stand_in = ModuleType("unsloth")
    stand_in.FastLanguageModel = FastLanguageModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "unsloth", stand_in)
    part = Part(words=("llama-8b", "lora"), tiny=True, device="cpu")
    unsloth_peer.measure_unsloth(part, tmp_path)
    lines = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert {line["rows"] for line in lines} >= {"own", "shared"}
    for line in lines:
        assert line["ok"], line
        assert line["losses"][0] == pytest.approx(9.03, abs=0.05), "the loss of random weights"
    assert (asked["r"], asked["lora_alpha"], asked["load_in_4bit"]) == (16, 32, False)


def test_tables() -> None:
    page = run.table([{"model": "a|b", "ok": True}, {"ok": False, "rate": 1234.5}])
    assert page.splitlines() == [
        "| model | ok | rate |",
        "| --- | --- | --- |",
        "| a/b | yes |  |",
        "|  | NO | 1,234 |",
    ]
