"""Loss of a result on held-out rows, by a plain Transformers forward in fp32.

The same for every contestant, row by row, without padding: `sft` is the mean over all trained
tokens; `dpo` is the mean over pairs of

    -log sigmoid(beta * ((policy - reference)(chosen) - (policy - reference)(rejected)))

where the reference is the base, and the share of pairs whose margin is positive.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from benchmarks.task import BETA, Task, read_rows, read_task

# Legend: T tokens of a row, N trained tokens, D width of the hidden states.


def load_result(task: Task, result: Path) -> nn.Module:
    """What a contestant left behind, in fp32."""
    if (result / "adapter_config.json").exists():
        base = AutoModelForCausalLM.from_pretrained(task.base, dtype=torch.float32)
        return PeftModel.from_pretrained(base, str(result)).eval()
    return AutoModelForCausalLM.from_pretrained(result, dtype=torch.float32).eval()


@torch.no_grad()
def logprobs(model: nn.Module, row: dict[str, list[int]]) -> Tensor:
    """Log-probabilities (N,) of a row's trained tokens."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    ids_T = torch.tensor(row["ids"])
    hidden_TD = inner.base_model(input_ids=ids_T[None], use_cache=False).last_hidden_state[0]
    places_N = torch.tensor(row["trained"]).nonzero()[:, 0]
    logits_NV = inner.get_output_embeddings()(hidden_TD[places_N - 1]).float()
    return -functional.cross_entropy(logits_NV, ids_T[places_N], reduction="none")


def answers_loss(model: nn.Module, rows: list[dict[str, Any]]) -> dict[str, float]:
    """The mean loss a trained token."""
    parts = [logprobs(model, row) for row in rows]
    return {"eval_loss": -torch.cat(parts).double().mean().item()}


def preferences_loss(
    policy: nn.Module, reference: nn.Module, rows: list[dict[str, Any]]
) -> dict[str, float]:
    """The mean loss a pair, and how often the chosen answer gained more."""
    margins = []
    for pair in rows:
        gain = {
            side: float(logprobs(policy, row).sum() - logprobs(reference, row).sum())
            for side, row in pair.items()
        }
        margins.append(gain["chosen"] - gain["rejected"])
    margins_P = torch.tensor(margins, dtype=torch.float64)
    return {
        "eval_loss": -functional.logsigmoid(BETA * margins_P).mean().item(),
        "eval_accuracy": (margins_P > 0).double().mean().item(),
    }


def measure(task: Task, result: Path) -> dict[str, float]:
    """The held-out figures of a result; none where the task has no held-out rows."""
    rows = read_rows(task.held_out)
    if not rows:
        return {}
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = load_result(task, result)
    if task.method == "dpo":
        reference = AutoModelForCausalLM.from_pretrained(task.base, dtype=torch.float32).eval()
        return preferences_loss(model, reference, rows)
    return answers_loss(model, rows)


def main() -> None:
    """Print the figures as one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", type=Path, required=True, help="a task file")
    parser.add_argument("--result", type=Path, required=True, help="an adapter or a model folder")
    given = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    print(json.dumps(measure(read_task(given.task), given.result)))


if __name__ == "__main__":
    main()
