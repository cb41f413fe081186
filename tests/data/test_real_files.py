"""Public data sets as they are found: every one is read, recognised and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.shops import check
from tunesmith.contracts import Conversation
from tunesmith.data.examples import read_examples, read_file
from tunesmith.errors import DataError
from tunesmith.recipe import Data, Source

FOLDER = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no public data beside the checkout")
COLUMNS = {"prompt": "text", "completion": "category"}


@pytest.mark.parametrize(
    ("name", "form", "rows"),
    [
        ("gpteacher/roleplay-simple-deduped-roleplay-dataset.json", "alpaca", 3146),
        ("gpteacher/toolformer-dedupe-only-dataset.json", "alpaca", 7673),
        ("llamafactory_demos/alpaca_en_demo.json", "alpaca", 999),
        ("llamafactory_demos/identity.json", "alpaca", 91),
        ("llamafactory_demos/glaive_toolcall_en_demo.json", "sharegpt", 300),
        ("llamafactory_demos/reason_tool_use_demo_50.jsonl", "messages", 50),
        ("llamafactory_demos/v1_sft_demo.jsonl", "messages", 500),
        ("llamafactory_demos/c4_demo.jsonl", "text", 300),
        ("llamafactory_demos/wiki_demo.txt", "text", 30),
        ("sgd_dialogues/chat_dev.jsonl", "messages", 2098),
        ("gsm8k/train.jsonl", "question_answer", 7473),
        ("banking77/test.csv", "prompt_completion", 3080),
    ],
)
def test_a_data_set_is_read(name: str, form: str, rows: int) -> None:
    path = FOLDER / name
    source = Source(path=str(path), columns=COLUMNS if "banking" in name else {})
    found = read_file(path, source)
    assert found.format == form
    assert sum(1 for _ in found.examples) == rows


def test_medquad_is_checked_without_a_base() -> None:
    report = check(
        Data(sources=(Source(path=str(FOLDER / "medquad" / "medquad.jsonl")),)), base=None, seed=0
    )
    assert report.audit.rows == 16_407
    assert report.audit.counts == {"duplicate": 48}
    assert report.audit.verdict == "warnings"


def test_calls_and_tools_of_llama_factory_are_kept() -> None:
    path = FOLDER / "llamafactory_demos" / "glaive_toolcall_en_demo.json"
    example = next(read_examples(Source(path=str(path))))
    assert isinstance(example.content, Conversation)
    assert example.content.tools
    (call,) = (call for turn in example.content.messages for call in turn.tool_calls)
    assert call["function"] == {
        "name": "search_recipes",
        "arguments": {"ingredients": ["chicken", "bell peppers", "rice"]},
    }


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("banking77/test.csv", "only text is learnt"),
        ("hh_rlhf/test.jsonl.gz", "is empty"),
        ("llamafactory_demos/dpo_en_demo.json", "feedback"),
        ("llamafactory_demos/kto_en_demo.json", "feedback"),
        ("truthfulqa/TruthfulQA.csv", "no format fits"),
        ("crows_pairs/crows_pairs_anonymized.csv", "has no name"),
        ("sgd_dialogues/chat_test.jsonl", "is empty"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_or_said(name: str, says: str) -> None:
    said: list[str] = []
    try:
        list(read_examples(Source(path=str(FOLDER / name)), said.append))
    except DataError as error:
        said.append(error.what)
    assert says in said[0]
