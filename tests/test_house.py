"""The house: pinned versions fit what is declared, and what must ship is declared to ship."""

from __future__ import annotations

import os
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tunesmith import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = {
    line.split("==")[0].lower(): line.split("==")[1]
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
}
EXTRAS = PROJECT["project"]["optional-dependencies"]
INSTALLED_BY_MAKE = [*PROJECT["project"]["dependencies"], *EXTRAS["nf4"], *EXTRAS["test"]]


@pytest.mark.parametrize("text", INSTALLED_BY_MAKE)
def test_every_direct_dependency_is_pinned_within_its_range(text: str) -> None:
    requirement = Requirement(text)
    pinned = PINNED.get(requirement.name.lower())
    assert pinned is not None, "constraints.txt pins every direct dependency"
    assert requirement.specifier.contains(pinned)


def test_torch_is_the_version_that_comes_first() -> None:
    assert PINNED["torch"] == "2.13.0"
    makefile = (ROOT / "Makefile").read_text()
    assert makefile.index("$(VENV)/.torch:") < makefile.index("$(VENV)/.core:")


def test_the_licence_and_the_version() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert PROJECT["project"]["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_what_is_not_python_is_declared_as_package_data() -> None:
    package = ROOT / "src" / "tunesmith"
    declared = PROJECT["tool"]["setuptools"]["package-data"]["tunesmith"]
    for path in package.rglob("*"):
        name = str(path.relative_to(package))
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            assert any(fnmatch(name, pattern) for pattern in declared), name


def test_continuous_integration_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make test"
