"""What else must be right on this device, one word each.

nf4          a QLoRA step: a forest gives the gradients that its rows give alone
generation   greedy text equals that of Transformers' own generate
resume       a run that is killed and continued ends with the same bits
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from benchmarks.gpu.exact import alone, by_forest, distance, rows_of_a_tree
from benchmarks.gpu.part import Part, line, read_part, what_failed
from tunesmith.base import locate_base
from tunesmith.generate.sample import generate
from tunesmith.models.adapters import lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.load import load_model

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


def nf4(part: Part, folder: Path) -> None:
    """A quantised base."""
    if importlib.util.find_spec("bitsandbytes") is None:
        line(what="nf4", skipped="bitsandbytes is absent")
        return
    dtype = "bf16" if part.device == "cuda" else "fp32"
    base = load_model(locate_base(str(folder)), device=part.device, dtype=dtype, quantize="nf4")
    model = lora.attach(base, lora.Config(rank=8))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.05)
    rows = rows_of_a_tree(1)
    alone_loss, own = alone(model, rows)
    support = enable_forest(model)
    loss, found = by_forest(model, rows, support)
    off = distance(found, own)
    limit = 3e-2 if part.device == "cuda" else 1e-4
    ok = support.supported and off <= limit and abs(loss - alone_loss) <= limit * abs(alone_loss)
    line(what="nf4", ok=ok, loss_alone=alone_loss, loss_forest=loss, distance=off)


def generation(part: Part, folder: Path) -> None:
    """Prompts of unequal lengths."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(part.device).eval()
    generator = torch.Generator().manual_seed(0)
    prompts = [
        torch.randint(3, 1003, (size,), generator=generator).tolist() for size in (5, 17, 40, 9)
    ]
    count = 8 if part.tiny else 48
    found = generate(model, prompts, stop_ids=(2,), max_new_tokens=count)
    same = 0
    for prompt, own in zip(prompts, found, strict=True):
        ids = torch.tensor([prompt], device=part.device)
        wanted = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False,
            eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
        same += wanted[0, len(prompt) :].tolist() == own
    line(what="generation", ok=same == len(prompts), same=same, of=len(prompts))


def resume(part: Part, folder: Path) -> None:
    """Killed after a third of the steps, by the program's own fault point."""
    needed = [name for name in ("ruamel", "typer") if importlib.util.find_spec(name) is None]
    if needed:
        line(what="resume", skipped=f"{', '.join(needed)} absent")
        return
    rows = [
        {"prompt": f"What follows {number}?", "completion": f"It is {number + 1}."}
        for number in range(24)
    ]
    data = folder / "rows.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    digests = [train(folder, data, folder / name, part) for name in ("unbroken", "killed")]
    line(what="resume", ok=digests[0] == digests[1], unbroken=digests[0][:12])


def train(folder: Path, data: Path, output: Path, part: Part) -> str:
    """Train to the end, killed once where the folder is called `killed`; digest of the result."""
    command = [sys.executable, "-m", "tunesmith", "train", "--base", str(folder), "--resume"]
    command += ["--data", str(data), "--output", str(output), "train.rows_per_step=4"]
    command += [f"train.device={part.device}", "train.save_every=2", "data.held_out=0"]
    command += ["train.steps=6" if part.tiny else "train.steps=12"]
    variables = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    if output.name == "killed":
        broken = subprocess.run(
            command, env={**variables, "TUNESMITH_FAULT": "step:5:kill"}, check=False,
            capture_output=True,
        )  # fmt: skip
        assert broken.returncode == -9, broken.stderr.decode()[-500:]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    weights = (output / "model" / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(weights).hexdigest()


def main() -> None:
    """Do what is named."""
    part = read_part(__doc__)
    every = {"nf4": nf4, "generation": generation, "resume": resume}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_base(folder)
        for word in part.words:
            try:
                every[word](part, folder)
            except Exception as error:  # said in the table, like any other result
                line(what=word, ok=False, note=what_failed(error))


if __name__ == "__main__":
    main()
