"""Fixtures that several folders of tests use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.tiny_run import Shape


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[[Shape], Path]:
    """Makes a finished run with a tiny model in `tmp_path/run`; its base is `tmp_path/base`."""
    from tests import tiny_run

    return lambda shape: tiny_run.make_run(tmp_path, shape)
