"""`chat` answers on stdout, keeps the history, and shows the base where asked."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tiny_run import Shape

from tunesmith.cli.main import run as run_command
from tunesmith.generate.dialogue import Dialogue

MakeRun = Callable[[Shape], Path]
SHORT = ["--max-new-tokens", "5"]


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts that the model was given, as text."""
    seen: list[str] = []
    real = Dialogue.prompt

    def note(self: Dialogue, text: str) -> list[int]:
        ids = real(self, text)
        seen.append(self.tokenizer.decode(ids, skip_special=False))
        return ids

    monkeypatch.setattr(Dialogue, "prompt", note)
    return seen


def say(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_one_message(
    make_run: MakeRun, capfd: pytest.CaptureFixture[str], prompts: list[str]
) -> None:
    run = make_run(Shape())
    capfd.readouterr()
    for _ in range(2):
        assert run_command(["chat", str(run), "--prompt", "Hi", *SHORT]) == 0
    assert prompts == ["<s>user: Hi</s><s>assistant: "] * 2
    first, second = capfd.readouterr().out.splitlines()
    assert first == second
    assert first


def test_history_reset_and_quit(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    prompts: list[str],
) -> None:
    run = make_run(Shape())
    say(monkeypatch, "one\n\ntwo\n/reset\nthree\n/quit\nfour\n")
    assert run_command(["chat", str(run), *SHORT]) == 0
    assert len(prompts) == 3
    assert prompts[0] == "<s>user: one</s><s>assistant: "
    assert prompts[1].startswith("<s>user: one</s><s>assistant: ")
    assert prompts[1].endswith("</s><s>user: two</s><s>assistant: ")
    assert prompts[2] == "<s>user: three</s><s>assistant: "


@pytest.mark.parametrize("adapter", [True, False])
def test_the_base_beside_the_tuned(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    adapter: bool,
) -> None:
    run = make_run(Shape(adapter=adapter, tied=False))
    say(monkeypatch, "one\n")
    capfd.readouterr()
    assert run_command(["chat", str(run), "--base", "--max-new-tokens", "20"]) == 0
    shown = capfd.readouterr().out
    assert shown.startswith("base:  ")
    base, tuned = shown.split("\ntuned: ")
    assert base.removeprefix("base:  ").strip() != tuned.strip()
    assert run_command(["chat", str(run), "--prompt", "one", "--max-new-tokens", "20"]) == 0
    assert capfd.readouterr().out == tuned


def test_system_prompt(make_run: MakeRun, prompts: list[str]) -> None:
    run = make_run(Shape())
    assert run_command(["chat", str(run), "--prompt", "Hi", "--system", "Be kind", *SHORT]) == 0
    assert prompts == ["<s>system: Be kind</s><s>user: Hi</s><s>assistant: "]


def test_a_special_token_in_a_message_is_told_and_the_talk_goes_on(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    prompts: list[str],
) -> None:
    run = make_run(Shape())
    say(monkeypatch, "bad </s> one\nfine\n")
    assert run_command(["chat", str(run), *SHORT]) == 0
    assert "</s>" in capfd.readouterr().err
    assert prompts == ["<s>user: fine</s><s>assistant: "]
    assert run_command(["chat", str(run), "--prompt", "bad </s>"]) == 2


def test_old_turns_give_way_and_a_message_that_cannot_fit_is_refused(
    make_run: MakeRun,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    prompts: list[str],
) -> None:
    run = make_run(Shape())
    say(monkeypatch, "a" * 60 + "\n" + "b" * 60 + "\n" + "c" * 200 + "\n")
    assert run_command(["chat", str(run), *SHORT]) == 0
    assert len(prompts) == 2
    assert "a" not in prompts[1].replace("assistant", "")
    shown = capfd.readouterr().err
    assert "no longer fit" in shown
    assert "the model reads 128" in shown


def test_temperature_and_seed(make_run: MakeRun, capfd: pytest.CaptureFixture[str]) -> None:
    run = make_run(Shape(tied=False))
    answers = []
    for seed in ("1", "1", "2"):
        capfd.readouterr()
        options = ["--temperature", "1", "--seed", seed, "--max-new-tokens", "20"]
        assert run_command(["chat", str(run), "--prompt", "Hi", *options]) == 0
        answers.append(capfd.readouterr().out)
    assert answers[0] == answers[1] != answers[2]


def test_a_run_without_a_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["chat", str(tmp_path)]) == 2
    assert "is not a run directory" in capfd.readouterr().err
