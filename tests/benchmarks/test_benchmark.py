"""The benchmark from its command line to its page, on a tiny model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from benchmarks.workload import Asked, make_task
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks import __main__ as command_line
from benchmarks import contestant
from tests.tiny_run import write_tokenizer

ROOT = Path(__file__).parents[2]
SYSTEM = "You answer for the bicycle shop at the harbour, briefly and kindly."


def write_model(folder: Path) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=258, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256,
        bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    write_tokenizer(folder)


def write_messages(file: Path, count: int) -> None:
    with file.open("w") as stream:
        for number in range(count):
            turns = (
                ("system", SYSTEM),
                ("user", f"What is bicycle {number}?" + " Please tell." * (number % 3)),
                ("assistant", f"It has {number + 3} gears." + " It is blue." * (number % 4)),
            )
            messages = [{"role": role, "content": content} for role, content in turns]
            stream.write(json.dumps({"messages": messages}) + "\n")


def run_module(arguments: list[str], tmp_path: Path) -> str:
    variables = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
    }
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_benchmark(tmp_path: Path, *more: str) -> dict[str, object]:
    write_model(tmp_path / "model")
    write_messages(tmp_path / "rows.jsonl", 6)
    arguments = ["benchmarks", "--base", str(tmp_path / "model")]
    arguments += ["--data", str(tmp_path / "rows.jsonl"), "--rows-per-step", "2"]
    arguments += ["--steps", "2", "--rounds", "1", "--out", str(tmp_path / "out"), *more]
    page = run_module(arguments, tmp_path)
    assert page.strip() == (tmp_path / "out" / "speed.md").read_text().strip()
    found: dict[str, object] = json.loads((tmp_path / "out" / "speed.json").read_text())
    return found


def check(found: dict[str, object], names: list[str]) -> None:
    (workload,) = found["workloads"]
    entries = {entry["name"]: entry for entry in workload["contestants"]}
    assert list(entries) == names
    for entry in entries.values():
        assert "error" not in entry, entry
        assert entry["same_work"] == "yes"
        assert entry["steps"] == 2
        assert entry["useful_per_s"] > 0
        assert 0.1 < entry["peak_gib"] < 4
    ours = entries["tunesmith"]
    assert ours["ratio_train"] > 0
    assert ours["computed"] < workload["task"]["useful"]


def test_beside_a_plain_loop(tmp_path: Path) -> None:
    names = ["tunesmith", "plain-accum"]
    options = [word for name in names for word in ("--contestant", name)]
    check(run_benchmark(tmp_path, *options, "--no-limit"), names)


@pytest.mark.slow
def test_beside_trl_with_the_limit(tmp_path: Path) -> None:
    names = ["tunesmith", "tunesmith-unshared", "trl-accum", "plain-padded", "tunesmith-small"]
    options = [word for name in names[:-1] for word in ("--contestant", name)]
    found = run_benchmark(tmp_path, *options, "--also", "small:train.tokens_per_forest=64")
    check(found, names)
    (workload,) = found["workloads"]
    assert (
        workload["limit"]["prefixes_shared"]["tokens"] < workload["limit"]["rows_alone"]["tokens"]
    )


@pytest.mark.slow
def test_one_line_for_another_comparison(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    write_messages(tmp_path / "rows.jsonl", 10)
    write_messages(tmp_path / "rows.eval.jsonl", 2)
    arguments = ["benchmarks.contestant", "--model", str(tmp_path / "model"), "--steps", "1"]
    arguments += ["--data", str(tmp_path / "rows.jsonl"), "--share", "off"]
    line = json.loads(run_module(arguments, tmp_path))
    wanted = {"wall_train", "useful_tokens", "useful_per_s", "peak_gib", "loss_first", "loss_last"}
    assert wanted | {"eval_loss"} <= set(line)
    assert line["useful_tokens"] == line["useful"]
    assert line["labelled_tokens"] == line["trained"]


def test_help_names_every_option() -> None:
    text = "".join(command_line.arguments().format_help().split())
    assert all(name in text for name in ("--steps", "--rounds", "--llamafactory", "trl-packing"))
    assert "wall_train" in contestant.arguments().format_help()


def test_too_few_rows(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    write_messages(tmp_path / "rows.jsonl", 6)
    asked = Asked(
        base=str(tmp_path / "model"),
        data=tmp_path / "rows.jsonl",
        held_out=None,
        method="sft",
        adapter="lora",
        steps=1,
    )
    with pytest.raises(ValueError, match="rows.jsonl has 6 rows, and 8 are needed"):
        make_task(asked, tmp_path / "task")
