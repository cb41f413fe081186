"""Whether data looks like classification: few different, short answers.

    {"prompt": "I lost my card", "completion": "lost_card"}   ->   label "lost_card"

Rows are counted as they come; what is kept is bounded, however many answers there are.
"""

from __future__ import annotations

from collections import Counter

from tunesmith.data.audit.contracts import AuditRow

LONGEST = 60
"""Characters of an answer that may still be a label."""
MOST_WORDS = 8
MOST_CLASSES = 200
LEAST_PER_CLASS = 5
"""Rows below which a class is not judged."""
LEAST_ROWS = 50
_MOST_KEPT = 4 * MOST_CLASSES
_SHARE_OF_LABELS = 0.9
_SHARE_IN_CLASSES = 0.8


def label_of(row: AuditRow) -> str | None:
    """The answer of a row that asks once and is answered shortly; else None."""
    if len(row.exchanges) != 1:
        return None
    exchange = row.exchanges[0]
    if len(exchange.answer) > LONGEST + 20 or not exchange.question:
        return None
    label = exchange.answer.strip()
    if not label or len(label) > LONGEST or "\n" in label:
        return None
    return label if label.count(" ") < MOST_WORDS else None


class LabelTally:
    """Answers that may be labels, counted."""

    def __init__(self) -> None:
        """Begin empty."""
        self.rows = 0
        self._labelled = 0
        self._counts: Counter[str] = Counter()

    def add(self, row: AuditRow) -> str | None:
        """Count a row; its answer where that may be a label."""
        self.rows += 1
        label = label_of(row)
        if label is None:
            return None
        self._labelled += 1
        self._counts[label] += 1
        if len(self._counts) > _MOST_KEPT:
            # What comes often stays, whenever it comes: one is taken from every count.
            self._counts = Counter(
                {label: count - 1 for label, count in self._counts.items() if count > 1}
            )
        return label

    def classes(self) -> dict[str, int] | None:
        """Rows of each class, the largest first; None where the data is not of classes."""
        if self.rows < LEAST_ROWS or self._labelled < _SHARE_OF_LABELS * self.rows:
            return None
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        counted = {label: count for label, count in ordered if count >= LEAST_PER_CLASS}
        if len(ordered) < 2 or not 1 <= len(counted) <= MOST_CLASSES:
            return None
        if sum(counted.values()) < _SHARE_IN_CLASSES * self._labelled:
            return None
        return dict(ordered)
