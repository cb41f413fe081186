"""The real rows that defects are planted in: read in place, half of them for each half.

{"question": "What is (are) Anemia ?", "answer": "...", "qtype": "information"}
{"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.audit.bed import Row, Values
from benchmarks.audit.dice import Half, half_of

SETS = ("medquad", "sgd", "gsm8k", "gpteacher")


def rows_of(name: str, data: Path, half: Half, count: int, seed: int) -> list[Row]:
    """A sample of a data set's rows that belong to that half, in the order of the file."""
    own = [values for values in READERS[name](data) if half_of(_key(values)) == half]
    random.Random(f"{seed} {half} {name}").shuffle(own)
    return [Row(values, origin=line) for line, values in enumerate(own[:count], start=1)]


def _key(values: Values) -> str:
    return json.dumps(Row(values).text("question").lower().split())


def _medquad(data: Path) -> Iterator[Values]:
    for values in _lines(data / "medquad" / "medquad.jsonl"):
        yield {"question": values["question"], "answer": values["answer"]}


def _sgd(data: Path) -> Iterator[Values]:
    for name in ("chat_dev", "chat_test"):
        for values in _lines(data / "sgd_dialogues" / f"{name}.jsonl"):
            yield {"messages": values["messages"]}


def _gsm8k(data: Path) -> Iterator[Values]:
    yield from _lines(data / "gsm8k" / "train.jsonl")


def _gsm8k_test(data: Path) -> Iterator[Values]:
    yield from _lines(data / "gsm8k" / "test.jsonl")


def _gpteacher(data: Path) -> Iterator[Values]:
    for path in sorted((data / "gpteacher").glob("*.json")):
        for values in json.loads(path.read_text(encoding="utf-8")):
            if values["output"].strip():
                yield values


def _banking77(data: Path) -> Iterator[Values]:
    for name in ("train", "test"):
        with (data / "banking77" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for values in csv.DictReader(file):
                yield {"question": values["text"], "answer": values["category"]}


def _pairs(data: Path) -> Iterator[Values]:
    """The last answers of the preference transcripts, with the question before them."""
    with gzip.open(data / "hh_rlhf" / "test.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            prompt, _, chosen = values["chosen"].rpartition("\n\nAssistant:")
            other, _, rejected = values["rejected"].rpartition("\n\nAssistant:")
            question = prompt.rpartition("\n\nHuman:")[2].strip()
            if prompt == other and question and chosen.strip() and rejected.strip():
                yield {"prompt": question, "chosen": chosen.strip(), "rejected": rejected.strip()}


def harmful_requests(data: Path) -> list[str]:
    """Requests that a model should not answer: read when needed, never kept."""
    with (data / "advbench" / "harmful_behaviors.csv").open(encoding="utf-8", newline="") as file:
        return [values["goal"] for values in csv.DictReader(file)]


def _lines(path: Path) -> Iterator[Values]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


READERS: dict[str, Callable[[Path], Iterator[Values]]] = {
    "medquad": _medquad,
    "sgd": _sgd,
    "gsm8k": _gsm8k,
    "gsm8k_test": _gsm8k_test,
    "gpteacher": _gpteacher,
    "banking77": _banking77,
    "pairs": _pairs,
}
