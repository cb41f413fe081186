"""Errors of compilers in one line, whatever they consist of."""

from __future__ import annotations

import pytest

from tunesmith.models.compiled import said


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (AssertionError(), "AssertionError"),
        (RuntimeError("\n no room \nand more"), "no room"),
        (RuntimeError("backend='inductor' raised:\nOutOfResources: 300 of 227 KB"),
         "backend='inductor' raised: OutOfResources: 300 of 227 KB"),
        (OSError("x" * 900), "x" * 300),
    ],
)  # fmt: skip
def test_an_error_in_one_line(error: Exception, line: str) -> None:
    assert said(error) == line
