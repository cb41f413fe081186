"""Special tokens within texts: those of common models, and those of the base."""

from __future__ import annotations

import pytest

from tests.data.checks.looked_at import asked, found_in, rules_in
from tunesmith.data.audit.contracts import Ground


@pytest.mark.parametrize(
    "marker",
    ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>", "<start_of_turn>", "[/INST]"]
    + ["<<SYS>>", "<</SYS>>", "<pad>", "<｜end▁of▁sentence｜>", "[MASK]", "<fim_prefix>"],
)
def test_markers_of_common_models(marker: str) -> None:
    for row in (asked(f"Say {marker} now", "No."), asked("Say it now", f"No.{marker}")):
        (one,) = found_in("special_tokens", [row])
        assert (one.rule, one.index) == ("special_token", 0)
        assert marker in one.excerpt
        assert marker not in one.message


def test_markers_of_the_base() -> None:
    row = asked("Say @@end@@ now", "No.")
    assert rules_in("special_tokens", [row]) == []
    found = found_in("special_tokens", [row], Ground(limits={}, markers=("@@end@@", "@@")))
    assert [one.rule for one in found] == ["special_token"]


def test_signs_that_are_no_markers() -> None:
    rows = [
        asked("Is a < b | c > d?", "<s> is struck through in HTML? No: <strike>."),
        asked("What is [INSTALL]?", "A <sentence> in <padding>, [1] and |x|."),
    ]
    assert rules_in("special_tokens", rows) == ["special_token"]
    assert rules_in("special_tokens", rows[1:]) == []


def test_segments_hold_them_on_purpose() -> None:
    parts = [{"text": "<s>Is it open?", "label": False}, {"text": "Yes.</s>", "label": True}]
    assert rules_in("special_tokens", [{"segments": list(parts)}]) == []
