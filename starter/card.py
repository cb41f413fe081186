"""Write the starter model's data card from what was measured.

    python starter/evaluate.py src/tunesmith/bundled/starter ... > runs/starter/evaluation.jsonl
    python starter/card.py --evaluation runs/starter/evaluation.jsonl \
        --folder src/tunesmith/bundled/starter

The text is ``card_template.md``; figures come from the evaluation, the curve, the model's own
config and ``training.json``, which says how it was made. ``--search`` adds the table of a search.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tokenizer import CONTEXT_LENGTH

BUNDLED = "starter"
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


def how_it_was_made(training: dict[str, Any], search: str | None) -> dict[str, Any]:
    """What the card says of the training."""
    preset = training["preset"]
    length, last = preset["length"], min(2 * preset["length"], CONTEXT_LENGTH)
    longer = "" if last == length else f" of {last:,} in the last fifth,"
    found = "" if search is None else (
        "\nShape and rates are the best of a search; bits per byte on the end of the training "
        f"books, which no candidate learned:\n\n{search.strip()}\n"
    )  # fmt: skip
    return {
        "conversations": training["conversations"],
        "windows_said": f"Windows of {length:,} tokens,{longer} {preset['windows']} a step; "
        f"{preset['last_chat_share']:.0%} of them are conversations in the last fifth "
        f"(before: {preset['chat_share']:.0%})",
        "rates": f"{preset['matrix_rate']:.3g} and {preset['other_rate']:.3g}",
        "precision": training["precision"],
        "device": training["device"],
        "steps": training["steps"],
        "command": training["command"],
        "search": found,
    }


def write_card(folder: Path, results: list[dict[str, Any]], search: str | None = None) -> None:
    """Write README.md and curve.svg into the model folder."""
    training = json.loads((folder / "training.json").read_text())
    with (folder / "curve.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    config = json.loads((folder / "config.json").read_text())
    draw_curve(rows, folder / "curve.svg")
    shown = rows[:: max(1, len(rows) // 12)]
    if shown[-1] is not rows[-1]:
        shown.append(rows[-1])
    own = results[0]
    others = [result["model"] for result in results[1:]]
    names = [BUNDLED, *("the one before it" if name == BUNDLED else name for name in others)]
    text = TEMPLATE.read_text(encoding="utf-8").format(
        **how_it_was_made(training, search),
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
        + " ".join(
            f"../shared/weights/{result['model']}"
            for result in results[1:]
            if result["model"] != BUNDLED
        ),
        windows=own["windows"],
        bytes=own["bytes"],
        bits="\n".join(
            f"| {name} | {result['parameters']:,} "
            f"| {result['bits_per_byte']:.3f} ± {result['standard_error']:.3f} |"
            for name, result in zip(names, results, strict=True)
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
    parser.add_argument("--search", type=Path, help="search.md of the search, to be shown")
    arguments = parser.parse_args()
    search = None if arguments.search is None else arguments.search.read_text(encoding="utf-8")
    lines = arguments.evaluation.read_text(encoding="utf-8").splitlines()
    write_card(arguments.folder, [json.loads(line) for line in lines], search)


if __name__ == "__main__":
    main()
