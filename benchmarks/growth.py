"""What grows with the data: preparing many rows, killed and restarted, 20 steps, long rows.

    python -m benchmarks.growth --rows 1000000 --out runs/growth

1. makes a file of short questions and answers from a fixed seed;
2. prepares it with an empty cache and is killed (SIGKILL) about half way;
3. prepares it again: finished parts are kept;
4. prepares it once more for another run, from the cache;
5. trains 20 steps of 8 rows on it, timed one by one;
6. times a token in rows of 256 to 4,096 tokens, attention's own term apart.

Everything runs in processes of its own, whose memory and processor time are watched. The page is
printed and kept as OUT/growth.md and OUT/growth.json. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contest import ROOT, say
from benchmarks.lengths import LENGTHS
from benchmarks.machine import describe_machine, versions
from benchmarks.watched import Watched, watch
from tunesmith.data.parts import ROWS_PER_PART
from tunesmith.data.worker import LARGE
from tunesmith.runs.fault import VARIABLE

_TEXT = """
the of a to in is you that it he was for on are as with they at be this have from or one had
by word but not what all were we when your can said there use an each which she do how if
will up other about out many then them these so some her would make like him into time has
look two more write go see number no way could people my than first water been call who its
now find long down day did get come made may part invoice refund order parcel delivery
account password shipping support ticket late broken
"""


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rows", type=int, default=1_000_000, help="rows that are prepared (1000000)")
    add("--base", default="starter", help="model folder for preparing and training (starter)")
    add("--steps", type=int, default=20, help="training steps (20)")
    add("--lengths-base", help="model folder for the lengths (the same as --base)")
    add("--lengths", default=",".join(map(str, LENGTHS)), help="tokens of the rows, with commas")
    add("--tokens", type=int, default=max(LENGTHS), help="tokens of a step of the lengths (4096)")
    add("--rounds", type=int, default=3, help="times that every length is measured (3)")
    add("--out", type=Path, default=Path("runs/growth"), help="folder for all of it (runs/growth)")
    return parser


def main() -> None:
    """Measure, and print the page."""
    given = arguments().parse_args()
    folder = given.out.resolve()
    for name in ("cache", "killed", "again", "train"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / "rows.jsonl"
    say(f"writing {given.rows:,} rows")
    write_rows(rows, given.rows)
    found: dict[str, Any] = {"rows": given.rows, "bytes": rows.stat().st_size}
    found |= growth(given, rows, folder)
    found |= {"machine": describe_machine(), "versions": versions()}
    page = as_page(found)
    (folder / "growth.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "growth.md").write_text(page)
    print(page, end="")


def write_rows(file: Path, count: int) -> None:
    """Questions of 15 to 45 words and answers of 25 to 75, the same every time."""
    draw, words = random.Random(0), _TEXT.split()
    with file.open("w", encoding="utf-8") as stream:
        for _ in range(count):
            question = " ".join(draw.choices(words, k=draw.randint(15, 45)))
            answer = " ".join(draw.choices(words, k=draw.randint(25, 75)))
            row = {"question": f"{question}?", "answer": f"{answer}."}
            stream.write(json.dumps(row) + "\n")


def growth(given: argparse.Namespace, rows: Path, folder: Path) -> dict[str, Any]:
    """All figures of a command line."""
    part = ["--rows", str(rows), "--base", given.base]
    prepare = ["benchmarks.growing", "prepare", *part]
    parts = -(-given.rows // ROWS_PER_PART)
    processes = len(os.sched_getaffinity(0)) if rows.stat().st_size >= LARGE else 1
    # Each process counts its own parts; the first one dies at about half of all.
    fault = {VARIABLE: f"part:{max(1, parts // (2 * processes))}:kill"}

    say(f"preparing {parts} parts, to be killed half way")
    killed = run([*prepare, "--folder", str(folder / "killed")], folder, fault, code=-9)
    kept = len(list(folder.glob("cache/tunesmith/tokens/*.parts-*/part-*/manifest.json")))
    say(f"preparing again; {kept} parts are there")
    rest = run([*prepare, "--folder", str(folder / "killed")], folder)
    say("preparing once more, from the cache")
    again = run([*prepare, "--folder", str(folder / "again")], folder)
    say(f"training {given.steps} steps")
    train = ["benchmarks.growing", "train", *part, "--folder", str(folder / "train")]
    trained = run([*train, "--steps", str(given.steps)], folder)
    say(f"timing rows of {given.lengths} tokens")
    lengths = ["benchmarks.lengths", "--base", given.lengths_base or given.base]
    lengths += ["--lengths", given.lengths, "--tokens", str(given.tokens)]
    curve = run([*lengths, "--rounds", str(given.rounds)], folder)
    return {
        "parts": parts,
        "kept": kept,
        "killed": figures(killed),
        "rest": figures(rest) | last_line(rest),
        "cached": figures(again) | last_line(again),
        "train": figures(trained) | last_line(trained),
        "lengths": last_line(curve),
    }


def run(
    module: Sequence[str], folder: Path, more: dict[str, str] | None = None, *, code: int = 0
) -> Watched:
    """Run a module with a cache of its own; SystemExit where it ends otherwise than expected."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {
        "PYTHONPATH": os.pathsep.join(paths),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        VARIABLE: "",
        **(more or {}),
    }
    done = watch([sys.executable, "-m", *module], folder / "logs", variables)
    if done.code != code:
        raise SystemExit(f"error: {module[0]} ended with {done.code}: {done.errors[-2000:]}")
    return done


def figures(done: Watched) -> dict[str, Any]:
    """What was watched, without what was said."""
    kept = asdict(done)
    return {key: value for key, value in kept.items() if key not in ("output", "errors", "code")}


def last_line(done: Watched) -> Any:  # noqa: ANN401
    """What a part measured itself; its `seconds` are without starting Python."""
    return json.loads(done.output.splitlines()[-1])


def as_page(found: dict[str, Any]) -> str:
    """The figures as tables."""
    lines = [
        f"# {found['rows']:,} rows ({found['bytes'] / 1e6:,.0f} MB)",
        "",
        "| preparation | wall s | processor s | peak MiB | workers' peaks MiB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    names = {
        "killed": f"until it was killed; {found['kept']} of {found['parts']} parts were kept",
        "rest": "the rest, after a restart",
        "cached": "for another run, from the cache",
    }
    for name, says in names.items():
        one = found[name]
        workers = ", ".join(f"{peak:,.0f}" for peak in one["workers_mib"]) or "none"
        lines.append(
            f"| {says} | {one['seconds']:,.1f} | {one['cpu_seconds']:,.1f} "
            f"| {one['peak_mib']:,.0f} | {workers} |"
        )
    train = found["train"]
    lines += [
        "",
        f"{train['steps']} steps on them: {train['step'] * 1000:,.0f} ms a step (median), "
        f"{train['tokens'] / train['steps']:,.0f} tokens a step; {train['first']:.1f} s before "
        f"the first, preparing from the cache included; peak {train['peak_mib']:,.0f} MiB.",
        "",
        "| tokens a row | µs a token | attention | the rest | the rest, of the shortest |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    shortest = found["lengths"][0]
    for one in found["lengths"]:
        rest = one["whole"] - one["attention"]
        share = rest / (shortest["whole"] - shortest["attention"])
        lines.append(
            f"| {one['length']:,} | {one['whole']:.1f} | {one['attention']:.1f} "
            f"| {rest:.1f} | {share:.2f} |"
        )
    lines += ["", *(f"- {name}: {value}" for name, value in found["machine"].items())]
    lines += [f"- {name} {version}" for name, version in found["versions"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
