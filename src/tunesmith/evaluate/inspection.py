"""What an evaluation hands to the audit: the texts that it measures on.

evaluate.retention, audit.benchmarks   ->   texts that must not be trained on
"""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.data.audit.compared import benchmark_texts
from tunesmith.data.audit.contracts import Compared
from tunesmith.data.audit.inspection import Inspection
from tunesmith.evaluate.retention import read_documents
from tunesmith.recipe import Recipe


def inspection_of(recipe: Recipe, base_losses: Mapping[str, float]) -> Inspection:
    """The audit's settings, and what must not be trained on.

    Those are the rows of the benchmarks that the recipe names, and the paragraphs on which
    its evaluation measures forgetting.

    Args:
        recipe: of the run.
        base_losses: bits per byte under the base, by row digest, where they were measured.

    Raises:
        DataError: a file of them cannot be read.
    """
    retention = (
        Compared(name="the text of evaluate.retention", place=place, text=paragraph)
        for _, text, place in read_documents(recipe.evaluate.retention, recipe.seed)
        for paragraph in text.split("\n\n")
    )
    return Inspection(
        rules=recipe.audit,
        compared=(*benchmark_texts(recipe.audit.benchmarks), *retention),
        base_losses=base_losses,
    )
