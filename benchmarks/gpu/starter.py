"""The larger starter model: shape and rates searched, pre-trained, measured beside the others.

    python -m benchmarks.gpu.starter search MINUTES FOLDER [SECONDS]
    python -m benchmarks.gpu.starter MINUTES FOLDER [SECONDS]

`search` leaves FOLDER/search/winner.json, which the second line trains for MINUTES; without it,
the preset `gpu`. Killed, or ended after SECONDS of one call, the same line goes on. The texts are
those of `pretrain/` in a folder `shared`, in the checkout or beside it; their tokens are kept
beside FOLDER, in `starter-corpus`; a small part invents its own. The tokenizer is that of the
bundled model, so that the new one can take its place.

At the end: bits per byte on held-out books, and how often a chat ends, beside the bundled model
and those of `shared/weights`; FOLDER/evaluation.jsonl has the samples.
"""

from __future__ import annotations

import csv
import json
import lzma
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.gpu.part import Part, line, read_part, what_failed
from benchmarks.gpu.training import ROOT

SCRIPTS = ROOT / "starter"
MORE_TO_DO = 143
BUNDLED = ROOT / "src" / "tunesmith" / "bundled" / "starter"
TEXT = "The miller closed the shutters and listened to the rain.\n\n\u201cWho is there?\u201d\n\n"


def shared_folder() -> Path | None:
    """Where the books are, if they are here."""
    folders = (ROOT / "shared", ROOT.parent / "shared", ROOT.parent.parent / "shared")
    return next((one for one in folders if (one / "pretrain").is_dir()), None)


def invent(folder: Path) -> Path:
    """A stand-in: four short books and two instructions."""
    texts = folder / "shared" / "pretrain"
    texts.mkdir(parents=True)
    books = {
        name: [{"author": "-", "title": name, "text": TEXT * 40}]
        for name in ("books-0", "books-1", "books-2", "books-heldout")
    }
    questions = [
        {"template": "qasc_is_correct_1", "prompt": "Do hens fly?", "completion": "A little."},
        {"template": "quartz_heres", "prompt": "Wet or dry?", "completion": "wet"},
    ]
    for name, rows in {**books, "instructions-t0": questions}.items():
        with lzma.open(texts / f"{name}.jsonl.xz", "wt", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in rows)
    return texts.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done where.

    Attributes:
        seconds: After how long this call ends, saved.
    """

    part: Part
    shared: Path
    work: Path
    minutes: float
    seconds: float | None

    def command(self, script: str, work: Path) -> list[str]:
        """What search and training have in common; paths as they are told to others."""
        corpus = self.work.parent / "starter-corpus"
        words = [sys.executable, shown(SCRIPTS / script), "--device", self.part.device]
        words += ["--shared", shown(self.shared), "--work", shown(work), "--corpus", shown(corpus)]
        words += ["--minutes", str(self.minutes)]
        words += [] if self.part.tiny else ["--tokenizer", shown(BUNDLED)]
        return words + ([] if self.seconds is None else ["--call-seconds", str(self.seconds)])

    def run(self, command: list[str]) -> bool:
        """Run it, its words on stderr; False if there is more to do in the next call.

        A signal to end is handed on, so that what runs is saved.
        """
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
        code = process.wait()
        assert code in (0, MORE_TO_DO), f"{command[1]} ended with exit code {code}"
        return code == 0


def shown(path: Path) -> str:
    """A path from the checkout, where it is in it or beside it."""
    inside = path.resolve()
    near = ROOT.parent
    return os.path.relpath(inside, ROOT) if inside.is_relative_to(near) else str(inside)


def search(job: Job) -> bool:
    """Find shape and rates."""
    tiny = ["--tiny"] if job.part.tiny else []
    done = job.run([*job.command("search.py", job.work / "search"), *tiny])
    results = json.loads((job.work / "search" / "results.json").read_text())
    for result in results:
        keys = ("round", "name", "bits_per_byte", "seconds", "tokens", "note")
        line(what="starter search", ok=result["bits_per_byte"] is not None,
             **{key: result[key] for key in keys})  # fmt: skip
    return done


def pretrain(job: Job) -> bool:
    """Train to the end, or go on from where the last call stopped."""
    command = [*job.command("pretrain.py", job.work), "--export", shown(job.work / "model")]
    winner = job.work / "search" / "winner.json"
    if winner.exists():
        command += ["--preset", shown(winner)]
    else:
        command += ["--size", "tiny" if job.part.tiny else "gpu"]
    if job.part.tiny:
        command += ["--conversations", "50", "--threads", "1", "--record-seconds", "0"]
        command += ["--compile" if job.part.device == "cuda" else "--no-compile"]
    else:
        command += ["--record-seconds", "30", "--save-seconds", "60", "--export-seconds", "60"]
        command += ["--held-out-windows", "192"]
    return job.run(command)


def steps(part: Part, scratch: Path) -> list[dict[str, Any]]:
    """Twelve small steps as they are, compiled, and in bf16: what each run has learned."""
    shared = invent(scratch)
    common = [sys.executable, str(SCRIPTS / "pretrain.py"), "--device", part.device]
    common += ["--shared", str(shared), "--corpus", str(scratch / "corpus"), "--size", "tiny"]
    common += ["--steps", "12", "--conversations", "50", "--threads", "1"]
    found: list[dict[str, Any]] = []
    for precision, compiled in (("fp32", False), ("fp32", True), ("bf16", True)):
        work = scratch / f"{precision}-{compiled}"
        words = ["--precision", precision, "--compile" if compiled else "--no-compile"]
        done = subprocess.run([*common, "--work", str(work), *words], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr[-1000:]
        with (work / "curve.csv").open(newline="") as stream:
            *_, last = csv.DictReader(stream)
        bits = float(last["held_out_bits_per_byte"])
        first = found[0]["bits_per_byte"] if found else bits
        error = abs(bits - first) / first
        # bf16 has three digits, and the orthogonal steps of Muon keep fewer.
        right = error < (1e-3 if precision == "fp32" else 2e-2) and bits < 3.4
        gave_up = "compiling failed" in done.stderr
        found.append({"what": "starter steps", "ok": right and not gave_up, "precision": precision,
                      "compiled": compiled, "bits_per_byte": bits, "error": error})  # fmt: skip
    return found


def evaluate(part: Part, shared: Path, work: Path) -> None:
    """Measure what came out beside what there is."""
    models = [work / "model", BUNDLED]
    models += [] if part.tiny else sorted((shared / "weights").glob("*/"))
    few = ["--windows", "1", "--chats", "0", "--samples", "1"] if part.tiny else []
    command = [sys.executable, str(SCRIPTS / "evaluate.py"), *map(str, models), *few]
    done = subprocess.run(
        [*command, "--shared", str(shared)], capture_output=True, text=True, check=False
    )
    (work / "evaluation.jsonl").write_text(done.stdout)
    for result in map(json.loads, done.stdout.splitlines()):
        shown = ("model", "parameters", "bits_per_byte", "standard_error", "stop_rate_greedy")
        line(**{key: result[key] for key in shown})
    assert done.returncode == 0, done.stderr[-1000:]


def measure(part: Part, scratch: Path) -> None:
    """Search, or pre-train and measure."""
    words = [word for word in part.words if word != "search"]
    shared = invent(scratch) if part.tiny else shared_folder()
    if shared is None:
        line(what="starter", skipped="no folder shared/pretrain in the checkout or beside it")
        return
    work = Path(words[1]) if len(words) > 1 else ROOT / "runs" / "starter-gpu"
    job = Job(
        part=part, shared=shared, work=scratch / "work" if part.tiny else work,
        minutes=0.05 if part.tiny else float(words[0]) if words else 20.0,
        seconds=float(words[2]) if len(words) > 2 else None,
    )  # fmt: skip
    job.work.mkdir(parents=True, exist_ok=True)
    if "search" in part.words:
        again = not search(job)
    else:
        again = not pretrain(job)
        with (job.work / "curve.csv").open(newline="") as stream:
            *_, last = csv.DictReader(stream)
        line(what="starter", ok=True, **{key: float(value) for key, value in last.items()})
    if again:
        line(what="starter", ok=True, note="saved: the same call goes on")
    elif "search" not in part.words:
        evaluate(part, job.shared, job.work)


def main() -> None:
    """Measure, and say what failed."""
    part = read_part(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            measure(part, Path(scratch))
        except Exception as error:  # said in the table, like any other result
            line(what="starter", ok=False, note=what_failed(error))


if __name__ == "__main__":
    main()
