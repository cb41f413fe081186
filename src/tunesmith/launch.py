"""Several processes of one run, before they train together.

    rank 0        recipe -> prepare -> call the others -> train -> evaluate -> report -> export
    the others              wait . . . . . . . . . . . -> train -> end

What the first one calls is a word in the store of torchrun, through which the processes find
one another: `{"run": "/runs/a", "spread": "ddp"}`, or `{"end": 0}` where nothing is to train.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from torch._C._distributed_c10d import Store
from torch.distributed import DistStoreError
from torch.distributed.rendezvous import rendezvous

from tunesmith.base import locate_base
from tunesmith.data.coding import load_coding, stop_ids
from tunesmith.data.prepared import existing, open_prepared
from tunesmith.errors import TunesmithError
from tunesmith.jobs import SILENT, Job, stored_recipe
from tunesmith.ranks import Ranks, Spread, ranks_here
from tunesmith.runs import Run, open_run
from tunesmith.train.processes import ALONE, Group, process_group
from tunesmith.train.result import Speech
from tunesmith.train.stage import Material, TrainRecord, train

_KEY = "tunesmith/orders"
_PATIENCE = timedelta(seconds=2)
"""How long a wait lasts before a signal is noticed; then it goes on waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the first process tells the others to train."""

    run: str
    """The run directory, which all machines see under this path."""
    spread: Spread


@contextmanager
def leading() -> Iterator[None]:
    """For the first process: the others, if they were not called, end with the block."""
    find_store()
    code = 1
    try:
        yield
        code = 0
    except TunesmithError as error:
        code = error.exit_code
        raise
    finally:
        if not find_store().check([_KEY]):
            find_store().set(_KEY, json.dumps({"end": code}))


def train_job(job: Job) -> TrainRecord:
    """The stage `train`, in this process or in all of them."""
    ranks = ranks_here()
    if ranks.count == 1:
        return _train(job, ALONE)
    orders = Orders(run=str(job.run.folder), spread=job.spread)
    find_store().set(_KEY, json.dumps(asdict(orders)))
    with process_group(ranks, job.recipe.train.device, find_store()) as group:
        return _train(job, group)


def train_along(ranks: Ranks) -> Run:
    """For the other processes: train when the first one calls, and leave the rest to it.

    Raises:
        SystemExit: there is nothing to train, or the first process failed and has said why.
        TunesmithError: as the stage `train`.
    """
    orders = _await_orders()
    run = open_run(Path(orders.run), writes=False)
    recipe = stored_recipe(run)
    with process_group(ranks, recipe.train.device, find_store()) as group:
        made = existing(run.folder)
        assert made is not None, "the first process calls when it has prepared"
        base = locate_base(recipe.base.path, recipe.base.revision)
        job = Job(
            recipe=recipe,
            run=run,
            base=base,
            prepared=open_prepared(run.folder),
            coding=load_coding(base.path, recipe.data.template, recipe.data.train_on, made.now),
            voice=SILENT,
            spread=orders.spread,
        )
        _train(job, group)
    return run


def _train(job: Job, group: Group) -> TrainRecord:
    coding = job.coding
    prepared = job.run.stage("prepare")
    assert prepared is not None, "it comes first"
    speech = Speech(tokenizer=coding.tokenizer, template=coding.template, stop_ids=stop_ids(coding))
    material = Material(
        base=job.base,
        # What `prepare` has just found the base to be.
        base_digest=str(prepared["base_digest"]),
        speech=speech,
        rows=job.prepared.train,
        mixture=job.prepared.mixture,
        held_out=job.prepared.held_out,
    )
    return train(job.recipe, job.run, material, tell=job.voice.tell, group=group, spread=job.spread)


def _await_orders() -> Orders:
    """What the first process calls; SystemExit where nothing is to train."""
    store = find_store()
    while True:
        try:
            store.wait([_KEY], _PATIENCE)
            break
        except DistStoreError:
            continue  # not yet; a store that is gone raises another error
    word = json.loads(store.get(_KEY))
    if "end" in word:
        raise SystemExit(word["end"])
    return Orders(**word)


@cache
def find_store() -> Store:
    """The store of torchrun, through which all processes of a run find one another."""
    store, _, _ = next(rendezvous("env://"))
    assert isinstance(store, Store)
    return store
