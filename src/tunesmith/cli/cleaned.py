"""What cleaning did, for people, on stderr.

rows      1,204 in, 1,150 out
changed   80: mojibake 60, email 12, space_around 8
dropped   54: duplicate 50, unusable_row 4

t.jsonl:3, answer: mojibake
- It donâ€™t work.
+ It don’t work.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunesmith.cli.progress import wipe
from tunesmith.data.cleaning.account import Shown
from tunesmith.data.cleaning.clean import Cleaned


def show_cleaned(done: Cleaned) -> None:
    """Counts by reason, some of the changes, and where all of them are."""
    wipe()
    console = Console(stderr=True, highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("rows", f"{done.rows_in:,} in, {done.rows_out:,} out")
    table.add_row("changed", _counted(done.changed, done.changed_why))
    table.add_row("dropped", _counted(done.rows_in - done.rows_out, done.dropped_why))
    for rule, rows in done.whole.items():
        told = f"{rule} speaks of {rows:,} rows at once: none was dropped for it"
        table.add_row("kept", told)
    console.print(table)
    if done.shown:
        console.print(Text("\nsome of the changes", style="bold"))
    for shown in done.shown:
        console.print(_heading(shown))
        console.print(Text(f"  - {shown.before}", style="red"), soft_wrap=True)
        console.print(Text(f"  + {shown.after}", style="green"), soft_wrap=True)
    _, changes, *described = done.files
    names = ", ".join(file.name for file in described)
    console.print(Text(f"\nall changes: {changes}\nbeside the rows: {names}"), soft_wrap=True)


def _counted(rows: int, why: Mapping[str, int]) -> Text:
    told = ", ".join(f"{rule} {count:,}" for rule, count in why.items())
    return Text(f"{rows:,}: {told}" if rows else "none")


def _heading(shown: Shown) -> Text:
    place = Path(shown.place).name
    return Text(f"{place}, {shown.where}: {', '.join(shown.why)}", style="dim")
