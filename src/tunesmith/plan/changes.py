"""What a changed recipe means for a run that has begun.

more epochs            train again from the last checkpoint, and all that follows
other evaluation       measure and report again
nothing                nothing
"""

from __future__ import annotations

from tunesmith.recipe import Recipe

STAGES = ("prepare", "train", "evaluate", "report", "export")


def affected_stages(stored: Recipe | None, recipe: Recipe) -> frozenset[str]:
    """The finished stages that a changed recipe makes necessary again."""
    if stored is None:
        return frozenset()
    before = (stored.base, stored.data, stored.method, stored.adapter, stored.train, stored.seed)
    now = (recipe.base, recipe.data, recipe.method, recipe.adapter, recipe.train, recipe.seed)
    if before != now:
        return frozenset(STAGES[1:])
    stages: set[str] = set()
    if (stored.evaluate, stored.gates) != (recipe.evaluate, recipe.gates):
        stages |= {"evaluate", "report"}
    if stored.export != recipe.export:
        stages |= {"export"}
    return frozenset(stages)


def fill_from(recipe: Recipe, stored: Recipe) -> Recipe:
    """A recipe whose open keys take what an earlier, resolved one decided."""
    train, earlier = recipe.train, stored.train
    filled = {
        key: value
        for key, value in earlier.model_dump().items()
        if train.model_dump()[key] is None and key not in ("epochs", "steps")
    }
    if train.epochs is None and train.steps is None:
        filled |= {"epochs": earlier.epochs, "steps": earlier.steps}
    base: dict[str, str | None] = {}
    if recipe.base.precision == "auto":
        base["precision"] = stored.base.precision
    if recipe.base.revision is None:
        base["revision"] = stored.base.revision
    length = recipe.data.max_length or stored.data.max_length
    return recipe.model_copy(
        update={
            "train": train.model_copy(update=filled),
            "base": recipe.base.model_copy(update=base),
            "data": recipe.data.model_copy(update={"max_length": length}),
        }
    )
