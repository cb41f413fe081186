"""Preferences: every way of writing a pair gives the same two rows, and bad pairs are named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.data.shops import WORDS, check, data_of, prepare, qa
from tunesmith.contracts import JsonObject, Message, Preference
from tunesmith.data.coding import load_coding
from tunesmith.data.content import content_as_json, content_from_json, digest_of, group_of
from tunesmith.data.examples import load_examples, read_examples
from tunesmith.data.kind import require_kind
from tunesmith.data.order import epoch_length, epoch_order
from tunesmith.errors import DataError
from tunesmith.recipe import Base, Data, PluginChoice, Recipe, Source
from tunesmith.tokenizer.encode import encode_example

Write = Callable[[str, Iterable[object]], Path]

ASKED: JsonObject = {"role": "user", "content": "Is it open?"}
GOOD: JsonObject = {"role": "assistant", "content": "Yes, from 10."}
BAD: JsonObject = {"role": "assistant", "content": "Look it up."}
OTHER: JsonObject = {"role": "user", "content": "Is it closed?"}
CALL: JsonObject = {"type": "function", "function": {"name": "hours", "arguments": {"day": 7}}}
PAIR = Preference(
    prompt=(Message(role="user", content="Is it open?"),),
    chosen=(Message(role="assistant", content="Yes, from 10."),),
    rejected=(Message(role="assistant", content="Look it up."),),
)


def pairs(count: int) -> list[JsonObject]:
    return [
        {
            "prompt": row["question"],
            "chosen": row["answer"],
            "rejected": f"Ask at shop {WORDS[number % 7]}.",
        }
        for number, row in enumerate(qa(count))
    ]


def openai(asked: list[object], good: object, bad: object) -> JsonObject:
    row = {"input": {"messages": asked}, "preferred_output": good, "non_preferred_output": bad}
    return json.loads(json.dumps(row))  # type: ignore[no-any-return]


def read(write_lines: Write, *rows: JsonObject) -> list[Preference]:
    path = write_lines("pairs.jsonl", rows)
    contents = [example.content for example in read_examples(Source(path=str(path)))]
    assert all(isinstance(content, Preference) for content in contents)
    return contents  # type: ignore[return-value]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [ASKED], "chosen": GOOD, "rejected": BAD},
        {"prompt": "Is it open?", "chosen": "Yes, from 10.", "rejected": "Look it up."},
        {"prompt": "Is it open?", "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": "Is it open?", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"prompt": [ASKED], "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"prompt": None, "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {
            "chosen": "\n\nHuman: Is it open?\n\nAssistant: Yes, from 10.",
            "rejected": "\n\nHuman: Is it open?\n\nAssistant: Look it up.",
        },
        {
            "prompt": json.dumps([ASKED]),
            "chosen": json.dumps([GOOD]),
            "rejected": json.dumps([BAD]),
        },
        openai([ASKED], [GOOD], [BAD]),
    ],
)
def test_every_form_gives_the_same_pair(write_lines: Write, row: JsonObject) -> None:
    assert read(write_lines, row) == [PAIR]


def test_systems_tools_calls_and_weights_are_kept(write_lines: Write) -> None:
    row = openai(
        [{"role": "system", "content": "Be brief."}, ASKED, {**BAD, "weight": 0.5}, OTHER],
        [
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "10 to 17"},
            {**GOOD, "weight": 0.5},
            ASKED,
        ],
        [BAD],
    )
    row["input"]["tools"] = [{"name": "hours"}]  # type: ignore[index, call-overload]
    (pair,) = read(write_lines, row)
    assert pair.tools == ({"type": "function", "function": {"name": "hours"}},)
    assert [turn.weight for turn in pair.prompt] == [1.0] * 4
    assert [(turn.role, turn.weight) for turn in pair.chosen] == [
        ("assistant", 1.0),
        ("tool", 1.0),
        ("assistant", 0.5),
    ]
    chosen, rejected = pair.sides()
    assert [turn.weight for turn in chosen.messages] == [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.5]
    assert rejected.messages[:4] == chosen.messages[:4]
    again = content_from_json(json.loads(json.dumps(content_as_json(pair))))
    assert again == pair and digest_of(again) == digest_of(pair)


def test_answers_to_one_prompt_are_one_group(write_lines: Write) -> None:
    row: JsonObject = {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]}
    third = {"role": "assistant", "content": "I think so."}
    rows = [row, {**row, "rejected": [third]}, {**row, "prompt": [OTHER]}]
    first, second, other = map(group_of, read(write_lines, *rows))
    assert first == second != other


FAULTS: list[tuple[JsonObject, str]] = [
    ({"chosen": [ASKED, GOOD], "rejected": [OTHER, BAD]}, "different prompts: turn 1 of chosen"),
    ({"chosen": [ASKED, GOOD], "rejected": [OTHER, GOOD]}, "different prompts"),
    ({"chosen": [ASKED, GOOD], "rejected": [ASKED, GOOD]}, "are the same"),
    ({"prompt": "Is it?", "chosen": "Yes.", "rejected": "Yes."}, "are the same"),
    ({"prompt": [ASKED], "chosen": [GOOD], "rejected": [{**GOOD, "weight": 2}]}, "are the same"),
    ({"chosen": [GOOD], "rejected": [BAD]}, "without a prompt"),
    ({"prompt": [], "chosen": [GOOD], "rejected": [BAD]}, "the prompt is empty"),
    ({"prompt": "", "chosen": "Yes.", "rejected": "No."}, "prompt is empty"),
    ({"prompt": [ASKED], "chosen": [GOOD], "rejected": []}, "rejected is empty"),
    ({"chosen": [ASKED, GOOD], "rejected": [ASKED]}, "rejected is empty"),
    ({"prompt": "Is it?", "chosen": " ", "rejected": "No."}, "chosen is empty"),
    (
        {"prompt": [ASKED], "chosen": [{**GOOD, "content": ""}], "rejected": [BAD]},
        "chosen: turn 2 (assistant) is empty",
    ),
    ({"prompt": [ASKED], "chosen": [{**GOOD, "weight": 0}], "rejected": [BAD]}, "weight 0"),
    ({"prompt": [OTHER], "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}, "do not begin with"),
    ({"prompt": [ASKED], "chosen": [ASKED, GOOD], "rejected": [BAD]}, "chosen begins with a turn"),
    ({"prompt": [ASKED, GOOD], "chosen": [BAD], "rejected": [GOOD]}, "second assistant turn"),
    ({"chosen": "Yes.", "rejected": "No."}, "the row has no prompt"),
    ({"prompt": "Is it?", "chosen": None, "rejected": "No."}, "chosen is null"),
    ({"prompt": "Is it?", "chosen": 7, "rejected": "No."}, "chosen is a number"),
    (openai([ASKED], [GOOD], [GOOD]), "are the same"),
    (openai([ASKED], [GOOD], []), "rejected is empty"),
    (openai([], [GOOD], [BAD]), "the prompt is empty"),
    ({**openai([ASKED], [GOOD], [BAD]), "input": [ASKED]}, "input is a list"),
]


@pytest.mark.parametrize("row", FAULTS, ids=[says for _, says in FAULTS])
@pytest.mark.parametrize("before", [0, 3])
def test_bad_pairs_are_named_with_their_line(
    write_lines: Write, row: tuple[JsonObject, str], before: int
) -> None:
    values, says = row
    good = openai([ASKED], [GOOD], [BAD])
    if "input" not in values:
        good = {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]}
    path = write_lines("pairs.jsonl", [*([good] * before), values])
    with pytest.raises(DataError) as caught:
        list(read_examples(Source(path=str(path))))
    assert says in caught.value.what
    assert caught.value.hint
    assert caught.value.place is not None and caught.value.place.line == before + 1


def recipe(path: Path, method: str, **data: object) -> Recipe:
    sources = (Source(path=str(path)),)
    return Recipe(
        base=Base(path=""),
        data=Data.model_validate({"sources": sources, **data}),
        method=PluginChoice(name=method),
    )


def test_rows_and_method_must_be_of_one_kind(write_lines: Write) -> None:
    two, one = write_lines("pairs.jsonl", pairs(3)), write_lines("rows.jsonl", qa(3))
    require_kind(recipe(one, "sft"))
    for given in (recipe(two, "sft"), recipe(one, "sft", held_out=str(two))):
        with pytest.raises(DataError, match="learns from single answers") as caught:
            require_kind(given)
        assert "method: dpo" in caught.value.hint
        assert str(caught.value.place) == f"{two}:1"
    kept = Source(path=str(two), columns={"prompt": "prompt", "completion": "chosen"})
    require_kind(recipe(two, "sft", sources=(kept,)))


def test_each_pair_becomes_two_rows_side_by_side(
    write_lines: Write, base: Path, tmp_path: Path
) -> None:
    path = write_lines("pairs.jsonl", pairs(40))
    data = data_of(path, held_out=10)
    made = prepare(data, base=base, run_folder=tmp_path / "run", seed=0, max_length=200)
    assert made.held_out is not None
    assert (len(made.train), len(made.held_out)) == (60, 20)
    assert made.train.rows_per_example == made.held_out.rows_per_example == 2
    assert epoch_length(made.mixture) == 30
    assert sorted(epoch_order(made.mixture, 0)) == list(range(30))
    held_out = list(load_examples(made.held_out_examples))
    assert len(held_out) == 10
    assert len(list(load_examples(made.train_examples))) == 30
    for number, example in enumerate(held_out):
        assert isinstance(example.content, Preference)
        for side, turns in enumerate((example.content.chosen, example.content.rejected)):
            row = made.held_out.row(2 * number + side)
            assert row.place == example.place
            trained = [int(token) for token in row.ids_T[row.weights_T > 0]]
            text = bytes_of(base, trained)
            assert text == f"{turns[0].content}</s>"


def bytes_of(base: Path, ids: list[int]) -> str:
    coding = load_coding(base, None, "all", datetime(2026, 1, 1))
    return coding.tokenizer.decode(ids, skip_special=False)


def test_half_a_pair_that_does_not_fit_takes_the_other_with_it(
    write_lines: Write, base: Path, tmp_path: Path
) -> None:
    rows = [*pairs(6), {"prompt": "Why?", "chosen": "Ha.", "rejected": "word " * 50}]
    data = data_of(write_lines("pairs.jsonl", rows), held_out=0, overlong="drop")
    made = prepare(data, base=base, run_folder=tmp_path / "run", seed=0, max_length=100)
    assert len(made.train) == 12
    assert made.audit.counts == {"overlong": 1}
    assert made.audit.findings[0].line == 7


def test_check_counts_pairs_and_shows_both_sides(write_lines: Write, base: Path) -> None:
    report = check(data_of(write_lines("pairs.jsonl", pairs(20))), base=base, seed=0)
    assert report.audit.rows == 20
    assert report.audit.statistics["train"] == 18
    assert len(report.lengths) == 40
    first, second = report.preview[:2]
    assert first.place == second.place
    assert [one.side for one in (first, second)] == ["chosen", "rejected"]
    assert first.segments[0] == second.segments[0]
    assert first.segments[1] == ("Shop 0 is open.</s>", True)
    assert second.segments[1] == ("Ask at shop open.</s>", True)


def test_a_completion_that_needs_several_rows_is_refused(base: Path) -> None:
    template = base.parent / "rewrites.jinja"
    template.write_text(
        "{% for m in messages %}<s>{{ m.role }}: {{ m.content if loop.last or m.role != "
        "'assistant' else m.content[:1] }}</s>{% endfor %}"
        "{% if add_generation_prompt %}<s>assistant: {% endif %}"
    )
    coding = load_coding(base, str(template), "all", datetime(2026, 1, 1))
    long = (*PAIR.chosen, Message(role="user", content="Sure?"), *PAIR.chosen)
    pair = Preference(prompt=PAIR.prompt, chosen=long, rejected=PAIR.rejected)
    with pytest.raises(DataError, match="chosen holds 2 answers"):
        encode_example(pair, coding.tokenizer, coding.template, train_on="all")
    rows = encode_example(PAIR, coding.tokenizer, coding.template, train_on="all")
    assert len(rows) == 2 and all(np.any(np.array(row.weights) > 0) for row in rows)
