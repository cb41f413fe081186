"""`tunesmith init`: write a recipe in which every key stands with its help and default."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.errors import RecipeError


def command(
    base: Annotated[
        str | None, typer.Option(help="Model folder, hub id, or starter; filled in.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data file or folder; filled in.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; it must not exist yet.")
    ] = Path("recipe.yaml"),
) -> None:
    """Write a commented recipe to start from."""
    from tunesmith.recipe.write import commented
    from tunesmith.runs.documents import write_text

    if output.exists():
        raise RecipeError(
            f"{output} exists already and is not overwritten",
            hint="name another file with -o, or remove this one",
        )
    if not output.parent.is_dir():
        raise RecipeError(
            f"there is no folder {output.parent}", hint=f"make it first: mkdir -p {output.parent}"
        )
    try:
        write_text(output, commented(base, data) + "\n")
    except PermissionError as error:
        raise RecipeError(
            f"cannot write {output}: {error.strerror}", hint="name a file that you may write"
        ) from error
    sys.stderr.write(f"edit it, then: tunesmith check {output} and tunesmith run {output}\n")
    sys.stdout.write(f"{output}\n")
