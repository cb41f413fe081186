"""`export`: the folder is the last line on stdout; bad input is exit code 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tiny_run import Shape

from tunesmith.cli.main import run as run_command

MakeRun = Callable[[Shape], Path]


def test_the_last_line_is_the_folder(
    make_run: MakeRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run, out = make_run(Shape()), tmp_path / "out"
    capfd.readouterr()
    assert run_command(["export", str(run), "--to", "merged", "--output", str(out)]) == 0
    shown = capfd.readouterr()
    assert shown.out == f"{out}\n"
    assert "differ from the tuned model's by" in shown.err
    assert (out / "model.safetensors").exists()


def test_json(make_run: MakeRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run, out = make_run(Shape()), tmp_path / "out"
    capfd.readouterr()
    assert run_command(["export", str(run), "--to", "adapter", "-o", str(out), "--json"]) == 0
    shown = json.loads(capfd.readouterr().out)
    assert shown["form"] == "adapter"
    assert shown["folder"] == str(out)
    assert shown["difference"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to", "gguff", "--output", "out"], "no exporter called gguff"),
        (["--to", "adapter", "--output", "base"], "is not empty"),
        (["--to", "adapter", "--output", "out", "--push-to-hub", "me"], "OWNER/NAME"),
        (["--to", "adapter"], "Missing option"),
    ],
)
def test_bad_input(
    make_run: MakeRun,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    says: str,
) -> None:
    run = make_run(Shape())
    monkeypatch.chdir(tmp_path)
    assert run_command(["export", str(run), *arguments]) == 2
    shown = capfd.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert not (tmp_path / "out").exists()


def test_no_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    assert run_command(["export", str(tmp_path), "--to", "adapter", "--output", out]) == 2
    assert "is not a run directory" in capfd.readouterr().err


def test_the_base_has_moved(
    make_run: MakeRun, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = make_run(Shape())
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    out = tmp_path / "out"
    assert run_command(["export", str(run), "--to", "merged", "--output", str(out)]) == 2
    assert "Traceback" not in capfd.readouterr().err
    assert not out.exists()
