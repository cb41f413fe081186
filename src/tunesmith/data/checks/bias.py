"""Who the data speaks of, with what words, and with what outcome: remarks on the whole set.

    {"prompt": "She asks for a loan of 900.", "completion": "rejected"}
        gender: female 1 row   ->   group_counts, label_imbalance, counterfactual_gap ...

Only words are looked at, in English and, for gender, in German, French and Spanish: who is
meant by a name is not known, and a difference may have a good reason. What is reported is
surely no chance, at 95 % for all comparisons of a rule at once; it is not proof of harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from tunesmith.contracts import JsonObject, Severity
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows
from tunesmith.data.bias.association import Association, Associations
from tunesmith.data.bias.counterfactual import Counterparts, Gap
from tunesmith.data.bias.mentions import Reading, reading_of, sentences_of
from tunesmith.data.bias.outcomes import (
    LabelGap,
    LabelOutcomes,
    SentimentGap,
    SentimentOutcomes,
)
from tunesmith.data.labels.tally import LabelTally

RULES = {
    "group_counts": Rule(
        severity="info",
        why="What is said of a group that is hardly mentioned is learned from few examples.",
        fix="add rows about the groups that matter for the task and are rare",
    ),
    "group_association": Rule(
        severity="info",
        why="A model repeats which group goes with which occupation or quality.",
        fix="add rows in which other groups stand with these words, or the same with terms swapped",
        limit=2.0,
        limit_is="smallest odds ratio, against the other groups of the axis, that is reported",
    ),
    "label_imbalance": Rule(
        severity="info",
        why="A model can learn to decide by the group that a row mentions.",
        fix="find out whether the difference has a good reason; if not, balance the labels",
        limit=0.1,
        limit_is="smallest difference between two shares of a label that is reported",
    ),
    "sentiment_imbalance": Rule(
        severity="info",
        why="A model speaks of groups as its data does.",
        fix="look at what is said of the group; add or drop rows",
        limit=0.1,
        limit_is="smallest difference in sentiment, from -1 to 1, that is reported",
    ),
    "counterfactual_gap": Rule(
        severity="info",
        why="Without the same row about another group, the group may look like the reason.",
        fix="add the rows with terms swapped ('he' for 'she', 'his' for 'her')",
        limit=0.1,
        limit_is="smallest share of rows without counterpart that is reported",
    ),
    "unequal_counterpart": Rule(
        severity="warn",
        why="Two rows that differ in the group alone have different labels.",
        fix="look which label is right, and give it to both rows",
    ),
}
_STRONG_GAP = 0.3
_STRONG_ODDS = 3.0
_MOST_WORDS_TOLD = 5
_MOST_LABELS_TOLD = 10
_MOST_GROUPS_TOLD = 8
_LEAST_ROWS = 20
_LEAST_SHARE_THERE = 0.02
_LEAST_RATIO = 2.0


def begin(ground: Ground) -> Bias:
    """The check; it keeps counts, and some 25 bytes of a short row that mentions somebody."""
    return Bias(ground)


class Bias:
    """Counts of what is said of groups."""

    def __init__(self, ground: Ground) -> None:
        """Begin empty."""
        self._limits = ground.limits
        self._rows = 0
        self._asked: Counter[tuple[str, str]] = Counter()
        self._answered: Counter[tuple[str, str]] = Counter()
        self._mentioned: Counter[tuple[str, str]] = Counter()
        self._tally = LabelTally()
        self._labels = LabelOutcomes()
        self._sentiments = SentimentOutcomes()
        self._associations = Associations()
        self._counterparts = Counterparts()

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Count who the row mentions, and how."""
        self._rows += 1
        label = self._tally.add(row)
        reading = reading_of(row.prompt, row.answer)
        if label is not None:
            asked = reading.alone(asked_only=True) if reading else {}
            axes = {one.term.axis for one in reading.asked} if reading else set()
            self._labels.add(row.index, label, asked, axes)
        if reading is not None:
            self._count(reading)
            sentences = reading.sentences()
            self._associations.add(row.index, sentences)
            self._sentiments.add(sentences)
            self._counterparts.add(row.index, reading, has_label=label is not None)
        return ()

    def _count(self, reading: Reading) -> None:
        asked = {(one.term.axis, one.term.group) for one in reading.asked}
        answered = {(one.term.axis, one.term.group) for one in reading.answered}
        self._asked.update(asked)
        self._answered.update(answered)
        self._mentioned.update(asked | answered)

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Remarks, axis by axis."""
        yield from self._counts()
        yield from self._associated(rows)
        yield from self._labelled()
        for gap in self._sentiments.found(self._limits["sentiment_imbalance"]):
            yield _sentiment_remark(gap)
        yield from self._without_counterpart(rows)

    def statistics(self) -> JsonObject:
        """Rows that mention a group, in the question and in the answer, by axis."""
        out: JsonObject = {}
        for axis, keys in groupby(sorted(self._mentioned), key=lambda key: key[0]):
            out[axis] = {
                group: {
                    "rows": self._mentioned[axis, group],
                    "in_question": self._asked[axis, group],
                    "in_answer": self._answered[axis, group],
                }
                for _, group in keys
            }
        return out

    def _counts(self) -> Iterator[Found]:
        for axis, keys in groupby(sorted(self._mentioned), key=lambda key: key[0]):
            counts = sorted(
                ((self._mentioned[key], key[1]) for key in keys), key=lambda one: (-one[0], one[1])
            )
            shown = [
                f"{group} {rows:,} ({rows / self._rows:.1%})"
                for rows, group in counts[:_MOST_GROUPS_TOLD]
            ]
            left = len(counts) - _MOST_GROUPS_TOLD
            more = f" and {left} groups more" if left > 0 else ""
            yield Found(
                rule="group_counts",
                message=f"rows that mention a group, {axis}: {', '.join(shown)}{more}",
            )

    def _associated(self, rows: Rows) -> Iterator[Found]:
        found = self._associations.found(self._limits["group_association"])
        for (axis, group), some in groupby(found, key=lambda one: (one.axis, one.group)):
            words = list(some)
            told = ", ".join(_association_told(one) for one in words[:_MOST_WORDS_TOLD])
            strong = words[0].odds.low >= _STRONG_ODDS and words[0].rows >= _LEAST_ROWS
            yield Found(
                rule="group_association",
                severity="warn" if strong else None,
                message=f"{axis}: sentences about {group} hold these words more often than those "
                f"about others: {told}",
                excerpt=_sentence_of(rows.row(words[0].first_row), words[0]),
                fix="" if len(words) <= _MOST_WORDS_TOLD else _more(len(words)),
            )

    def _labelled(self) -> Iterator[Found]:
        classes = self._tally.classes()
        if classes is None:
            return
        gaps = self._labels.found(classes, self._limits["label_imbalance"])
        for gap in gaps[:_MOST_LABELS_TOLD]:
            yield _label_remark(gap)

    def _without_counterpart(self, rows: Rows) -> Iterator[Found]:
        for gap in self._counterparts.gaps():
            if self._says_something(gap):
                most = sorted(gap.of_group.items(), key=lambda one: (-one[1], one[0]))
                counts = ", ".join(f"{group} {n:,}" for group, n in most[:_MOST_GROUPS_TOLD])
                yield Found(
                    rule="counterfactual_gap",
                    message=f"{gap.axis}: {gap.without:,} of {gap.rows:,} short rows "
                    f"({gap.without / gap.rows:.0%}) that mention one group only ({counts}) have "
                    "no counterpart with the terms of another; this is the first",
                    excerpt=rows.row(gap.first_row).prompt or rows.row(gap.first_row).answer,
                )
        for pair in self._counterparts.unequal():
            yield Found(
                rule="unequal_counterpart",
                index=pair.first,
                other=pair.second,
                message=f"the same row about another group ({pair.axis}) has another label",
                excerpt=rows.row(pair.first).prompt,
                rows=2,
            )

    def _says_something(self, gap: Gap) -> bool:
        """Where some counterparts are there and others are not, or one gender prevails."""
        if gap.rows < _LEAST_ROWS or gap.without < self._limits["counterfactual_gap"] * gap.rows:
            return False
        some_are_there = gap.rows - gap.without >= _LEAST_SHARE_THERE * gap.rows
        few, many = sorted([0, 0, *gap.of_group.values()])[-2:]
        prevails = gap.axis == "gender" and few > 0 and many >= _LEAST_RATIO * few
        return some_are_there or prevails


def _sentence_of(row: AuditRow, one: Association) -> str:
    """The row's first sentence with the group and the word."""
    for text in (*sentences_of(row.prompt), *sentences_of(row.answer)):
        reading = reading_of("", text)
        for sentence in reading.sentences() if reading else ():
            if sentence.alone.get(one.axis) == one.group and one.word in sentence.described:
                return text.strip()
    return ""


def _association_told(one: Association) -> str:
    return (
        f"{one.word} ({one.rows:,} rows, odds {one.odds.estimate:.1f} times, "
        f"95 %: {one.odds.low:.1f} to {one.odds.high:.1f})"
    )


def _more(words: int) -> str:
    own = RULES["group_association"].fix
    return f"{own}; {words - _MOST_WORDS_TOLD} words more are like these"


def _label_remark(gap: LabelGap) -> Found:
    others = "mention others of that axis" if gap.among_axis else "mention nobody of that axis"
    return Found(
        rule="label_imbalance",
        severity=_strength(gap.gap.low),
        message=f"{gap.axis}: of rows that mention {gap.group}, {gap.share.estimate:.0%} "
        f"(95 %: {gap.share.low:.0%} to {gap.share.high:.0%}) carry one label; of those that "
        f"{others}, {gap.other_share.estimate:.0%} "
        f"({gap.other_share.low:.0%} to {gap.other_share.high:.0%})",
        excerpt=gap.label,
        rows=gap.rows,
    )


def _sentiment_remark(gap: SentimentGap) -> Found:
    sure = gap.gap.low if gap.gap.low > 0 else -gap.gap.high
    better = "better" if gap.gap.estimate > 0 else "worse"
    return Found(
        rule="sentiment_imbalance",
        severity=_strength(sure),
        message=f"{gap.axis}: {gap.group} is spoken of {better} than others: mean sentiment "
        f"{gap.mean:+.2f} against {gap.other_mean:+.2f} (difference {gap.gap.estimate:+.2f}, "
        f"95 %: {gap.gap.low:+.2f} to {gap.gap.high:+.2f})",
        rows=gap.rows,
    )


def _strength(sure: float) -> Severity | None:
    return "warn" if sure >= _STRONG_GAP else None
