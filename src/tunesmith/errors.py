"""What can go wrong, as a person is told it: what, why, how to fix.

    TunesmithError                     exit code
    ├── InputError                     2    something given to us is wrong
    │   ├── RecipeError                     a key or value of the recipe
    │   ├── DataError                       a data file or a row of it
    │   ├── TemplateError                   a chat template, or the mask made from it
    │   ├── ModelError                      a model folder, tokenizer or adapter
    │   └── RunError                        a run directory: taken, locked, changed
    ├── Refused                        3    a gate or a blocking finding says no
    ├── ResourceError                  4    disk full, or not enough memory
    ├── Diverged                       5    the loss is not a number, or exploded
    └── Interrupted                    130 or 143    stopped by a signal, saved

Every error carries a `hint`: the next thing to try. The command line prints the three
parts and exits with the code; only a fault of our own shows a traceback (exit code 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file: `line` and `column` count from 1; 0 means that it is not known."""

    file: Path | str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """`file`, `file:line` or `file:line:column`, as editors read it."""
        text = str(self.file)
        if self.line:
            text += f":{self.line}"
            if self.column:
                text += f":{self.column}"
        return text


class TunesmithError(Exception):
    """The root: everything that we expect to go wrong.

    Args:
        what: one sentence, what is wrong.
        hint: how to fix it, or what to try next.
        place: the file, line and column, where there is one.
    """

    exit_code = 1

    def __init__(self, what: str, *, hint: str = "", place: Place | None = None) -> None:
        """Keep the parts apart, so that the command line and an API can show them."""
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        """`place: what`, and the hint on a line of its own."""
        text = f"{self.place}: {self.what}" if self.place else self.what
        return f"{text}\n  fix: {self.hint}" if self.hint else text


class InputError(TunesmithError):
    """Something that was given to us cannot be used."""

    exit_code = 2


class RecipeError(InputError):
    """A key or a value of the recipe or of a command-line override."""


class DataError(InputError):
    """A data file that cannot be read, or a row that cannot be used.

    Args:
        what, hint, place: as for every error.
        rule: of a row: the rule of the audit under which it is reported.
    """

    def __init__(
        self, what: str, *, hint: str = "", place: Place | None = None, rule: str = ""
    ) -> None:
        """Keep the rule beside the parts."""
        super().__init__(what, hint=hint, place=place)
        self.rule = rule or "unusable_row"


class TemplateError(InputError):
    """A chat template that fails, hangs, or whose mask cannot be proved."""


class ModelError(InputError):
    """A model folder, tokenizer or adapter that is missing, damaged or unsafe."""


class RunError(InputError):
    """A run directory that is taken, locked, or does not fit what is asked."""


class Refused(TunesmithError):
    """A gate or a blocking finding says no; everything that was measured is kept."""

    exit_code = 3


class ResourceError(TunesmithError):
    """The disk is full, or memory does not suffice; what was saved is intact."""

    exit_code = 4


class Diverged(TunesmithError):
    """The loss became infinite, not a number, or exploded; the rows are named."""

    exit_code = 5


class Interrupted(TunesmithError):
    """A signal asked us to stop; the state is saved.

    Args:
        what: what was stopped.
        hint: how to resume.
        signal_number: 2 gives exit code 130, 15 gives 143.
    """

    def __init__(self, what: str, *, hint: str, signal_number: int) -> None:
        """The exit code is 128 plus the signal's number, as shells do it."""
        super().__init__(what, hint=hint)
        self.exit_code = 128 + signal_number
