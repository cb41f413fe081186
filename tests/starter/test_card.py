"""The data card states what was measured, and the bundled model is what its card says."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from card import write_card
from preset import PRESETS
from safetensors import safe_open

from export import Made

BUNDLED = Path(__file__).parents[2] / "src" / "tunesmith" / "bundled" / "starter"
OWN = {
    "model": "starter", "parameters": 1234567, "bits_per_byte": 1.5, "standard_error": 0.01,
    "windows": 3, "bytes": 6000, "stop_rate_greedy": 0.97, "stop_rate_sampled": 0.99,
    "chats": 100,
    "samples": [{"prompt": "Hi {name}", "answer": "Hello!\n\nYes."},
                {"prompt": "Once\nupon", "continuation": "a time"}],
}  # fmt: skip
BEFORE = {**OWN, "bits_per_byte": 1.7}
OTHER = {**OWN, "model": "stories260k", "bits_per_byte": 3.2}


def test_the_card_shows_the_figures_and_the_samples(tmp_path: Path) -> None:
    config = {
        "num_hidden_layers": 5, "hidden_size": 256, "num_attention_heads": 4, "dtype": "float32",
        "num_key_value_heads": 2, "intermediate_size": 640, "max_position_embeddings": 1024,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    made = Made(
        preset=PRESETS["cpu"], conversations=24000, device="x86_64 processor", seed=0,
        precision="bfloat16", command="python starter/pretrain.py --hours 8",
    )  # fmt: skip
    training = {**asdict(made), "tokens": 40_000_000, "steps": 9765, "active_seconds": 28800}
    (tmp_path / "training.json").write_text(json.dumps(training))
    header = "step,tokens,active_seconds,fraction,rate,train_loss,held_out_bits_per_byte\n"
    rows = "".join(
        f"{n},{n * 1000000},{n * 720},0.5,1.0,{9 - n / 9},{2 - n / 99}\n" for n in range(1, 41)
    )
    (tmp_path / "curve.csv").write_text(header + rows)
    write_card(
        tmp_path,
        [{**OWN, "model": "model"}, BEFORE, OTHER],
        search="| width |\n| --- |\n| 256 **winner** |\n",
    )
    card = (tmp_path / "README.md").read_text()
    for shown in ("1,234,567", "40,000,000 tokens", "8.00 active hours on: x86_64",
                  "| stories260k |", "| starter | 1,234,567 | 1.500 ± 0.010 |",
                  "| the one before it | 1,234,567 | 1.700 ± 0.010 |",
                  "bundled/starter ../shared/weights/stories260k`",
                  "3.200 ± 0.010", "**97%** greedy", "--hours 8\n", "**Hi {name}**",
                  "| 24,000 | Apache-2.0 |", "rates 0.02 and 0.003", "| 256 **winner** |",
                  "512 tokens, of 1,024 in the last fifth, 8 a step; 35% of them",
                  "> Hello!\n> \n> Yes.", "*Once upon* ..."):  # fmt: skip
        assert shown in card
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")


def test_the_bundled_model_is_small_enough_and_agrees_with_itself() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) <= 32_000_000
    config = json.loads((BUNDLED / "config.json").read_text())
    generation = json.loads((BUNDLED / "generation_config.json").read_text())
    vocabulary = json.loads((BUNDLED / "tokenizer.json").read_text())["model"]["vocab"]
    assert len(vocabulary) == config["vocab_size"]
    assert generation["eos_token_id"] == config["eos_token_id"] == vocabulary["<|im_end|>"]
    with safe_open(BUNDLED / "model.safetensors", framework="np") as weights:
        count = sum(
            weights.get_slice(name).get_shape()[0] * (weights.get_slice(name).get_shape() + [1])[1]
            for name in weights.keys()  # noqa: SIM118
        )
    assert f"({count:,} parameters" in (BUNDLED / "README.md").read_text()
