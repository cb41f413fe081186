"""A tiny base, a few dozen rows and a recipe, so that a training run takes a second.

`harness.py` beside this file imports these functions too: it trains in processes of its own,
which can be killed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.base import locate_base
from tunesmith.contracts import TokenRow
from tunesmith.data.order import Mixture
from tunesmith.data.store import PackedRow, open_packed, write_packed
from tunesmith.errors import Place
from tunesmith.recipe import Base, Data, PluginChoice, Recipe, Source, Train
from tunesmith.runs import Run, create_run
from tunesmith.tokenizer.load import load_tokenizer
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.tokenizer.template import load_template
from tunesmith.train.result import Speech
from tunesmith.train.stage import Material, TrainRecord, train

VOCABULARY = 258
TRAIN = {
    "epochs": 2.0,
    "rows_per_step": 4,
    "learning_rate": 1e-2,
    "eval_every": 4,
    "save_every": 3,
    "keep_checkpoints": 2,
    "tokens_per_forest": 64,
}


def make_base(folder: Path) -> Path:
    """A random Llama of two layers with a tokenizer of single bytes and a chat template."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            vocab_size=VOCABULARY,
            max_position_embeddings=256,
            bos_token_id=0,
            eos_token_id=1,
        )
    )
    model.save_pretrained(folder)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {"<s>": 0, "</s>": 1, **{letter: 2 + number for number, letter in enumerate(alphabet)}}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return folder


def make_row(number: int) -> TokenRow:
    """A row whose answer follows from its prompt, so that there is something to learn."""
    generator = np.random.default_rng(number)
    start = int(generator.integers(3, 60))
    prompt = [0, start, start + 1, start + 2]
    answer = [start + 3 + n for n in range(int(generator.integers(3, 12)))] + [1]
    ids = np.array(prompt + answer, dtype=np.int32)
    weights = np.array([0.0] * len(prompt) + [1.0] * len(answer), dtype=np.float32)
    digest = hashlib.sha256(ids.tobytes()).hexdigest()
    return TokenRow(
        ids_T=ids, weights_T=weights, place=Place(file="rows.jsonl", line=number + 1), digest=digest
    )


def make_rows(folder: Path, count: int, first: int = 0) -> None:
    write_packed(folder, [PackedRow(row=make_row(first + number)) for number in range(count)])


def make_pair(number: int) -> list[TokenRow]:
    """A row as `make_row` makes it, and one that goes wrong after the same prompt."""
    chosen = make_row(number)
    ids = chosen.ids_T.copy()
    ids[4:-1] = np.random.default_rng(-number - 1 & 0xFFFF).integers(3, 60, ids.size - 5)
    ids[4] = chosen.ids_T[4] + 1
    return [chosen, replace(chosen, ids_T=ids)]


def make_pairs(folder: Path, count: int, first: int = 0) -> None:
    rows = [
        PackedRow(row=row, example=number)
        for number in range(count)
        for row in make_pair(first + number)
    ]
    write_packed(folder, rows, rows_per_example=2)


def make_speech(base: Path) -> Speech:
    tokenizer = load_tokenizer(base)
    template = load_template(tokenizer, None)
    return Speech(tokenizer=tokenizer, template=template, stop_ids=stop_tokens(tokenizer, template))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """A base, rows, and a place for runs."""

    folder: Path

    def recipe(self, adapter: str = "lora", seed: int = 0, **settings: object) -> Recipe:
        chosen = {**TRAIN, **settings}
        options = {"rank": chosen.pop("rank", 4), "dropout": chosen.pop("dropout", 0.0)}
        method = chosen.pop("method", "sft")
        quantize = chosen.pop("quantize", "none")
        if "steps" in chosen:
            chosen.pop("epochs")
        return Recipe(
            base=Base.model_validate(
                {"path": str(self.folder / "base"), "precision": "fp32", "quantize": quantize}
            ),
            data=Data(sources=(Source(path="rows.jsonl"),)),
            method=PluginChoice.model_validate({"name": method}),
            adapter=PluginChoice.model_validate(
                {"name": adapter, **(options if adapter == "lora" else {})}
            ),
            train=Train.model_validate(chosen),
            seed=seed,
        )

    def material(
        self, *, held_out: bool = True, base: Path | None = None, pairs: bool = False
    ) -> Material:
        found = locate_base(str(base or self.folder / "base"))
        folder = self.folder / "pairs" if pairs else self.folder
        rows = open_packed(folder / "train")
        return Material(
            base=found,
            base_digest=found.content_digest(),
            speech=make_speech(found.path),
            rows=rows,
            held_out=open_packed(folder / "held_out") if held_out else None,
            mixture=Mixture(
                source_of_R=rows.source_of[:: rows.rows_per_example], weights=[1.0], seed=0
            ),
        )

    def new_run(self, name: str) -> Run:
        return create_run(self.folder / "runs" / name)

    def train(
        self,
        run: Run,
        recipe: Recipe,
        *,
        material: Material | None = None,
        told: list[str] | None = None,
    ) -> TrainRecord:
        lines = [] if told is None else told
        found = material or self.material(pairs=recipe.method.name == "dpo")
        return train(recipe, run, found, tell=lines.append)


def make_workshop(folder: Path) -> Workshop:
    make_base(folder / "base")
    make_rows(folder / "train", 30)
    make_rows(folder / "held_out", 8, first=1000)
    make_pairs(folder / "pairs" / "train", 30)
    make_pairs(folder / "pairs" / "held_out", 8, first=1000)
    return Workshop(folder=folder)


def digest_of_model(run: Run) -> str:
    """sha256 of the final weights."""
    (path,) = run.path("model").glob("*model.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Killable:
    """Runs of the workshop in processes of their own, forked from one that has torch loaded."""

    def __init__(self, workshop: Workshop) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("harness.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.workshop = workshop

    def start(self, run: Run, fault: str = "", **settings: object) -> int:
        """Begin or resume a run; its process id."""
        order = {
            "folder": str(self.workshop.folder),
            "run": run.name,
            "fault": fault,
            "settings": settings,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """The exit code of what was started; -9 where it was killed."""
        return int(self._line())

    def train(self, run: Run, fault: str = "", **settings: object) -> int:
        self.start(run, fault, **settings)
        return self.wait()

    def __enter__(self) -> Killable:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the harness died"
        return line


def wait_for_stop(process: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    status = Path(f"/proc/{process}/stat")
    while status.read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < end, "it never stopped"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    torch.set_num_threads(1)
    return make_workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def new_run(workshop: Workshop, request: pytest.FixtureRequest) -> Run:
    """An empty run, named for the test."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    return workshop.new_run(name)


@pytest.fixture(scope="session")
def killable(workshop: Workshop) -> Iterator[Killable]:
    with Killable(workshop) as processes:
        yield processes


@pytest.fixture(scope="session")
def digest_of() -> Callable[[Run], str]:
    """sha256 of the final weights of a run."""
    return digest_of_model


@pytest.fixture(scope="session")
def wait_until_stopped() -> Callable[[int], None]:
    """Waits until a process has suspended itself."""
    return wait_for_stop


@pytest.fixture
def copy_base(workshop: Workshop) -> Callable[[Path], Path]:
    """Copies the base to a folder, and gives that back."""

    def copy(target: Path) -> Path:
        shutil.copytree(workshop.folder / "base", target)
        return target

    return copy
