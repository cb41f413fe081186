"""How figures are written for people: names, numbers, and the word for a difference."""

from __future__ import annotations

from tunesmith.contracts import Result

_NAMES = {
    "rouge_l": "ROUGE-L",
    "chrf": "chrF",
    "f1": "F1",
    "macro_f1": "macro F1",
    "likeliest_macro_f1": "macro F1, likeliest",
    "likeliest_accuracy": "accuracy, likeliest",
    "stopped": "answers that end",
    "chosen_loss": "loss of chosen answers",
}
_TASKS = {
    "heldout": "held-out rows",
    "answers": "generated answers",
    "overfitting": "overfitting",
    "retention": "general text",
    "classification": "labels",
    "preferences": "held-out pairs",
}


def metric_name(metric: str) -> str:
    """`rouge_l` is ROUGE-L; other names lose their underscores."""
    return _NAMES.get(metric, metric.replace("_", " "))


def task_name(task: str) -> str:
    """What a task measures, in two words."""
    return _TASKS.get(task, task.replace("_", " "))


def number(value: float | None) -> str:
    """Three decimals, fewer for large numbers, a dash for none."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.3g}" if size >= 1e7 else f"{value:,.0f}"
    decimals = 3 if size < 10 else 2 if size < 100 else 1
    return f"{value:.{decimals}f}"


def signed(value: float | None) -> str:
    """As `number`, with the sign always; a difference that rounds to nothing has none."""
    text = number(value)
    if value is None or not any(digit in "123456789" for digit in text):
        return text.removeprefix("-") if value is not None else text
    return text if text.startswith("-") else f"+{text}"


def interval(result: Result) -> str:
    """`+0.042 to +0.061`, or a dash."""
    if result.low is None or result.high is None:
        return "-"
    return f"{signed(result.low)} to {signed(result.high)}"


def verdict(result: Result) -> str:
    """`better` or `worse` where the interval leaves out 0, `same` where it does not.

    `same` means that no difference could be shown on these rows; `-` that nothing can be said.
    """
    if result.low is None or result.high is None:
        return "-"
    if result.low <= 0 <= result.high:
        return "same"
    return "better" if (result.low > 0) == result.higher_is_better else "worse"
