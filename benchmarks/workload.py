"""From a model and a file of rows to a task: the rows in words, and in tokens.

The tokens are those that Tunesmith trains. Where the peers get the same ids and the same
labels from the model's own template, they are handed the words, as their users would do;
otherwise they are handed the tokens.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.task import LONGEST, RANK, Task, read_rows, write_rows
from tunesmith.base import locate_base
from tunesmith.data import stage
from tunesmith.data.audit.inspection import Inspection
from tunesmith.models.load import quiet_transformers
from tunesmith.recipe import AuditRules, Request, read_recipe

PAIR = ("chosen", "rejected")
HELD_OUT_ROWS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which work to make a task of."""

    base: str
    data: Path
    held_out: Path | None
    """Rows to measure the result with; those after the trained ones where it is None."""
    method: str
    adapter: str
    steps: int
    rows_per_step: int = 8


def make_task(asked: Asked, folder: Path) -> Task:
    """Write the rows of a task into `folder`; the first `steps * rows_per_step` are trained.

    Raises:
        ValueError: the file has too few rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    make = _preference_rows if asked.method == "dpo" else _answer_rows
    return make(asked, folder)


def _answer_rows(asked: Asked, folder: Path) -> Task:
    count = asked.steps * asked.rows_per_step
    is_lines = asked.data.suffix in (".jsonl", ".ndjson")
    rows = read_rows(asked.data) if is_lines else []
    in_words = bool(rows) and all(list(row) == ["messages"] for row in rows[:count])
    data = folder / "rows.jsonl" if in_words else asked.data.resolve()
    if in_words:
        write_rows(rows[:count], data)
    packed = token_rows(asked.base, data)
    _require(len(packed), count, asked.data)
    same = in_words and packed[:count] == from_markers(asked.base, rows[:count])
    held_out = _held_out(asked, rows, packed, folder)
    write_rows(packed[:count], folder / "rows.tokens.jsonl")
    write_rows(held_out, folder / "held_out.tokens.jsonl")
    return replace(_task(asked, folder, packed[:count]), data=str(data), words=same)


def _held_out(
    asked: Asked, rows: list[dict[str, Any]], packed: list[dict[str, Any]], folder: Path
) -> list[dict[str, Any]]:
    """The rows to measure with, in tokens; none where the file has no more rows."""
    if asked.held_out is not None:
        return token_rows(asked.base, asked.held_out)[:HELD_OUT_ROWS]
    count = asked.steps * asked.rows_per_step
    if len(packed) > count:
        return packed[count : count + HELD_OUT_ROWS]
    more = rows[count : count + HELD_OUT_ROWS]
    if not more:
        return []
    write_rows(more, folder / "held_out.jsonl")
    return token_rows(asked.base, folder / "held_out.jsonl")


def _preference_rows(asked: Asked, folder: Path) -> Task:
    count = asked.steps * asked.rows_per_step
    rows = read_rows(asked.data)
    _require(len(rows), count, asked.data)
    after = read_rows(asked.held_out) if asked.held_out is not None else rows[count:]
    tokens = pair_tokens(asked.base, rows[:count])
    write_rows(rows[:count], folder / "rows.jsonl")
    write_rows(tokens, folder / "rows.tokens.jsonl")
    write_rows(pair_tokens(asked.base, after[:HELD_OUT_ROWS]), folder / "held_out.tokens.jsonl")
    every = [pair[side] for pair in tokens for side in PAIR]
    return replace(_task(asked, folder, every), data=str(folder / "rows.jsonl"), words=True)


def _task(asked: Asked, folder: Path, rows: list[dict[str, Any]]) -> Task:
    return Task(
        name=f"{asked.data.name} {asked.method} {asked.adapter}",
        base=asked.base,
        method=asked.method,
        adapter=asked.adapter,
        steps=asked.steps,
        rows_per_step=asked.rows_per_step,
        longest=longest_row(asked.base),
        data="",
        tokens=str(folder / "rows.tokens.jsonl"),
        held_out=str(folder / "held_out.tokens.jsonl"),
        start=write_start(asked.base, folder / "start") if asked.adapter == "lora" else "",
        words=False,
        chatml="<|im_start|>" in (load_tokenizer(asked.base).chat_template or ""),
        useful=sum(len(row["ids"]) for row in rows),
        trained=sum(sum(row["trained"]) for row in rows),
    )


def write_start(base: str, folder: Path) -> str:
    """The adapter that the peers begin with: PEFT's own draw after seed 0."""
    torch.manual_seed(0)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
    )
    with quiet_transformers(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        get_peft_model(model, config).save_pretrained(str(folder), save_embedding_layers=False)
    return str(folder)


def _require(found: int, needed: int, file: Path) -> None:
    if found < needed:
        raise ValueError(f"{file} has {found} rows, and {needed} are needed: take fewer --steps")


def token_rows(base: str, data: Path) -> list[dict[str, Any]]:
    """A file as Tunesmith reads and encodes it, in the order of the file."""
    settings = ("data.shuffle=false", "data.held_out=0")
    recipe = read_recipe(Request(base=base, data=str(data), overrides=settings))
    found = locate_base(recipe.base.path)
    with tempfile.TemporaryDirectory() as scratch:
        prepared = stage.prepare(
            recipe.data.model_copy(update={"max_length": longest_row(base)}),
            base=found.path,
            run_folder=Path(scratch),
            seed=0,
            inspection=Inspection(rules=AuditRules(rules=())),
        )
        packed = prepared.train
        every = (packed.row(index) for index in range(len(packed)))
        return [
            {"ids": row.ids_T.tolist(), "trained": (row.weights_T > 0).astype(int).tolist()}
            for row in every
        ]


def longest_row(base: str) -> int:
    """1,024 tokens, or what the model was made for where that is less."""
    return min(LONGEST, locate_base(base).context or LONGEST)


def load_tokenizer(base: str) -> Any:  # noqa: ANN401  a Transformers tokenizer
    """The base's tokenizer, as the peers load it."""
    return AutoTokenizer.from_pretrained(base, local_files_only=True)


def from_markers(base: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Conversations as the peers encode them: the template marks what the assistant writes."""
    tokenizer = load_tokenizer(base)
    if "generation %}" not in (tokenizer.chat_template or ""):
        return []
    longest = longest_row(base)
    found = []
    for row in rows:
        encoded = tokenizer.apply_chat_template(
            row["messages"], tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        ids, trained = list(encoded["input_ids"]), list(encoded["assistant_masks"])
        found.append({"ids": ids[:longest], "trained": trained[:longest]})
    return found


def pair_tokens(base: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Preference pairs in tokens: what follows the generation prompt is trained."""
    tokenizer, longest = load_tokenizer(base), longest_row(base)
    pairs = []
    for row in rows:
        prompt = _ids(tokenizer, row["prompt"], add_generation_prompt=True)[:longest]
        pair = {}
        for side in PAIR:
            ids = _ids(tokenizer, row["prompt"] + row[side])[:longest]
            trained = [0] * len(prompt) + [1] * (len(ids) - len(prompt))
            pair[side] = {"ids": ids, "trained": trained[: len(ids)]}
        pairs.append(pair)
    return pairs


def _ids(tokenizer: Any, messages: list[dict[str, str]], **options: bool) -> list[int]:  # noqa: ANN401
    encoded = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, **options)
    return list(encoded["input_ids"])
