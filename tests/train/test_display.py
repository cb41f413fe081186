"""Progress goes to stderr only: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest

from tunesmith.contracts import StepRecord
from tunesmith.train.display import Display, duration


def record(step: int) -> StepRecord:
    return StepRecord(
        step=step,
        loss=2.5,
        learning_rate=0.1,
        gradient_norm=2.0,
        tokens=1000,
        seconds=2.0,
        trained=3,
        needed=4,
        computed=4,
        padded=6,
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_have_everything(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with Display(100, stream=stream) as display:
        display.held_out(0, 3.25, best=False)
        display.step(record(10))
        display.step(record(11))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "step 0/100: held-out loss 3.2500"
    assert lines[1] == "step 10/100  loss 2.500  held out 3.250  500 tokens/s  3:00 left"
    assert len(lines) == 2, "not more often than every ten seconds"
    assert "\x1b" not in stream.getvalue()
    assert capsys.readouterr().out == ""


def test_the_last_step_is_always_shown() -> None:
    stream = io.StringIO()
    with Display(3, stream=stream) as display:
        for step in (1, 2, 3):
            display.step(record(step))
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["1/3", "3/3"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_fits_a_terminal(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    stream = Terminal()
    with Display(20_000, stream=stream, width=width) as display:
        display.held_out(0, 3.25, best=True)
        display.step(record(10_000))
    text = stream.getvalue()
    assert "step 10000/20000  loss 2.500  held out 3.250  500 tokens/s" in text
    assert text.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in text, "the cursor is back"
    assert capsys.readouterr().out == ""


def test_the_cursor_comes_back_after_an_error() -> None:
    stream = Terminal()
    with pytest.raises(KeyError), Display(5, stream=stream):
        raise KeyError
    assert "\x1b[?25h" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.6, "1:00"), (245, "4:05"), (3723, "1:02:03"), (-1, "0:00")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
