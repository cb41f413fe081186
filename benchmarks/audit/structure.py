"""Rows that are built wrongly: roles, empty sides, calls of tools, pairs.

{"messages": [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Hm?"}]}
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy

from benchmarks.audit.bed import Bed, Defect, Row, Values
from benchmarks.audit.dice import Dice
from benchmarks.audit.duplicates import LONG, restated

EACH = 5
Change = Callable[[Values, Dice], None]
_REFUSED = ("unusable_row",)
_TOOLS = ("book_table", "find_flight", "play_song", "get_balance", "list_events", "set_alarm")
_BAD_ARGUMENTS = ('{"city": "San Jose"', "city=San Jose, seats=2", "{'city': 'San Jose'}", "",
                  '{"city": San Jose}', "[unclear]")  # fmt: skip


def plant_structure(bed: Bed) -> None:
    """What can be wrong with a row of this file's format."""
    if "messages" in bed.rows[0].values:
        for rule, variant, change, accept in _CHAT:
            _plant(bed, rule, variant, change, accept)
    else:
        for rule, variant, change, accept in _COLUMNS:
            _plant(bed, rule, variant, change, accept)
    for _ in range(EACH):
        row = bed.take()
        row.raw = json.dumps(_other_schema(row))
        bed.plant(Defect(rule="mixed_schema", variant="a row of another format", rows=(row,),
                         accept=_REFUSED))  # fmt: skip
        row = bed.take()
        row.raw = json.dumps(bed.dice.of(([1, 2], {"id": 7, "note": "none"}, "row", None, {}, 3)))
        bed.plant(Defect(rule="unusable_row", variant="no row at all", rows=(row,),
                         accept=("mixed_schema", "missing_prompt", "missing_answer"),
                         refusable=True))  # fmt: skip
        if "messages" in row.values:
            for variant, turns, near_miss in _CALLS:
                row = bed.take()
                row.values["messages"] = row.values["messages"][:1] + turns(bed.dice)
                bed.plant(Defect(rule="tool_call", variant=variant, rows=(row,),
                                 accept=() if near_miss else _REFUSED,
                                 near_miss=near_miss))  # fmt: skip


def plant_pairs(bed: Bed) -> None:
    """What can be wrong with a pair of answers."""
    dice = bed.dice
    for _ in range(2 * EACH):
        row = bed.take()
        row.values["rejected"] = row.values["chosen"]
        _pair(bed, "chosen_is_rejected", "same text", row)
        row = bed.take()
        row.values["rejected"] = f" {row.values['chosen']}\n"
        _pair(bed, "chosen_is_rejected", "same but for spaces", row)
        row, donor = bed.take(), bed.take()
        row.values = _transcripts(row.values, donor.values["prompt"])
        _pair(bed, "different_prompts", "other question", row)
        row = bed.take()
        row.values = _transcripts(row.values, row.values["prompt"] + " Please.")
        _pair(bed, "different_prompts", "one word more", row)
        row = bed.take()
        row.values["chosen"] = dice.of(("", "   ", "\n", " \t"))
        _pair(bed, "empty_answer", "chosen", row, accept=("missing_answer", *_REFUSED))
        row = bed.take()
        row.values["rejected"] = dice.of(("", "   ", "\n", " \t"))
        _pair(bed, "empty_answer", "rejected", row, accept=("missing_answer", *_REFUSED))
        row = bed.take()
        row.values["prompt"] = dice.of(("", "  ", "\n\n", "\t"))
        _pair(bed, "missing_prompt", "empty", row, accept=_REFUSED)
        row = bed.take()
        del row.values[dice.of(("chosen", "rejected"))]
        _pair(bed, "missing_answer", "one of the two", row,
              accept=("mixed_schema", "empty_answer", *_REFUSED))  # fmt: skip


def plant_special_tokens(bed: Bed) -> None:
    """Text that a tokenizer would take for structure."""
    dice = bed.dice
    signs = ("<|im_" + "end|>", "<|im_" + "start|>", "</" + "s>", "<|end" + "oftext|>")
    for _ in range(3 * EACH):
        row = bed.take()
        part = "question" if dice.chance(0.5) else "answer"
        row.put(part, f"{row.text(part)} {dice.random.choice(signs[:2])}user")
        bed.plant(Defect(rule="special_token", variant="of the base", rows=(row,),
                         also=("markup",)))  # fmt: skip
    for _ in range(EACH):
        row = bed.take(words=LONG)
        other = bed.add(restated(row, "typos, one word in 50", dice))
        bed.plant(Defect(rule="special_token", variant="no token at all", rows=(other,),
                         near_miss=True, mates=(row,)))  # fmt: skip


def _plant(bed: Bed, rule: str, variant: str, change: Change, accept: tuple[str, ...]) -> None:
    for _ in range(EACH):
        row = bed.take(words=3)
        row.values = deepcopy(row.values)
        change(row.values, bed.dice)
        bed.plant(
            Defect(rule=rule, variant=variant, rows=(row,), accept=(*accept, *_REFUSED),
                   also=("conflicting_answers",) if rule == "missing_prompt" else ())
        )  # fmt: skip


def _pair(bed: Bed, rule: str, variant: str, row: Row, accept: tuple[str, ...] = _REFUSED) -> None:
    bed.plant(Defect(rule=rule, variant=variant, rows=(row,), accept=accept))


def _transcripts(values: Values, other_prompt: str) -> Values:
    """The pair as two conversations, with a question each."""

    def turns(prompt: str, answer: str) -> list[Values]:
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]

    return {
        "chosen": turns(values["prompt"], values["chosen"]),
        "rejected": turns(other_prompt, values["rejected"]),
    }


def _other_schema(row: Row) -> Values:
    if "messages" in row.values:
        return {"prompt": row.text("question"), "completion": row.text("answer")}
    return {"messages": [{"role": "user", "content": row.text("question")},
                         {"role": "assistant", "content": row.text("answer")}]}  # fmt: skip


def _column(values: Values, wanted: tuple[str, ...]) -> str:
    return next(name for name in wanted if name in values)


def _set_column(wanted: tuple[str, ...], *texts: object) -> Change:
    def change(values: Values, dice: Dice) -> None:
        values[_column(values, wanted)] = dice.of(texts)

    return change


def _drop_column(wanted: tuple[str, ...]) -> Change:
    def change(values: Values, _: Dice) -> None:
        del values[_column(values, wanted)]

    return change


def _echo(before: str, after: str) -> Change:
    def change(values: Values, _: Dice) -> None:
        row = Row(values)
        values["input"] = "" if "input" in values else values.pop("input", None)
        if values["input"] is None:
            del values["input"]
        row.put("answer", f"{before}{row.text('question')}{after}")

    return change


_Q, _A = ("question", "instruction"), ("answer", "output")
_COLUMNS: tuple[tuple[str, str, Change, tuple[str, ...]], ...] = (
    ("empty_answer", "empty", _set_column(_A, "", ""), ("missing_answer",)),
    ("empty_answer", "only spaces", _set_column(_A, "   ", "\n\t", "\u00a0", "\u2003 "),
     ("missing_answer",)),
    ("empty_answer", "invisible signs", _set_column(_A, "\u200b", "\u200b \ufeff"),
     ("missing_answer", "invisible_character")),
    ("missing_answer", "null", _set_column(_A, None, None), ("empty_answer", "mixed_schema")),
    ("missing_answer", "no column", _drop_column(_A), ("empty_answer", "mixed_schema")),
    ("missing_prompt", "null", _set_column(_Q, None, None), ("mixed_schema",)),
    ("missing_prompt", "no column", _drop_column(_Q), ("mixed_schema",)),
    ("missing_prompt", "empty", _set_column(_Q, "", "  "), ()),
    ("answer_is_question", "same text", _echo("", ""), ()),
    ("answer_is_question", "same but for spaces", _echo("  ", "\n"), ()),
    ("mixed_schema", "a number for a text", _set_column(_A, 17, 3.5, True, 0), ("missing_answer",)),
    ("mixed_schema", "a list for a text", _set_column(_A, ["yes"], [], ["a", "b"], [1]),
     ("missing_answer",)),
)  # fmt: skip


def _swap_roles(values: Values, _: Dice) -> None:
    for turn in values["messages"]:
        turn["role"] = "assistant" if turn["role"] == "user" else "user"


def _double_user(values: Values, _: Dice) -> None:
    values["messages"].insert(1, {"role": "user", "content": "Are you still there?"})


def _double_assistant(values: Values, _: Dice) -> None:
    values["messages"].insert(2, {"role": "assistant", "content": "Anything else?"})


def _late_system(values: Values, _: Dice) -> None:
    values["messages"].insert(2, {"role": "system", "content": "Be brief."})


def _unknown_role(values: Values, dice: Dice) -> None:
    values["messages"][0]["role"] = dice.of(("customer", "narrator", "agent", "speaker"))


def _ends_with_user(values: Values, _: Dice) -> None:
    values["messages"] = values["messages"][:-1]


def _only_user(values: Values, _: Dice) -> None:
    values["messages"] = values["messages"][:1]


def _only_assistant(values: Values, _: Dice) -> None:
    values["messages"] = values["messages"][1:2]


def _no_turns(values: Values, _: Dice) -> None:
    values["messages"] = []


def _last(text: object) -> Change:
    def change(values: Values, _: Dice) -> None:
        values["messages"][-1]["content"] = text

    return change


def _echo_chat(values: Values, _: Dice) -> None:
    values["messages"] = values["messages"][:2]
    values["messages"][1]["content"] = values["messages"][0]["content"]


_CHAT: tuple[tuple[str, str, Change, tuple[str, ...]], ...] = (
    ("role_order", "roles exchanged", _swap_roles, ("missing_prompt",)),
    ("role_order", "two user turns", _double_user, ()),
    ("role_order", "two assistant turns", _double_assistant, ()),
    ("role_order", "system in the middle", _late_system, ()),
    ("role_order", "unknown role", _unknown_role, ("mixed_schema",)),
    ("role_order", "ends with the user", _ends_with_user, ("missing_answer",)),
    ("missing_answer", "only a question", _only_user, ("empty_answer", "role_order")),
    ("missing_prompt", "only an answer", _only_assistant, ("role_order",)),
    ("missing_prompt", "no turns", _no_turns, ("missing_answer",)),
    ("empty_answer", "last turn empty", _last(""), ("missing_answer",)),
    ("empty_answer", "last turn only spaces", _last("  \n "), ("missing_answer",)),
    ("missing_answer", "last turn null", _last(None), ("empty_answer",)),
    ("answer_is_question", "same text", _echo_chat, ()),
)  # fmt: skip


def _call(name: str, arguments: object, call_id: str = "c1") -> Values:
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "content": None,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}]}  # fmt: skip


def _result(text: str, call_id: str = "c1") -> Values:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def _arguments(dice: Dice) -> str:
    return json.dumps({"city": dice.text("abcdefgh", 5), "seats": dice.number(1, 9)})


def _right(dice: Dice) -> list[Values]:
    return [_call(dice.of(_TOOLS), _arguments(dice)), _result('{"ok": true}'),
            {"role": "assistant", "content": "It is done."}]  # fmt: skip


def _no_result(dice: Dice) -> list[Values]:
    return [_call(dice.of(_TOOLS), _arguments(dice)), {"role": "assistant", "content": "Done."}]


def _bad_arguments(dice: Dice) -> list[Values]:
    return [_call(dice.of(_TOOLS), dice.of(_BAD_ARGUMENTS)), *_right(dice)[1:]]


def _result_without_call(dice: Dice) -> list[Values]:
    return [_result('{"ok": true}'), {"role": "assistant", "content": dice.of(("Yes.", "Fine."))}]


def _other_id(dice: Dice) -> list[Values]:
    return [_call(dice.of(_TOOLS), _arguments(dice)), _result("{}", "c2"), _right(dice)[2]]


def _no_name(dice: Dice) -> list[Values]:
    return [_call("", _arguments(dice)), *_right(dice)[1:]]


_CALLS: tuple[tuple[str, Callable[[Dice], list[Values]], bool], ...] = (
    ("no result", _no_result, False),
    ("arguments are not JSON", _bad_arguments, False),
    ("result without a call", _result_without_call, False),
    ("result of another call", _other_id, False),
    ("no name", _no_name, False),
    ("a call as it should be", _right, True),
)
