"""`tunesmith convert`: rows in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.arguments import AsJson, Columns, DataFile, Force, RowFormat, source


def command(
    data: DataFile,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="To write; its ending says the kind."),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FORMAT", help="messages, alpaca, sharegpt, openai, or another format."
        ),
    ],
    row_format: RowFormat = None,
    columns: Columns = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write the rows in another format, each proved to say the same."""
    from tunesmith.cli import show
    from tunesmith.data.convert import Target, convert

    done = convert(
        source(data, row_format, columns),
        Target(file=output, format=to, force=force),
        notice=show.tell,
        progress=show.VOICE.count,
    )
    if as_json:
        show.as_object(done.as_json())
        return
    show.tell(f"{done.rows:,} rows: {', '.join(done.formats)} to {done.to}")
    print(output)
