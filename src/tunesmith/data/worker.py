"""Processes that make parts of a large source beside the one that needs them.

    parent: parts 0, 2, 4 ...      worker: parts 1, 3, ...      whoever is free takes the next

A worker ends when no part is left, when a row cannot be used (the parent meets the row too,
and says so), or when its parent is gone. It only saves time: what it does not make is made
without it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.data.coding import Coding, TrainOn
from tunesmith.data.parts import PartsTask, in_use, make_missing
from tunesmith.data.provenance import StampedSource
from tunesmith.errors import TunesmithError
from tunesmith.tokenizer.load import load_tokenizer
from tunesmith.tokenizer.template import Template, compile_template

LARGE = 2**25
"""Bytes of a source from which workers are started: below, starting them costs more."""
MOST = 7
"""Workers; each takes about 120 MB of memory."""
_PROGRAM = "from tunesmith.data.worker import work; work()"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A `PartsTask` without what cannot travel: the compiled template and the tokenizer."""

    parent: int
    stamped: StampedSource
    folder: Path
    rows_per_part: int
    tokenizer: Path
    train_on: TrainOn
    name: str
    source: str
    tool_source: str | None
    variables: dict[str, str]
    now: datetime
    coding: JsonObject
    """What decides the tokens, to compare with."""


@contextmanager
def workers(task: PartsTask) -> Iterator[None]:
    """One for each further core while the block runs; none for a small source."""
    size = sum(stamp.bytes for stamp in task.stamped.files)
    count = min(MOST, _cores() - 1) if size >= LARGE and sys.executable else 0
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.extend(_start(task) for _ in range(count))
        yield
    finally:
        for process in started:
            process.terminate()
            process.wait()


def work() -> None:
    """The life of a worker: its order comes on the standard input, from its parent."""
    order = pickle.load(sys.stdin.buffer)
    assert isinstance(order, _Order), "the parent sends one"
    task = _task(order)
    if task.coding.as_json() != order.coding:
        return  # the base changed meanwhile: what the parent has in memory decides

    def while_parent_lives(done: int) -> None:
        if os.getppid() != order.parent:
            sys.exit("the parent is gone")

    try:
        with in_use(task.folder):
            make_missing(task, while_parent_lives)
    except TunesmithError as error:
        sys.exit(str(error))


def _start(task: PartsTask) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # The processes are the parallelism: each keeps to one core.
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
    )
    assert process.stdin is not None, "it was asked for"
    try:
        with process.stdin as pipe:
            pipe.write(pickle.dumps(_order(task)))
    except BrokenPipeError:
        pass  # it could not start, so it does not help
    return process


def _order(task: PartsTask) -> _Order:
    template = task.coding.template
    return _Order(
        parent=os.getpid(),
        stamped=task.stamped,
        folder=task.folder,
        rows_per_part=task.rows_per_part,
        tokenizer=task.coding.tokenizer.folder,
        train_on=task.coding.train_on,
        name=template.name,
        source=template.source,
        tool_source=template.tool_source,
        variables=template.variables,
        now=template.now,
        coding=task.coding.as_json(),
    )


def _task(order: _Order) -> PartsTask:
    compiled = compile_template(order.name, order.source, order.now)
    tools = order.tool_source
    template = Template(
        name=order.name,
        source=order.source,
        tool_source=tools,
        variables=order.variables,
        now=order.now,
        notice="",
        compiled=compiled,
        compiled_for_tools=compiled
        if tools is None
        else compile_template(order.name, tools, order.now),
    )
    tokenizer = load_tokenizer(order.tokenizer)
    return PartsTask(
        stamped=order.stamped,
        coding=Coding(tokenizer=tokenizer, template=template, train_on=order.train_on),
        folder=order.folder,
        rows_per_part=order.rows_per_part,
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
