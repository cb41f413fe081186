"""What the base knows already: its loss on some rows, and what the audit makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.data import stage
from tunesmith.data.audit.inspection import Inspection
from tunesmith.data.coding import load_coding
from tunesmith.data.examples import read_examples
from tunesmith.evaluate.inspection import inspection_of
from tunesmith.evaluate.known import base_losses
from tunesmith.recipe import AuditRules
from tunesmith.tokenizer.encode import encode_example


def test_losses_are_those_of_the_base(make_scene: Callable[..., Any]) -> None:
    scene = make_scene()
    recipe = scene.recipe.model_copy(update={"audit": AuditRules(base_losses=7)})
    coding = load_coding(scene.base.path, None, "all", datetime(2026, 1, 5))
    losses = base_losses(recipe, scene.base, coding)
    assert len(losses) == 7
    model = AutoModelForCausalLM.from_pretrained(scene.base.path, dtype=torch.float32)
    examples = {one.digest: one for one in read_examples(recipe.data.sources[0])}
    for digest, measured in losses.items():
        content = examples[digest].content
        (encoded,) = encode_example(content, coding.tokenizer, coding.template, train_on="all")
        ids = torch.tensor([encoded.ids])
        with torch.no_grad():
            logprobs = model(ids).logits[0, :-1].log_softmax(-1)
        trained = torch.tensor(encoded.weights[1:]) > 0
        nats = -logprobs.gather(1, ids[0, 1:, None])[:, 0][trained].sum().item()
        size = len(content.messages[-1].content.encode())
        assert measured == pytest.approx(nats / math.log(2) / size, rel=1e-4)


def test_the_audit_tells_rows_that_the_base_knows(make_scene: Callable[..., Any]) -> None:
    scene = make_scene()
    digests = [one.digest for one in read_examples(scene.recipe.data.sources[0])]
    losses = dict.fromkeys(digests, 4.0) | {digests[3]: 0.01}
    inspection = inspection_of(scene.recipe, losses)
    only = inspection.rules.model_copy(update={"rules": ("already_known",)})
    report = stage.check(
        scene.recipe.data,
        base=None,
        seed=0,
        inspection=Inspection(rules=only, base_losses=inspection.base_losses),
    )
    found = [one for one in report.audit.findings if one.line]
    assert [(one.rule, one.line, one.row_hash) for one in found] == [
        ("already_known", 4, digests[3])
    ]


def test_what_the_evaluation_measures_on_is_compared_with(make_scene: Callable[..., Any]) -> None:
    inspection = inspection_of(make_scene().recipe, {})
    assert [one.text for one in inspection.compared] == [
        "The mill stood by the river.",
        "Rain fell.",
        "Nobody came.",
    ]
