"""`tunesmith split`: the split of a run, as two files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.arguments import AsJson, Columns, DataFile, Force, RowFormat, Seed, source


def command(
    data: DataFile,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="To write into.")
    ],
    held_out: Annotated[
        str, typer.Option("--held-out", metavar="SHARE|N", help="A share below 1, or rows.")
    ] = "0.1",
    seed: Seed = 0,
    row_format: RowFormat = None,
    columns: Columns = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write train.jsonl and heldout.jsonl, parted as a run would part the data.

    Rows that say the same, nearly the same, or begin alike stay on one side.
    """
    from tunesmith.cli import show
    from tunesmith.data.divide import amount, divide
    from tunesmith.recipe import Data

    asked = Data(sources=(source(data, row_format, columns),), held_out=amount(held_out))
    done = divide(asked, output, seed=seed, force=force, progress=show.VOICE.count)
    for notice in done.notices:
        show.tell(notice)
    if as_json:
        show.as_object(done.as_json())
        return
    stay = f"; {done.together:,} rows stay together, in {done.units:,} groups"
    show.tell(f"{done.train:,} rows to train on, {done.held_out:,} held out{stay}")
    print(output)
