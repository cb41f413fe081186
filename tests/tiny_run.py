"""A finished run with a tiny model, made in a moment: what training would leave behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from tunesmith.runs import create_run
from tunesmith.runs.documents import write_text

TEMPLATE = (
    "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant: {% endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the tiny run is made."""

    adapter: bool = True
    targets: tuple[str, ...] | str = "all-linear"
    tied: bool = True
    dtype: torch.dtype = torch.float32
    quantize: str = "none"
    card: bool = True


def write_tokenizer(folder: Path) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<s>", "</s>", *alphabet])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.add_special_tokens(["<s>", "</s>"])
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    document = json.loads(backend.to_str())
    document["decoder"] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    (folder / "tokenizer.json").write_text(json.dumps(document))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [1]}))


def write_base(folder: Path, shape: Shape) -> None:
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=258,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=shape.tied,
        bos_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).to(shape.dtype).save_pretrained(folder)
    write_tokenizer(folder)


def make_run(folder: Path, shape: Shape) -> Path:
    """Make `folder/run` and its base as the shape says; the adapter is far from zero."""
    base = folder / "base"
    write_base(base, shape)
    run = create_run(folder / "run")
    adapter = "lora" if shape.adapter else "full"
    write_text(
        run.path("recipe.yaml"),
        f"base: {{path: {base}, precision: fp32, quantize: {shape.quantize}}}\n"
        f"data: {{sources: [{{path: rows.jsonl}}]}}\nadapter: {adapter}\n",
    )
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(2)
    if shape.adapter:
        targets = shape.targets if isinstance(shape.targets, str) else list(shape.targets)
        model = get_peft_model(
            model,
            LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules=targets),
        )
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.1)
        model.save_pretrained(str(run.path("model")), save_embedding_layers=False)
        run.path("model", "README.md").unlink()
    else:
        for weight in model.parameters():
            weight.data += 0.02 * torch.randn_like(weight)
        model.save_pretrained(run.path("model"))
    write_tokenizer(run.path("model"))
    if shape.card:
        write_text(run.path("README.md"), "# card of the run\n")
    return run.folder
