"""How time and memory of `tunesmith check` grow with the rows.

    python -m benchmarks.audit.scale --rows 10000,100000,1000000 --out runs/audit-scale

Each row is made from a fixed seed: a sentence and a question of real rows, and two to four
sentences of real answers (MedQuAD, GSM8K, GPTeacher), so that rows are as long and as various as
real ones and hardly two are alike. The command runs as a user would run it, every check on; its
memory and that of its worker are the kernel's own peaks. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from pathlib import Path

from benchmarks.audit.sources import READERS
from benchmarks.watched import watch

ROOT = Path(__file__).parents[2]
_SETS = ("medquad", "gsm8k", "gpteacher")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rows", default="10000,100000,1000000", help="numbers of rows, with commas")
    add("--out", type=Path, default=Path("runs/audit-scale"), help="folder for files and figures")
    add("--data", type=Path, default=ROOT.parent / "shared" / "data", help="the public data sets")
    return parser


def main() -> None:
    """Make the files, check each, print a table and keep it as scale.json."""
    given = arguments().parse_args()
    if not given.data.is_dir():
        raise SystemExit(f"error: {given.data} is not there; --data names the public data sets")
    given.out.mkdir(parents=True, exist_ok=True)
    questions, sentences = _material(given.data)
    lines = []
    for count in (int(number) for number in given.rows.split(",")):
        path = given.out / f"rows-{count}.jsonl"
        _write(path, count, questions, sentences)
        lines.append(_measured(path, count))
        print(_table(lines[-1:], head=len(lines) == 1), flush=True)
    (given.out / "scale.json").write_text(json.dumps(lines, indent=1) + "\n")


def _material(data: Path) -> tuple[list[str], list[str]]:
    questions: list[str] = []
    sentences: dict[str, None] = {}
    for name in _SETS:
        for values in READERS[name](data):
            texts = [str(text) for text in values.values() if isinstance(text, str)]
            questions.append(texts[0])
            for sentence in _SENTENCE.split(texts[-1]):
                if 20 <= len(sentence) <= 400:
                    sentences[" ".join(sentence.split())] = None
    return questions, list(sentences)


def _write(path: Path, count: int, questions: list[str], sentences: list[str]) -> None:
    draw = random.Random(count)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            asked = f"{draw.choice(sentences)} {draw.choice(questions)}"
            answer = " ".join(draw.choice(sentences) for _ in range(draw.randint(2, 4)))
            row = {"question": asked, "answer": answer}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _measured(path: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tunesmith", "check", "--data", str(path), "--json"]
    found = watch(command, path.parent / f"log-{count}", {"PYTHONPATH": _search_path()})
    if found.code not in (0, 3):
        raise SystemExit(f"error: {found.errors}")
    counts = json.loads(found.output)["counts"]
    return {
        "rows": count,
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "seconds": round(found.seconds, 1),
        "processor_seconds": round(found.cpu_seconds, 1),
        "milliseconds_a_row": round(1000 * found.seconds / count, 3),
        "peak_mib": round(found.peak_mib),
        "worker_mib": round(max(found.workers_mib, default=0)),
        "findings": sum(counts.values()),
    }


def _search_path() -> str:
    """The checkout's own package, whatever is installed."""
    return os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))


def _table(lines: list[dict[str, float]], *, head: bool) -> str:
    names = list(lines[0])
    rows = [f"| {' | '.join(f'{line[name]:,}' for name in names)} |" for line in lines]
    if head:
        rows = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *rows]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
