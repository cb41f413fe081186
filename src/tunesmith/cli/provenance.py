"""`tunesmith provenance`: what a run learnt from, and whether a certain row was among it.

tunesmith provenance runs/mine                    source  use  rows  licence  from  sha256
tunesmith provenance runs/mine --row 5c1f09ab     trained  tickets.jsonl:17  CC-BY-4.0
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.arguments import AsJson, RunFolder
from tunesmith.errors import InputError, Refused

if TYPE_CHECKING:
    from tunesmith.contracts import JsonObject
    from tunesmith.data.ledger import Entry, Ledger
    from tunesmith.data.lookup import Answer

MOST_FILES = 4
"""Files of a source whose digests the table shows; `--json` has all."""


def command(
    run: RunFolder,
    row: Annotated[
        str | None,
        typer.Option("--row", metavar="HASH", help="Was the row of this digest in the run?"),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="FILE|-", help="The same, of a row given as JSON."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run learnt from: files, licences, origin; or find a row.

    With --row or --text the exit code is 0 where the row is in the run's data, trained, held
    out or left out, and 3 where it is not.
    """
    from tunesmith.data.ledger import read_ledger
    from tunesmith.data.lookup import digests_of, find
    from tunesmith.runs import open_run

    if row is not None and text is not None:
        raise InputError("--row and --text both name a row", hint="give one of the two")
    folder = open_run(run, writes=False).folder
    ledger = read_ledger(folder)
    if row is None and text is None:
        if as_json:
            _print_json(ledger_as_json(ledger))
        else:
            _show_ledger(ledger)
        return
    digests = (row,) if row is not None else digests_of(_read(str(text)), ledger, str(text))
    answer = find(folder, ledger, *digests)
    if as_json:
        _print_json(answer_as_json(answer))
    else:
        sys.stdout.write("".join(line + "\n" for line in _answer_lines(answer)))
    if not answer.matches:
        raise typer.Exit(Refused.exit_code)


def ledger_as_json(ledger: Ledger) -> JsonObject:
    """The ledger, each source with what its licence asks."""
    from tunesmith.data.licence_terms import duties

    return {
        "date": ledger.date,
        "digest": ledger.digest,
        "base": {"licence": ledger.base_licence.shown},
        "sources": [
            {
                "path": entry.path,
                "use": _use(entry),
                "rows": entry.rows,
                "rows_sha256": entry.rows_sha256,
                "licence": entry.licence.shown,
                "duties": list(duties(entry.licence.terms)),
                **entry.facts,
                **({"made": entry.made} if entry.made else {}),
                "files": [{"path": path, "sha256": digest} for path, digest in entry.files],
            }
            for entry in ledger.entries
        ],
    }


def answer_as_json(answer: Answer) -> JsonObject:
    """What was asked, and every row of the run that it is."""
    return {
        "asked": list(answer.asked),
        "answer": answer.where,
        "left_out_is_recorded": answer.left_out_known,
        "matches": [
            {
                "where": match.where,
                "row_hash": match.digest,
                "file": str(match.place.file),
                "line": match.place.line,
                "source": match.entry.path,
                "licence": match.entry.licence.shown,
                "why": match.why,
            }
            for match in answer.matches
        ],
    }


def _show_ledger(ledger: Ledger) -> None:
    """The sources as a table, and below it what does not fit into one."""
    from rich.console import Console
    from rich.table import Table

    from tunesmith.data.licence_terms import duties

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("source", "use", "rows", "licence", "asks", "from", "sha256"):
        table.add_column(title, justify="right" if title == "rows" else "left", overflow="fold")
    for entry in ledger.entries:
        table.add_row(
            Path(entry.path).name,
            _use(entry),
            "" if entry.rows is None else f"{entry.rows:,}",
            entry.licence.shown,
            ", ".join(duties(entry.licence.terms)) or "nothing",
            _whence(entry),
            "\n".join(digest[:12] for _, digest in entry.files[:MOST_FILES])
            + ("\n..." if len(entry.files) > MOST_FILES else ""),
        )
    lines = [
        f"{Path(entry.path).name}: {key} {entry.facts[key]}"
        for entry in ledger.entries
        for key in ("name", "author", "version", "date", "consent", "citation")
        if key in entry.facts
    ]
    lines += [
        f"{Path(entry.path).name}: made by {entry.made['by']} from {_parents(entry.made)}"
        for entry in ledger.entries
        if "by" in entry.made
    ]
    console = Console(markup=False, highlight=False)
    console.print(table)
    for line in [*lines, f"prepared {ledger.date}; the base is under {ledger.base_licence.shown}"]:
        console.print(line, soft_wrap=True)


def _parents(made: JsonObject) -> str:
    """The files that rows were made from, with the first digits of their sha256."""
    files = made.get("from")
    return ", ".join(
        f"{file.get('file')} ({str(file.get('sha256'))[:12]})"
        for file in (files if isinstance(files, list) else [])
        if isinstance(file, dict)
    )


def _whence(entry: Entry) -> str:
    """The hub id with its revision, else the address, else what was said."""
    if hub := entry.facts.get("hub"):
        revision = entry.facts.get("revision", "")
        return f"{hub}@{revision[:12]}" if revision else hub
    return entry.facts.get("url") or entry.facts.get("origin", "")


def _answer_lines(answer: Answer) -> list[str]:
    if not answer.matches:
        unsure = "" if answer.left_out_known else "; rows that were left out are not recorded"
        return [f"not there: no row of this run's data has that digest{unsure}"]
    return [
        f"{match.where}{f' ({match.why})' if match.why else ''}  {match.place}  "
        f"{match.entry.licence.shown}  {match.digest}"
        for match in answer.matches
    ]


def _use(entry: Entry) -> str:
    return "held out" if entry.held_out else "training"


def _read(name: str) -> str:
    """The text of a file, or of stdin.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(
            f"{name} cannot be read: {reason}", hint="name a file with the row, or - for stdin"
        ) from None


def _print_json(value: JsonObject) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
