"""Tunesmith fine-tunes language models with evidence.

    import tunesmith

    run = tunesmith.run(base="starter", data="conversations.jsonl", output="runs/mine")
    for result in tunesmith.results(run):
        print(result["metric"], result["base"], "->", result["tuned"])

The command line is `tunesmith`; both do the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.errors import TunesmithError
    from tunesmith.pipeline import check, results, run
    from tunesmith.recipe import Recipe, Request, read_recipe
    from tunesmith.runs import Run, open_run

__version__ = "0.1.0"
__all__ = [
    "Recipe",
    "Request",
    "Run",
    "TunesmithError",
    "check",
    "open_run",
    "read_recipe",
    "results",
    "run",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that `tunesmith --help` stays quick."""
    if name in {"check", "results", "run"}:
        from tunesmith import pipeline

        return vars(pipeline)[name]
    if name in {"Recipe", "Request", "read_recipe"}:
        from tunesmith import recipe

        return vars(recipe)[name]
    if name in {"Run", "open_run"}:
        from tunesmith import runs

        return vars(runs)[name]
    if name == "TunesmithError":
        from tunesmith import errors

        return errors.TunesmithError
    raise AttributeError(f"module 'tunesmith' has no attribute {name!r}")
