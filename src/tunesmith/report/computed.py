"""What training computed for its rows: tokens, what was shared, what padding would have cost.

tokens 40,000   trained 18,000   needed 36,000   computed 20,000   padded 61,000
"""

from __future__ import annotations

from tunesmith.report.facts import Facts
from tunesmith.train.metrics import total


def computed_lines(facts: Facts) -> tuple[tuple[str, str], ...]:
    """Lines of a table; none before the first step."""
    if not facts.steps:
        return ()
    count = total(facts.steps)
    shared = count.needed - count.computed
    return (
        ("tokens of all steps", f"{count.tokens:,}"),
        ("trained (labelled)", f"{count.trained:,}"),
        ("needed, each row by itself", f"{count.needed:,}"),
        ("computed", f"{count.computed:,}"),
        ("shared: common beginnings, computed once", f"{shared:,} ({_of(shared, count.needed)})"),
        ("padding to the longest row would have computed", f"{count.padded:,}"),
    )


def computed_sentence(facts: Facts) -> str:
    """The same for people; "" before the first step."""
    if not facts.steps:
        return ""
    count = total(facts.steps)
    saved = _of(count.needed - count.computed, count.needed)
    padding = count.padded / max(1, count.computed)
    said = (
        f"Training computed {count.computed:,} tokens for rows of {count.tokens:,}. Common "
        f"beginnings were computed once, which saved {saved}; padding would have computed "
        f"{padding:.1f} times as many. Neither changes the result."
    )
    if facts.recipe is not None and facts.recipe.train.group_prefixes:
        said += (
            " train.group_prefixes put rows that begin alike into the same steps: the rows of a "
            "step resemble one another, so the loss varies more from step to step than with a "
            "plain shuffle, and the result is not that of a plain shuffle."
        )
    return said


def _of(part: int, whole: int) -> str:
    return f"{part / max(1, whole):.0%}"
