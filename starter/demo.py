"""How well a starter model tunes: the recipe of `make demo` on each of several, side by side.

    python starter/demo.py src/tunesmith/bundled/starter runs/starter-gpu/model
    python starter/demo.py src/tunesmith/bundled/starter runs/starter-gpu/model train.epochs=3

Prints a Markdown table on stdout: every figure of the evaluation as base -> tuned, and the
seconds of the whole job. Words with ``=`` override the recipe. The runs stay in ``--output``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "support-starter.yaml"
Figures = dict[tuple[str, str], tuple[float | None, float | None]]


def read_figures(evaluation: Path) -> Figures:
    """Base and tuned of each task and metric, over all rows."""
    rows = json.loads(evaluation.read_text(encoding="utf-8"))["results"]
    return {
        (row["task"], row["metric"]): (row["base"], row["tuned"])
        for row in rows
        if row["slice"] == "all"
    }


def run_demo(model: Path, output: Path, overrides: list[str]) -> tuple[Figures, float]:
    """The whole job on a model; its figures and seconds."""
    command = [sys.executable, "-m", "tunesmith", "run", str(RECIPE)]
    command += ["--base", str(model.resolve()), "--output", str(output), *overrides]
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return read_figures(output / "evaluation.json"), time.monotonic() - began


def number(value: float | None) -> str:
    """Four digits, or nothing."""
    return "-" if value is None else f"{value:.4g}"


def table(models: list[str], found: list[tuple[Figures, float]]) -> str:
    """A column for each model."""
    lines = ["| figure | " + " | ".join(models) + " |", "|" + " --- |" * (len(models) + 1)]
    for key in dict.fromkeys(key for figures, _ in found for key in figures):
        pairs = [figures.get(key, (None, None)) for figures, _ in found]
        cells = [f"{number(base)} -> {number(tuned)}" for base, tuned in pairs]
        lines.append(f"| {' '.join(key)} | " + " | ".join(cells) + " |")
    lines.append("| seconds in all | " + " | ".join(f"{took:.0f}" for _, took in found) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Tune starter models with the demo's recipe.")
    add = parser.add_argument
    add("words", nargs="+", help="model folders, and overrides such as train.epochs=3")
    add("--output", type=Path, default=Path("runs/starter-demo"), help="where the runs go")
    given = parser.parse_args()
    models = [word for word in given.words if "=" not in word]
    overrides = [word for word in given.words if "=" in word]
    found = []
    for place, model in enumerate(models, start=1):
        try:
            found.append(run_demo(Path(model), given.output / str(place), overrides))
        except subprocess.CalledProcessError as error:
            sys.exit(f"error: the demo on {model} ended with exit code {error.returncode}")
    print(table(models, found))


if __name__ == "__main__":
    main()
