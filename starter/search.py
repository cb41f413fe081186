"""Which shape and which rates: a small search by successive halving.

    python starter/search.py --work runs/starter-search --minutes 12

Every candidate trains for a fraction of the time, with the whole schedule in it; the best third
trains longer. Then the neighbours of the best (half and twice the windows of a step, other rates)
have the same time as it had. What counts is bits per byte on the last million tokens
of the training books, which no candidate learns: the held-out books stay unseen. Each candidate
is a process of its own with a limit; one that fails is passed over.

Killed at any moment, the same command goes on: ``results.json`` in the working folder has what is
known, a candidate's folder its checkpoint. ``winner.json`` is for ``pretrain.py --preset``; a
table for people is printed and kept as ``search.md``.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import corpus as corpus_files
from preset import PRESETS, Preset

SCRIPT = Path(__file__).with_name("pretrain.py")
SHARE_THAT_STAYS = 3
MORE_TO_DO = 143
HELD_BACK_TOKENS = 1_000_000
SHAPES = (
    # (width, layers, heads, key/value heads, inner), each just under 15 million parameters
    (512, 4, 8, 2, 1280),
    (448, 5, 7, 1, 1280),
    (384, 7, 6, 2, 1088),
    (320, 11, 5, 1, 896),
    (256, 18, 4, 1, 704),
)
MATRIX_RATES = (0.015, 0.03)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What all candidates have in common.

    Attributes:
        minutes: Training time of the whole search; starting and compiling come on top.
        steps: Instead of minutes, the steps of a candidate in the first round.
        ends: When this call ends, by the monotonic clock.
    """

    work: Path
    corpus: Path
    shared: Path
    minutes: float
    steps: int | None
    tiny: bool
    device: str
    ends: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One candidate in one round; no bits where it failed."""

    name: str
    round: int
    preset: Preset
    seconds: float
    bits_per_byte: float | None
    tokens: int
    note: str


def first_candidates(*, tiny: bool) -> list[Preset]:
    """Every shape with every rate, in a fixed order."""
    if tiny:
        small = PRESETS["tiny"]
        return [replace(small, width=width, matrix_rate=rate)
                for width in (16, 32) for rate in MATRIX_RATES]  # fmt: skip
    return [
        replace(PRESETS["gpu"], width=width, layers=layers, heads=heads, kv_heads=kv_heads,
                inner=inner, matrix_rate=rate)
        for width, layers, heads, kv_heads, inner in SHAPES
        for rate in MATRIX_RATES
    ]  # fmt: skip


def neighbours(best: Preset) -> list[Preset]:
    """The best with another batch or another rate."""
    return [
        replace(best, windows=best.windows // 2),
        replace(best, windows=best.windows * 2),
        replace(best, matrix_rate=best.matrix_rate * 2**0.5),
        replace(best, matrix_rate=best.matrix_rate * 0.5**0.5),
    ]


def name_of(preset: Preset) -> str:
    """A short name, different for different candidates."""
    return (
        f"{preset.width}x{preset.layers}-{preset.windows}w"
        f"-m{preset.matrix_rate:.3g}-o{preset.other_rate:.3g}"
    )


def known(work: Path) -> list[Result]:
    """What ``results.json`` says."""
    path = work / "results.json"
    if not path.exists():
        return []
    rows = json.loads(path.read_text())
    return [Result(**{**row, "preset": Preset(**row["preset"])}) for row in rows]


def keep(results: list[Result], work: Path) -> None:
    """Write ``results.json`` whole or not at all."""
    partial = work / "results.partial"
    partial.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    partial.replace(work / "results.json")


def command_of(options: Options, preset_file: Path, length: list[str], seconds: float) -> list[str]:
    """How `pretrain.py` is called for a candidate."""
    small = options.tiny
    held_back, windows = (100, 2) if small else (HELD_BACK_TOKENS, 192)
    words = [
        sys.executable, str(SCRIPT), "--preset", str(preset_file), "--device", options.device,
        "--shared", str(options.shared), "--corpus", str(options.corpus),
        "--work", str(preset_file.parent), "--with-parent", *length,
        "--hold-back", str(held_back), "--held-out-windows", str(windows),
        "--record-seconds", "1e9", "--export-seconds", "1e9", "--save-seconds", "60",
        "--call-seconds", str(seconds),
    ]  # fmt: skip
    if small:
        words += ["--conversations", "50", "--threads", "1", "--no-compile"]
    return words


def try_out(options: Options, preset: Preset, place: int, seconds: float) -> Result | None:
    """Train a candidate; None if the time of this call was over before it was done."""
    name = name_of(preset)
    folder = options.work / f"round-{place}" / name
    folder.mkdir(parents=True, exist_ok=True)
    preset_file = folder / "preset.json"
    preset_file.write_text(json.dumps(asdict(preset), indent=2) + "\n")
    length = ["--minutes", str(seconds / 60)]
    if options.steps is not None:
        length = ["--steps", str(options.steps * SHARE_THAT_STAYS ** min(place, 1))]
    limit = 2 * seconds + 300
    left = options.ends - time.monotonic()
    command = command_of(options, preset_file, length, min(limit - 60, left))
    note = ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
        if done.returncode == MORE_TO_DO and left < limit - 60:
            return None
        if done.returncode != 0:
            note = (done.stderr.strip().splitlines() or ["no word"])[-1][:200]
    except subprocess.TimeoutExpired:
        note = f"stopped after {limit:.0f} seconds"
    bits, tokens, took = None, 0, seconds
    curve = folder / "curve.csv"
    if not note and curve.exists():
        with curve.open(newline="") as stream:
            *_, last = csv.DictReader(stream)
        bits, tokens = float(last["held_out_bits_per_byte"]), int(last["tokens"])
        took = float(last["active_seconds"])
        (folder / "checkpoint.pt").unlink(missing_ok=True)
    return Result(
        name=name, round=place, preset=preset, seconds=took, bits_per_byte=bits, tokens=tokens,
        note=note,
    )  # fmt: skip


def bits_of(result: Result) -> float:
    """What candidates are compared by."""
    return float("inf") if result.bits_per_byte is None else result.bits_per_byte


def ranked(results: list[Result], place: int) -> list[Result]:
    """The results of a round that are numbers, best first; equal ones keep their order."""
    found = [one for one in results if one.round == place and one.bits_per_byte is not None]
    return sorted(found, key=bits_of)


def run_round(
    options: Options, results: list[Result], presets: list[Preset], place: int, seconds: float
) -> bool:
    """Try what is not known yet; False if the time of this call is over before all are."""
    there = {result.name for result in results if result.round == place}
    for preset in presets:
        if name_of(preset) in there:
            continue
        if time.monotonic() > options.ends:
            return False
        result = try_out(options, preset, place, seconds)
        if result is None:
            return False
        results.append(result)
        keep(results, options.work)
        said = result.note or f"{result.bits_per_byte:.4f} bits per byte"
        print(f"round {place} {result.name}: {said}", file=sys.stderr, flush=True)
    return True


def search(options: Options) -> Result | None:
    """All rounds; None if there is more to do in the next call.

    A third of the time goes to the first round; the rest to the best third of it and then, with as
    much time each, to the neighbours of the best.
    """
    options.work.mkdir(parents=True, exist_ok=True)
    results = known(options.work)
    presets = first_candidates(tiny=options.tiny)
    fewer = max(1, len(presets) // SHARE_THAT_STAYS)
    first = options.minutes * 60 / 3 / len(presets)
    longer = options.minutes * 60 * 2 / 3 / (fewer + len(neighbours(presets[0])))
    if not run_round(options, results, presets, 0, first):
        return None
    best = ranked(results, 0)[:fewer]
    if not best:
        raise SystemExit("error: every candidate failed: see the notes in results.json")
    if not run_round(options, results, [one.preset for one in best], 1, longer):
        return None
    best = ranked(results, 1)[:1] or best[:1]
    if not run_round(options, results, neighbours(best[0].preset), 2, longer):
        return None
    return min([best[0], *ranked(results, 2)], key=bits_of)


def table(results: list[Result], winner: Result) -> str:
    """A Markdown table, best first within a round."""
    lines = ["| round | width | layers | inner | parameters | windows | rates | seconds | tokens/s "
             "| bits per byte |", "|" + " --- |" * 10]  # fmt: skip
    rounds = sorted({result.round for result in results}, reverse=True)
    failed = [result for result in results if result.bits_per_byte is None]
    for result in [one for place in rounds for one in ranked(results, place)] + failed:
        preset = result.preset
        value = result.note if result.bits_per_byte is None else f"{result.bits_per_byte:.4f}"
        mark = " **winner**" if result == winner else ""
        lines.append(
            f"| {result.round} | {preset.width} | {preset.layers} | {preset.inner} "
            f"| {preset.parameters:,} | {preset.windows} "
            f"| {preset.matrix_rate:.3g}, {preset.other_rate:.3g} | {result.seconds:.0f} "
            f"| {result.tokens / max(result.seconds, 1e-9):,.0f} | {value}{mark} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Search shape and rates of the starter model.")
    add = parser.add_argument
    add("--work", type=Path, default=Path("runs/starter-search"), help="working folder")
    add("--corpus", type=Path, default=Path("runs/starter-corpus"), help="token files")
    add("--shared", type=Path, default=Path("../shared"), help="holds pretrain/")
    add("--tokenizer", type=Path, help="model folder whose tokenizer is taken; else one is trained")
    add("--minutes", type=float, default=12.0, help="of training in all; starts come on top")
    add("--call-seconds", type=float, help="end this call after so long; the next one goes on")
    add("--device", default="auto", help="auto, cpu, cuda, ...")
    add("--tiny", action="store_true", help="tiny shapes, a few steps each, for a CPU")
    given = parser.parse_args()
    limit = float("inf") if given.call_seconds is None else given.call_seconds
    ends = time.monotonic() + limit
    own = 50 if given.tiny else corpus_files.OWN_CONVERSATIONS
    corpus_files.prepare_corpus(given.shared, given.corpus, own, given.tokenizer)
    options = Options(
        work=given.work, corpus=given.corpus, shared=given.shared, minutes=given.minutes,
        steps=2 if given.tiny else None, tiny=given.tiny, device=given.device, ends=ends,
    )  # fmt: skip
    winner = search(options)
    if winner is None:
        print("kept; run the same command again to continue", file=sys.stderr)
        sys.exit(MORE_TO_DO)
    (given.work / "winner.json").write_text(json.dumps(asdict(winner.preset), indent=2) + "\n")
    page = table(known(given.work), winner)
    (given.work / "search.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
