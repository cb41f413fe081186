"""Small data sets about shops, and the recipe's section for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts import JsonObject
from tunesmith.data import stage
from tunesmith.data.audit.inspection import Inspection
from tunesmith.data.prepared import Prepared
from tunesmith.recipe import AuditRules, Data, Source

BASICS = Inspection(
    rules=AuditRules(
        rules=(
            "chosen_is_rejected",
            "different_prompts",
            "duplicate",
            "empty_answer",
            "leak",
            "missing_answer",
            "missing_prompt",
            "mixed_schema",
            "nothing_to_train",
            "overlong",
            "oversized_group",
            "role_order",
            "tool_call",
            "truncated",
            "unusable_row",
        )
    )
)
"""For tests of what is read, split and cut: ten rows about shops are no good data set."""

WORDS = ["open", "closed", "warm", "cold", "near", "far", "cheap", "dear"]


def qa(count: int, start: int = 0) -> list[JsonObject]:
    return [
        {"question": f"Is shop {n} {WORDS[n % 8]}?", "answer": f"Shop {n} is {WORDS[n % 5]}."}
        for n in range(start, start + count)
    ]


def data_of(*paths: Path, **options: Any) -> Data:
    return Data(sources=tuple(Source(path=str(path)) for path in paths), **options)


def prepare(data: Data, *, max_length: int, **options: Any) -> Prepared:
    data = data.model_copy(update={"max_length": max_length})
    return stage.prepare(data, **{"inspection": BASICS, **options})


def check(data: Data, **options: Any) -> stage.CheckReport:
    return stage.check(data, **{"inspection": BASICS, **options})
