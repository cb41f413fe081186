"""What a person asks for: a recipe file, overrides, and the three common options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The arguments of a command or of a call, before a recipe is read from them."""

    file: Path | None = None
    overrides: tuple[str, ...] = ()
    base: str | None = None
    data: str | None = None
    output: str | None = None

    @property
    def names_a_recipe(self) -> bool:
        """Whether there is more than overrides to an existing run."""
        return self.file is not None or self.base is not None or self.data is not None
