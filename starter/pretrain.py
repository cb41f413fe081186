"""Pre-train the starter model: one script for a CPU over hours and for one GPU.

    python starter/pretrain.py --until 10:30 --export src/tunesmith/bundled/starter
    python starter/pretrain.py --size gpu --minutes 20
    python starter/pretrain.py --preset runs/starter-search/winner.json --minutes 20

The run lives in a working folder (``--work``). It may be killed or paused at any moment: run
the same command again and it continues from its last checkpoint; ``--call-seconds`` ends a call
after so long, saved, with exit code 143 as long as there is more to do. Books come from
``SHARED/pretrain``; see ``corpus.py`` for what is read and ``schedule.py`` for the budget.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import os
import platform
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TextIO

import corpus as corpus_files
import numpy as np
import torch
from pace import Pace, send
from preset import PRESETS, Preset, read_preset
from schedule import Budget, next_occurrence
from torch import Tensor
from training import Run, bits_per_byte, choose_device, choose_precision, open_run

from export import Made, export, publish

CURVE_COLUMNS = (
    "step", "tokens", "active_seconds", "fraction", "rate", "train_loss", "held_out_bits_per_byte",
)  # fmt: skip
MORE_TO_DO = 143
LOCK_PATIENCE = 30.0


def record(run: Run, train_loss: float, measured: float) -> None:
    """Append a line to ``curve.csv`` and say it on stderr."""
    progress, preset = run.progress, run.made.preset
    row = [
        progress.step, progress.tokens, round(progress.active_seconds, 1),
        round(progress.fraction, 4), round(progress.rate, 4),
        round(train_loss, 4), round(measured, 4),
    ]  # fmt: skip
    path = run.folder / "curve.csv"
    fresh = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.writer(stream)
        if fresh:
            writer.writerow(CURVE_COLUMNS)
        writer.writerow(row)
    rate = preset.windows * preset.length / np.median(run.progress.recent)
    line = " ".join(f"{name} {value}" for name, value in zip(CURVE_COLUMNS, row, strict=True))
    print(f"{line} tokens/s {rate:.0f}", file=sys.stderr, flush=True)


def train(
    run: Run, corpus: corpus_files.Corpus, budget: Budget, options: argparse.Namespace
) -> None:
    """Train until the budget or the call is over, or a signal asks to stop."""
    token_bytes = corpus_files.bytes_of_tokens(options.corpus)
    if options.hold_back:
        corpus, held_out = corpus_files.hold_back(corpus, options.hold_back)
    else:
        held_out = corpus_files.prepare_held_out(options.shared, options.corpus)
    preset = run.made.preset
    parent = os.getppid()
    saved = recorded = exported = time.monotonic()
    losses: list[Tensor] = []
    pace = Pace(run.device)
    while run.progress.fraction < 1.0 and not run.stopping:
        progress = run.progress
        count, length = run.batch_shape(in_chat_phase=progress.in_chat_phase)
        generator = np.random.default_rng([options.seed, progress.step])
        share = preset.last_chat_share if progress.in_chat_phase else preset.chat_share
        windows = corpus.windows(generator, count, length, share)
        losses.append(run.train_step(send(windows, run.device)))
        progress.advance(budget, pace.step(), count * length)
        now = time.monotonic()
        if options.with_parent and os.getppid() != parent:
            run.stopping = True
        run.stopping |= now > options.call_ends
        ending = progress.fraction >= 1.0 or run.stopping
        if ending or now - recorded > options.record_seconds:
            measured = bits_per_byte(run, held_out, token_bytes, options.held_out_windows)
            record(run, float(torch.stack(losses).mean()), measured)
            losses.clear()
            recorded = time.monotonic()
        if ending or now - exported > options.export_seconds:
            done = export(run.network, run.made, progress, run.folder, options.corpus / "tokenizer")
            if options.export is not None:
                publish(done, options.export)
            exported = time.monotonic()
        # Last of all: a checkpoint that says "done" has its model exported.
        if ending or now - saved > options.save_seconds:
            run.save()
            saved = time.monotonic()
        if now < max(recorded, saved, exported):
            pace.rest()


def clock_time(text: str) -> float:
    """Read ``--until``; argparse shows the message of the error."""
    try:
        return next_occurrence(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time of day as HH:MM") from error


def preset_file(text: str) -> Preset:
    """Read ``--preset``; argparse shows the message of the error."""
    try:
        return read_preset(Path(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Pre-train the starter model.")
    add = parser.add_argument
    add("--shared", type=Path, default=Path("../shared"), help="holds pretrain/")
    add("--work", type=Path, default=Path("runs/starter"), help="working folder")
    add("--corpus", type=Path, help="folder of token files, to be shared by runs; else --work")
    add("--tokenizer", type=Path, help="model folder whose tokenizer is taken; else one is trained")
    add("--export", type=Path, help="write the model here as well, in Hugging Face format")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--size", choices=sorted(PRESETS), default="cpu")
    sizes.add_argument("--preset", type=preset_file, metavar="FILE", help="sizes and rates as JSON")
    ends = parser.add_mutually_exclusive_group(required=True)
    ends.add_argument("--until", type=clock_time, metavar="HH:MM", help="end at that time, UTC")
    ends.add_argument("--hours", type=float, help="end after so many hours of training")
    ends.add_argument("--minutes", type=float, help="the same in minutes")
    ends.add_argument("--steps", type=int, help="end after so many steps")
    add("--call-seconds", type=float, help="end this call after so long; the next one goes on")
    add("--with-parent", action="store_true", help="stop when the process that called is gone")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    add("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    add("--compile", action=argparse.BooleanOptionalAction, default=None)
    add("--threads", type=int, default=2)
    add("--seed", type=int, default=0)
    add("--conversations", type=int, default=corpus_files.OWN_CONVERSATIONS,
        help="how many conversations of our own to write")  # fmt: skip
    add("--hold-back", type=int, default=0, metavar="TOKENS",
        help="measure on the end of the training books, which is then not learned")  # fmt: skip
    add("--held-out-windows", type=int, default=48, help="windows of a measurement")
    add("--record-seconds", type=float, default=300.0)
    add("--save-seconds", type=float, default=300.0)
    add("--export-seconds", type=float, default=1200.0)
    return parser


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    arguments = make_parser().parse_args()
    limit = float("inf") if arguments.call_seconds is None else arguments.call_seconds
    arguments.call_ends = time.monotonic() + limit
    if arguments.preset is None:
        arguments.preset = PRESETS[arguments.size]
    if arguments.corpus is None:
        arguments.corpus = arguments.work
    if arguments.compile is None:
        arguments.compile = arguments.size != "tiny" and shutil.which("g++") is not None
    return arguments


def wait_quietly() -> None:
    """Start again with OpenMP threads that sleep while they wait; the setting is read at start."""
    if os.environ.get("OMP_WAIT_POLICY") != "PASSIVE":
        quiet = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
        os.execve(sys.executable, [sys.executable, *sys.argv], quiet)


def lock(folder: Path) -> TextIO:
    """Keep other processes from training in the same folder, for as long as this one lives."""
    folder.mkdir(parents=True, exist_ok=True)
    stream = (folder / "lock").open("w")
    patience = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > patience:
                stream.close()
                sys.exit(f"error: another process trains in {folder}")
            time.sleep(0.2)
        else:
            return stream


def compile_or_do_without(run: Run) -> None:
    """Compile; where the compiler fails, say so in a line and start again without."""
    try:
        run.compile()
    except RuntimeError as error:
        reason = (str(error).strip().splitlines() or ["?"])[0][:200]
        print(f"compiling failed, going on without: {reason}", file=sys.stderr, flush=True)
        os.execv(sys.executable, [sys.executable, *sys.argv, "--no-compile"])


def main() -> None:
    """Run the command line."""
    arguments = parse_arguments()
    wait_quietly()
    held = lock(arguments.work)
    torch.set_num_threads(arguments.threads)
    corpus = corpus_files.prepare_corpus(
        arguments.shared, arguments.corpus, arguments.conversations, arguments.tokenizer
    )
    device = choose_device(arguments.device)
    compute = choose_precision(arguments.precision, device)
    cuda = device.type == "cuda"
    made = Made(
        preset=arguments.preset, conversations=arguments.conversations, seed=arguments.seed,
        device=torch.cuda.get_device_name(device) if cuda else f"{platform.machine()} processor",
        precision=str(compute).removeprefix("torch."), command=shlex.join(["python", *sys.argv]),
    )  # fmt: skip
    try:
        run = open_run(made, arguments.work, device, compute)
    except ValueError as error:
        sys.exit(f"error: {error}")
    if arguments.compile and run.progress.fraction < 1.0:
        compile_or_do_without(run)
    if not cuda:
        os.nice(8)
    minutes = arguments.hours * 60 if arguments.hours is not None else arguments.minutes
    budget = Budget(
        deadline=arguments.until,
        active_seconds=None if minutes is None else minutes * 60,
        steps=arguments.steps,
    )

    def stop(number: int, frame: FrameType | None) -> None:
        run.stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    train(run, corpus, budget, arguments)
    held.close()
    print(run.folder)
    if run.progress.fraction < 1.0:
        print("saved; run the same command again to continue", file=sys.stderr)
        sys.exit(MORE_TO_DO)


if __name__ == "__main__":
    main()
