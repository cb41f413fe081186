"""Whether the rows are of the kind that the method learns from, before any of them is used.

{"prompt": [...], "chosen": [...], "rejected": [...]}   under   method: sft   ->   DataError
"""

from __future__ import annotations

from tunesmith.contracts import Consumes
from tunesmith.data.examples import read_file
from tunesmith.data.read import files_of
from tunesmith.data.recognise import format_called
from tunesmith.errors import DataError
from tunesmith.recipe import Recipe, Source
from tunesmith.recipe.options import consumed_by

_HINTS: dict[Consumes, str] = {
    "preferences": "use method: dpo; or keep the good answers only, and map them: "
    "columns: {prompt: prompt, completion: chosen}",
    "answers": "use method: sft; or write pairs: "
    '{"prompt": "...", "chosen": "...", "rejected": "..."}',
}
_NAMES: dict[Consumes, str] = {"preferences": "pairs of answers", "answers": "single answers"}


def require_kind(recipe: Recipe) -> None:
    """Look at the format of each file that the recipe names.

    Raises:
        DataError: a file holds rows of the other kind, or cannot be read.
        RecipeError: `format` or `columns` name something that does not exist.
    """
    wanted = consumed_by(recipe.method.name)
    for source in _sources(recipe):
        for file in files_of(source.path):
            read = read_file(file, source)
            found = format_called(read.format).GIVES
            if found != wanted:
                raise DataError(
                    f"the rows ({read.format}) are {_NAMES[found]}, but method "
                    f"{recipe.method.name} learns from {_NAMES[wanted]}",
                    hint=_HINTS[found],
                    place=read.place,
                )


def _sources(recipe: Recipe) -> list[Source]:
    """The sources, and the held-out file, which is read as the first source is."""
    sources, held_out = recipe.data.sources, recipe.data.held_out
    if not isinstance(held_out, str):
        return list(sources)
    return [*sources, sources[0].model_copy(update={"path": held_out})]
