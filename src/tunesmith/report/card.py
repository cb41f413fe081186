"""README.md: the model card, which goes where the model goes.

Front matter as the Hugging Face hub reads it, then what the model is for, what it learned
from, what was measured, and where it ends. Data files are named, never quoted.
"""

from __future__ import annotations

import json
from pathlib import Path

import jinja2

from tunesmith.contracts import Result
from tunesmith.evaluate.wording import interval, metric_name, number, signed, task_name, verdict
from tunesmith.report.facts import Facts, is_hub_id, read_facts
from tunesmith.report.licence import inherited
from tunesmith.report.text import markdown
from tunesmith.report.verdict import judge
from tunesmith.runs import Run
from tunesmith.runs.documents import write_text

FILE = "README.md"
_FOLDER = Path(__file__).parent / "templates"


def write_card(run: Run) -> Path:
    """Write README.md into the run's directory, in place of an earlier one.

    Raises:
        RunError, RecipeError: a file of the run is damaged.
        ResourceError: the disk is full.
    """
    path = run.path(FILE)
    write_text(path, render(read_facts(run)))
    return path


def render(facts: Facts) -> str:
    """The card for these facts."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(markdown=markdown, quoted=_quoted)
    adapted = facts.recipe is None or facts.recipe.adapter.name != "full"
    return environment.get_template("card.md").render(
        facts=facts,
        adapted=adapted,
        base_is_public=facts.recipe is not None and is_hub_id(facts.recipe.base.path),
        judgement=judge(facts),
        licence=inherited(facts),
        datasets=list(dict.fromkeys(one.hub for one in facts.sources if is_hub_id(one.hub or "."))),
        rows=[_row(result) for result in facts.results if result.slice == "all"],
        metrics=list(dict.fromkeys(result.metric for result in facts.results)),
    )


def _row(result: Result) -> tuple[str, ...]:
    """The cells of a line of the table of results."""
    return (
        task_name(result.task),
        metric_name(result.metric),
        str(result.n),
        number(result.base),
        number(result.tuned),
        signed(result.difference),
        interval(result),
        verdict(result),
    )


def _quoted(text: str) -> str:
    """A YAML scalar: JSON strings are YAML, whatever is in them."""
    return json.dumps(text, ensure_ascii=True)
