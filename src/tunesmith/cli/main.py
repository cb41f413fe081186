"""The `tunesmith` command: finds the verb, runs it, turns what goes wrong into an exit code.

A verb is a file beside this one that defines `command`; its docstring's first line is the
summary in `--help`. Errors go to stderr as what, why and how to fix; see tunesmith.errors
for the codes. Only a fault of our own shows a traceback.
"""

from __future__ import annotations

import errno
import logging
import signal
import sys
import traceback
import warnings
from types import FrameType

import typer

from tunesmith import __version__, plugins
from tunesmith.cli.progress import wipe
from tunesmith.errors import Diverged, Interrupted, ResourceError, TunesmithError
from tunesmith.ranks import ranks_here

VERBS = (
    "init",
    "check",
    "clean",
    "split",
    "convert",
    "train",
    "run",
    "eval",
    "report",
    "export",
    "chat",
    "runs",
    "provenance",
    "doctor",
    "schema",
)
RESUME_HINT = "continue a run with --resume --output RUN"
EXIT_CODES = """Exit codes: 0 done, 2 bad input, 3 a gate or a blocking finding says no,
4 disk full or no memory, 5 diverged, 130 and 143 interrupted and saved, 1 a fault of ours."""


def main() -> None:
    """Entry point: runs the command line and exits with its code."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; returns the exit code."""
    _quiet_libraries()
    if not ranks_here().is_first and arguments[:1] not in (["run"], ["train"]):
        return 0  # what is not training is the first process' work alone
    try:
        _application(arguments)(arguments, prog_name="tunesmith")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except TunesmithError as error:
        return _tell(error)
    except Exception as error:  # the outermost frame: what is not ours to explain is shown whole
        explained = _exhausted(error)
        if explained is not None:
            return _tell(explained)
        traceback.print_exc()
        print(
            f"\nThis is a fault of Tunesmith {__version__}, not yours. "
            "Please report the lines above.",
            file=sys.stderr,
        )
        return 1
    return 0


def _application(arguments: list[str]) -> typer.Typer:
    """The command line; only the verb that is asked for is imported."""
    application = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        epilog=EXIT_CODES,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(_options)
    asked = [verb for verb in VERBS if verb in arguments[:1]]
    for verb in asked or VERBS:
        application.command(name=verb)(plugins.load("verbs", verb).command)
    return application


def _show_version(value: bool) -> None:
    if value:
        print(f"tunesmith {__version__}")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Fine-tune a language model with evidence: check the data, train, measure, report."""


def _quiet_libraries() -> None:
    """Deprecations of libraries speak to us, not to the people who use the command."""
    for category in (FutureWarning, DeprecationWarning):
        warnings.filterwarnings("ignore", category=category, module="(transformers|peft|torch)")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def _exhausted(error: Exception) -> ResourceError | None:
    """Errors of the operating system and of torch that mean a full disk or no memory."""
    text = str(error).lower()
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        place = f" while writing {error.filename}" if error.filename else ""
        return ResourceError(f"the disk is full{place}", hint="free some space, then --resume")
    out_of_memory = (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and "out of memory" in text)
        or (isinstance(error, RuntimeError) and "can't allocate memory" in text)
    )
    if not out_of_memory:
        return None
    return ResourceError(
        "not enough memory",
        hint="set train.tokens_per_forest or data.max_length lower, or take a smaller base; "
        "saved checkpoints are intact, continue with --resume",
    )


def _tell(error: TunesmithError) -> int:
    here = ranks_here()
    wipe()
    if here.is_first:
        print(f"error: {error}", file=sys.stderr)
    elif not isinstance(error, (Interrupted, Diverged)):  # which all processes notice at once
        print(f"error in {here}: {error}", file=sys.stderr)
    return error.exit_code


def _stop(number: int, frame: FrameType | None) -> None:
    name = signal.Signals(number).name
    raise Interrupted(f"stopped by {name}", hint=RESUME_HINT, signal_number=number)


if __name__ == "__main__":
    main()
