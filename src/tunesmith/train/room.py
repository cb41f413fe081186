"""How many tokens a step computes at once: as chosen, or fewer where that proved too many.

Where a CUDA device runs out of memory in a step, the forests are halved from there on, and
the step is repeated. That changes no result but for rounding, so it is written down first:

    {"kind": "forest_halved", "step": 12, "tokens_per_forest": 8192, ...}

in events.jsonl. A run that resumes from anywhere then halves where it did before, and ends
with the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import TokenRow
from tunesmith.runs import Run

_KIND = "forest_halved"


class Room:
    """The tokens of a forest, step by step."""

    def __init__(self, chosen: int, run: Run) -> None:
        """Begin with `chosen` tokens, and with what the run's events say was halved."""
        self._chosen = chosen
        self._run = run
        self._halved = [
            (int(str(event["step"])), int(str(event["tokens_per_forest"])))
            for event in run.events.read(_KIND)
        ]

    def at(self, step: int) -> int:
        """Tokens that step `step` computes at once."""
        return min([self._chosen, *(tokens for since, tokens in self._halved if since <= step)])

    def halve(self, step: int, longest: int) -> int | None:
        """Tokens from `step` on, written down; None where `longest` does not allow for fewer."""
        before = self.at(step)
        tokens = max(before // 2, longest)
        if tokens >= before:
            return None
        self._run.events.append(_KIND, step=step, tokens_per_forest=tokens, before=before)
        self._halved.append((step, tokens))
        return tokens


def longest_example(rows: Sequence[TokenRow], together: int) -> int:
    """Tokens of the rows that must be computed at once, the longest of them."""
    lengths = [row.ids_T.size for row in rows]
    return max(
        (sum(lengths[start : start + together]) for start in range(0, len(lengths), together)),
        default=0,
    )
