"""`tunesmith clean`: the data, with all that is safe to put right put right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.arguments import AsJson, Columns, DataFile, Force, RowFormat, Seed, source


def command(
    data: DataFile,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="To write; its ending says the kind."),
    ],
    redact: Annotated[
        bool, typer.Option("--redact", help="Replace personal data and secrets: [EMAIL_1].")
    ] = False,
    drop: Annotated[
        list[str] | None,
        typer.Option("--drop", metavar="RULE,...", help="Rules of check whose rows go."),
    ] = None,
    near: Annotated[
        bool, typer.Option("--near", help="Of rows that say nearly the same, keep the first.")
    ] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="RULE=NUMBER", help="As audit.limits; may be repeated."),
    ] = None,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Keep rows that repeat another one.")
    ] = False,
    changes: Annotated[
        Path | None,
        typer.Option("--changes", metavar="FILE", help="List of all changes."),
    ] = None,
    seed: Seed = 0,
    row_format: RowFormat = None,
    columns: Columns = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Repair texts, drop copies and rows that cannot be used; tell all that was done.

    Beside OUTPUT it writes the list of changes, provenance and a Croissant description.
    """
    from tunesmith.cli import cleaned, show
    from tunesmith.data.cleaning.clean import Cleaning, clean, limits

    rules = (rule.strip() for text in drop or [] for rule in text.split(","))
    asked = Cleaning(
        file=output,
        redact=redact,
        drop=tuple(rule for rule in rules if rule),
        near=near,
        limits=limits(limit or []),
        keep_duplicates=keep_duplicates,
        changes=changes,
        seed=seed,
        force=force,
    )
    done = clean(
        source(data, row_format, columns), asked, notice=show.tell, progress=show.VOICE.count
    )
    if as_json:
        show.as_object(done.as_json())
        return
    cleaned.show_cleaned(done)
    print(output)
