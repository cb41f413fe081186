"""`tunesmith export`: the tuned model in a form that other programs load."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.arguments import AsJson, RunFolder


def command(
    run: RunFolder,
    to: Annotated[str, typer.Option("--to", help="The form: adapter or merged.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder.")],
    push_to_hub: Annotated[
        str | None,
        typer.Option("--push-to-hub", metavar="OWNER/NAME", help="Upload it there as well."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the tuned model as an adapter or merged, and verify it."""
    from tunesmith.export.stage import export
    from tunesmith.runs import open_run

    exported = export(open_run(run).folder, to, output, push_to_hub)
    if as_json:
        sys.stdout.write(json.dumps(exported.as_json(), ensure_ascii=False) + "\n")
        return
    sys.stderr.write(
        f"{exported.form}: {exported.bytes / 1e6:,.1f} MB, loaded again; "
        f"its logits differ from the tuned model's by {exported.difference:.1g} of their size\n"
    )
    if exported.url:
        sys.stderr.write(f"uploaded to {exported.url}\n")
    sys.stdout.write(f"{exported.folder}\n")
