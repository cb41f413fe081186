"""A base, rows, and runs of the command `tunesmith train` on them that differ in little."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

ROOT = Path(__file__).resolve().parents[2]
SIZES = {
    "vocab_size": 1003, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def write_base(folder: Path) -> None:
    """A small Llama with random weights, whose tokenizer knows every byte."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**SIZES))
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data.mul_(3)
    model.save_pretrained(folder)
    write_tokenizer(folder)


def write_tokenizer(folder: Path) -> None:
    """One token a byte, and a chat template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = ["<pad>", "<s>", "</s>", *alphabet]
    tokenizer = Tokenizer(models.BPE(vocab={name: n for n, name in enumerate(names)}, merges=[]))
    tokenizer.add_special_tokens(names[:3])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    template = (
        "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
        "{% if add_generation_prompt %}<s>assistant: {% endif %}"
    )
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>"}
    settings |= {"eos_token": "</s>", "pad_token": "<pad>", "chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Runs of the command `tunesmith train` that differ in little."""

    device: str
    folder: Path
    """Where the runs go."""
    base: str
    data: str
    settings: tuple[str, ...]

    def train(self, name: str, fault: Mapping[str, str] | None = None) -> Path:
        """Train to the end, killed first where there is a fault; the run."""
        if fault:
            broken = self._start([], name, fault)
            assert broken.returncode == -9, broken.stderr[-500:]
        return self._finished(self._start([], name, {}), name)

    def squeezed(self, name: str, tokens: int, most: int | None = None) -> Path:
        """Train in forests of so many tokens, in `most` bytes where they are given; the run."""
        around = ["--peak", str(self.folder / f"{name}.peak")]
        around += [] if most is None else ["--bytes", str(most)]
        task = replace(self, settings=(*self.settings, f"train.tokens_per_forest={tokens}"))
        return self._finished(task._start(around, name, {}), name)

    def _start(
        self, around: list[str], name: str, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        begin = ["benchmarks.gpu.squeezed", *around, "--"] if around else ["tunesmith"]
        command = [sys.executable, "-m", *begin, "train", "--resume"]
        command += ["--base", self.base, "--data", self.data]
        command += ["--output", str(self.folder / name), *self.settings]
        command += [f"train.device={self.device}"]
        every = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), **variables}
        every["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(command, env=every, capture_output=True, text=True, check=False)

    def _finished(self, done: subprocess.CompletedProcess[str], name: str) -> Path:
        assert done.returncode == 0, done.stderr[-1000:]
        return self.folder / name


def write_rows(folder: Path, length: int, count: int) -> Path:
    """A file of rows, whose questions say the same `length` times."""
    rows = [
        {
            "prompt": f"{number}? " * length + f"What follows {number}?",
            "completion": f"It is {number + 1}.",
        }
        for number in range(count)
    ]
    data = folder / f"rows-{count}.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return data


def absent_packages() -> str:
    """What the command line needs and is not there."""
    needed = (
        "ruamel", "typer", "rich", "python_calamine", "pyarrow", "rensa", "py3langid",
        "phonenumbers", "license_expression", "boolean",
    )  # fmt: skip
    return ", ".join(name for name in needed if importlib.util.find_spec(name) is None)


def digest(run: Path) -> str:
    """sha256 of the trained weights."""
    weights = (run / "model" / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(weights).hexdigest()


def losses(run: Path) -> list[float]:
    """The training loss of each step."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [float(json.loads(one)["loss"]) for one in lines]


def apart(found: list[float], wanted: list[float]) -> float:
    """The largest relative difference."""
    return max(abs(one - other) / abs(other) for one, other in zip(found, wanted, strict=True))


def peak(run: Path) -> int:
    """The most bytes that a run took of the device."""
    return int(run.with_suffix(".peak").read_text())
