"""What a run means, in sentences that need no glossary.

    On 83 held-out questions the tuned model's answers match the reference far better:
    ROUGE-L 0.05 -> 0.71 (+0.66, 95 % interval 0.60 to 0.71).

Only differences whose interval leaves out 0 are called better or worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tunesmith.contracts import Result
from tunesmith.evaluate.wording import interval, metric_name, number, signed, verdict
from tunesmith.report.facts import Facts

Mood = Literal["good", "mixed", "bad", "unknown"]
_FAR = 0.25
_CLEAR = 0.08
_COST = 0.05
"""From this relative loss on general text on, an improvement is called one with a cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The headline, and the sentences below it."""

    mood: Mood
    headline: str
    sentences: tuple[str, ...]


def judge(facts: Facts) -> Judgement:
    """The verdict on a run."""
    if facts.evaluation is None:
        done = "is trained, but not measured yet" if facts.train else "is not finished"
        return Judgement(mood="unknown", headline=f"This run {done}.", sentences=())
    main = headline_result(facts)
    retained = facts.result("retention", "bits_per_byte")
    sentences = [
        sentence
        for sentence in (
            _main_sentence(main),
            _endless_sentence(facts.result("answers", "stopped")),
            _prediction_sentence(facts.result("heldout", "bits_per_byte"), main),
            _retention_sentence(retained),
            _overfitting_sentence(facts.result("overfitting", "gap")),
            _gates_sentence(facts),
        )
        if sentence
    ]
    mood, headline = _headline(main, retained, facts)
    return Judgement(mood=mood, headline=headline, sentences=tuple(sentences))


def headline_result(facts: Facts) -> Result | None:
    """The figure that says most about the task: pairs, labels, answers, or prediction."""
    for task, metric in (
        ("preferences", "reward_accuracy"),
        ("classification", "accuracy"),
        ("answers", "rouge_l"),
        ("heldout", "bits_per_byte"),
    ):
        found = facts.result(task, metric)
        if found is not None:
            return found
    return None


def relative(result: Result) -> tuple[float, float, float] | None:
    """The difference and its interval as shares of the base's figure."""
    if not result.base or result.difference is None or result.low is None or result.high is None:
        return None
    return result.difference / result.base, result.low / result.base, result.high / result.base


def percent(share: float) -> str:
    """`4.1 %`, without a sign."""
    return f"{abs(share) * 100:.1f} %" if abs(share) < 0.1 else f"{abs(share) * 100:.0f} %"


def signed_percent(share: float) -> str:
    """`+4.1 %`; nothing but zeros has no sign."""
    text = percent(share)
    if not any(digit in "123456789" for digit in text):
        return text
    return f"{'-' if share < 0 else '+'}{text}"


def _headline(main: Result | None, retained: Result | None, facts: Facts) -> tuple[Mood, str]:
    failed = (
        [gate for gate in facts.evaluation.gates if not gate.passed] if facts.evaluation else []
    )
    word = verdict(main) if main is not None else "-"
    cost = retained is not None and verdict(retained) == "worse"
    share = relative(retained) if retained is not None else None
    dear = cost and share is not None and share[0] >= _COST
    if failed:
        return "bad", "The run does not meet its conditions."
    if word == "worse":
        return "bad", "The tuned model is worse than the base at its task."
    if word == "better" and dear:
        return "mixed", "The tuned model is better at its task, and worse at general text."
    if word == "better" and _is_endless(facts):
        return "mixed", "The tuned model is better at its task, but fewer of its answers end."
    if word == "better":
        return "good", "The tuned model is better at its task."
    if word == "same":
        return "mixed", "No clear difference between the tuned model and the base was found."
    return "unknown", "There is nothing to say about the task: no rows were held out."


def _main_sentence(main: Result | None) -> str:
    if main is None or main.difference is None:
        return ""
    figures = (
        f"{metric_name(main.metric)} {number(main.base)} → {number(main.tuned)} "
        f"({signed(main.difference)}{_interval_words(main)})"
    )
    how = _how_much(main)
    match main.task:
        case "classification":
            return (
                f"On {main.n} held-out rows the tuned model names the right label {how}: {figures}."
            )
        case "preferences":
            return (
                f"On {main.n} held-out pairs the tuned model tells the chosen answer from the "
                f"rejected one {how}, where one half is chance: {figures}."
            )
        case "answers":
            return (
                f"On {main.n} held-out questions the tuned model's answers match the "
                f"reference {how}: {figures}."
            )
        case _:
            return f"The tuned model predicts the text of {main.n} held-out rows {how}: {figures}."


def _how_much(result: Result) -> str:
    word = verdict(result)
    if word == "-":
        return "as follows, on too few rows to be sure"
    if word == "same":
        return "about as well as the base"
    assert result.difference is not None
    share = abs(result.difference)
    if not result.higher_is_better and result.base:
        share = share / abs(result.base)
    strength = "far " if share >= _FAR else "" if share >= _CLEAR else "slightly "
    return f"{strength}{word}"


def _is_endless(facts: Facts) -> bool:
    stopped = facts.result("answers", "stopped")
    return stopped is not None and verdict(stopped) == "worse"


def _endless_sentence(stopped: Result | None) -> str:
    if stopped is None or stopped.base is None or verdict(stopped) != "worse":
        return ""
    return (
        f"Fewer of its answers end by themselves: {percent(stopped.base)} → "
        f"{percent(stopped.tuned)} of {stopped.n}; look at the answers below before using it."
    )


def _prediction_sentence(result: Result | None, main: Result | None) -> str:
    if result is None or result is main:
        return ""
    share = relative(result)
    if share is None or verdict(result) == "same":
        return "Word for word it predicts the held-out answers about as well as the base."
    less = "less" if share[0] < 0 else "more"
    return (
        f"It needs {percent(share[0])} {less} information to predict the held-out answers "
        f"({number(result.base)} → {number(result.tuned)} bits per byte)."
    )


def _retention_sentence(result: Result | None) -> str:
    share = relative(result) if result is not None else None
    if result is None or share is None:
        return ""
    if verdict(result) == "same":
        return (
            f"General text: no clear change ({number(result.base)} → {number(result.tuned)} "
            "bits per byte), so no sign of forgetting."
        )
    word = verdict(result)
    ends = sorted(abs(end) for end in share[1:])
    return (
        f"General text: {percent(share[0])} {word} ({number(result.base)} → "
        f"{number(result.tuned)} bits per byte, 95 % interval {percent(ends[0])} to "
        f"{percent(ends[1])}){'; this is what the tuning cost' if word == 'worse' else ''}."
    )


def _overfitting_sentence(result: Result | None) -> str:
    if result is None or result.low is None or result.difference is None:
        return ""
    if result.low > 0:
        return (
            "It knows its training rows better than comparable held-out rows: the gap in loss "
            f"grew by {number(result.difference)} nats per token. Fewer epochs may serve better."
        )
    return (
        "The gap in loss between held-out and training rows did not clearly grow: no sign of "
        "memorising."
    )


def _gates_sentence(facts: Facts) -> str:
    gates = facts.evaluation.gates if facts.evaluation is not None else ()
    failed = [str(gate) for gate in gates if not gate.passed]
    if failed:
        return f"{len(failed)} of {len(gates)} gates failed: {'; '.join(failed)}."
    return f"All {len(gates)} gates passed." if gates else ""


def _interval_words(result: Result) -> str:
    return "" if result.low is None else f", 95 % interval {interval(result)}"
