"""`tunesmith run`: the whole job."""

from __future__ import annotations

from tunesmith.cli.arguments import (
    Arguments,
    AsJson,
    Base,
    Data,
    DryRun,
    Output,
    Resume,
    request,
)


def command(
    arguments: Arguments = None,
    base: Base = None,
    data: Data = None,
    output: Output = None,
    resume: Resume = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check the data, train, evaluate and report: the whole job.

    In several processes: torchrun --nproc-per-node 2 -m tunesmith run ...
    """
    from tunesmith.cli.job import Manner, do

    manner = Manner(resume=resume, dry_run=dry_run, as_json=as_json)
    do(request(arguments, base, data, output), manner, "export")
