"""Write the starter model's data card from what was measured.

    python starter/evaluate.py src/tunesmith/bundled/starter ... > runs/starter/evaluation.jsonl
    python starter/card.py --evaluation runs/starter/evaluation.jsonl \
        --folder src/tunesmith/bundled/starter

The text is ``card_template.md``; figures come from the evaluation, the curve and
the model's own config.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_name("card_template.md")


def quoted(text: str) -> str:
    """A text as a Markdown quotation."""
    return "\n".join(f"> {line}" for line in text.strip().splitlines() or [""])


def sample_text(sample: dict[str, str]) -> str:
    """One sample as Markdown."""
    prompt = " ".join(sample["prompt"].split())
    if "answer" in sample:
        return f"**{prompt}**\n\n{quoted(sample['answer'])}\n"
    return f"*{prompt}* ...\n\n{quoted(sample['continuation'])}\n"


def draw_curve(rows: list[dict[str, str]], path: Path) -> None:
    """Draw training loss and held-out bits per byte over tokens."""
    tokens = [int(row["tokens"]) / 1e6 for row in rows]
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    left = figure.subplots()
    left.plot(tokens, [float(row["train_loss"]) for row in rows], color="#4878a8")
    left.set_xlabel("million tokens")
    left.set_ylabel("training loss, nats a token", color="#4878a8")
    right = left.twinx()
    right.plot(tokens, [float(row["held_out_bits_per_byte"]) for row in rows], color="#c05030")
    right.set_ylabel("held-out bits per byte", color="#c05030")
    left.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


def write_card(folder: Path, results: list[dict[str, Any]]) -> None:
    """Write README.md and curve.svg into the model folder."""
    with (folder / "curve.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    config = json.loads((folder / "config.json").read_text())
    draw_curve(rows, folder / "curve.svg")
    shown = rows[:: max(1, len(rows) // 12)]
    if shown[-1] is not rows[-1]:
        shown.append(rows[-1])
    own = results[0]
    text = TEMPLATE.read_text(encoding="utf-8").format(
        parameters=own["parameters"],
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        heads=config["num_attention_heads"],
        kv_heads=config["num_key_value_heads"],
        inner=config["intermediate_size"],
        context=config["max_position_embeddings"],
        dtype=config["dtype"],
        tokens=int(rows[-1]["tokens"]),
        hours=float(rows[-1]["active_seconds"]) / 3600,
        curve="\n".join(
            f"| {int(row['tokens']):,} | {float(row['train_loss']):.3f} "
            f"| {float(row['held_out_bits_per_byte']):.3f} |"
            for row in shown
        ),
        models="src/tunesmith/bundled/starter "
        + " ".join(f"../shared/weights/{result['model']}" for result in results[1:]),
        windows=own["windows"],
        bytes=own["bytes"],
        bits="\n".join(
            f"| {result['model']} | {result['parameters']:,} "
            f"| {result['bits_per_byte']:.3f} ± {result['standard_error']:.3f} |"
            for result in results
        ),
        chats=own["chats"],
        greedy=own["stop_rate_greedy"],
        sampled=own["stop_rate_sampled"],
        samples="\n".join(sample_text(sample) for sample in own["samples"]),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the starter model's data card.")
    parser.add_argument("--folder", type=Path, required=True, help="the model folder")
    parser.add_argument("--evaluation", type=Path, required=True, help="what evaluate.py printed")
    arguments = parser.parse_args()
    lines = arguments.evaluation.read_text(encoding="utf-8").splitlines()
    write_card(arguments.folder, [json.loads(line) for line in lines])


if __name__ == "__main__":
    main()
