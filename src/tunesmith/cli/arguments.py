"""The arguments that `check`, `train` and `run` share, and how they become a recipe.

tunesmith run [RECIPE] [--base DIR|ID] [--data FILE] [--output DIR] [key=value ...]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.errors import RecipeError

if TYPE_CHECKING:
    from tunesmith.recipe import Request, Source

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RECIPE] [KEY=VALUE ...]",
        help="A recipe file, and overrides such as method=dpo or train.learning_rate=1e-4.",
        show_default=False,
    ),
]
Base = Annotated[
    str | None,
    typer.Option("--base", help="Folder or hub id of the base model, or `starter`."),
]
Data = Annotated[str | None, typer.Option("--data", help="File or folder with the rows.")]
Output = Annotated[str | None, typer.Option("--output", "-o", help="The run directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show the resolved recipe, the masks and the memory; stop."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue the run in --output, or start it.")
]
DataFile = Annotated[
    str, typer.Argument(metavar="DATA", help="File or folder with the rows.", show_default=False)
]
RowFormat = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help="The rows' format; recognised from them when left out."
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="A column's other name; may be repeated."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is written, where it exists.")]
Seed = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, max=2**31 - 1, help="As in a recipe.")
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")]


def request(
    arguments: list[str] | None, base: str | None, data: str | None, output: str | None
) -> Request:
    """Tell the recipe file from the overrides.

    Raises:
        RecipeError: two recipe files.
    """
    from tunesmith.recipe import Request

    files = [argument for argument in arguments or [] if "=" not in argument]
    if len(files) > 1:
        raise RecipeError(
            f"two recipe files are named: {files[0]} and {files[1]}",
            hint="give one; overrides look like train.learning_rate=1e-4",
        )
    return Request(
        file=Path(files[0]) if files else None,
        overrides=tuple(argument for argument in arguments or [] if "=" in argument),
        base=base,
        data=data,
        output=output,
    )


def source(data: str, row_format: str | None, columns: list[str] | None) -> Source:
    """The rows of a file or folder that the command line names.

    Raises:
        RecipeError: a column is not written as OURS=THEIRS.
    """
    from tunesmith.recipe import Source

    names: dict[str, str] = {}
    for text in columns or []:
        ours, _, theirs = text.partition("=")
        if not (ours and theirs):
            raise RecipeError(
                f"--column {text} does not say which column is meant",
                hint="write our name, then the file's: --column question=subject",
            )
        names[ours.strip()] = theirs
    return Source(path=data, format=row_format, columns=names)
