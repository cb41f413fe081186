"""Stand-ins of lost characters, beside question marks that are meant."""

from __future__ import annotations

import pytest

from tunesmith.data.replaced import replaced_at


@pytest.mark.parametrize(
    "text",
    [
        "I don\ufffdt know",
        "I don?t know",
        "It?s open, and I?m glad.",
        "The na??ve caf?? owner",
        "?????? ????? ??? ????",
        "un gar?on, une le?on, la fa?ade",
    ],
)
def test_lost_characters(text: str) -> None:
    assert replaced_at(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Is it open? Yes. Really?? Yes!",
        "What???",
        "Is it open?yes it is",
        "See https://example.org/page?id=3&t?s=1 and /search?don?t=1",
        "`I don?t know` is a pattern, `na??ve` too",
        "a ? b : c; x ?? y",
        "colou?r matches both spellings",
        "When?Where?Who?",
        "He said “why?”, and “what?”",
    ],
)
def test_question_marks_that_are_meant(text: str) -> None:
    assert replaced_at(text) is None
