"""Log-probabilities of the trained tokens under the model as training begins, computed once.

    data/reference/<digest of what decides them>/
      0-256.bin   0-256.json      the rows that are first seen in steps 1 to 256
      held-out.bin  ...           those that are measured with

Rows are computed with the step that sees them first, whatever the run's length: a longer run
adds pieces and changes none, and a damaged piece is made again with the same bits. A piece
appears when it is complete, so a run that is killed repeats one piece at most. Several
processes divide the rows; the first one writes, and all read what it wrote.

Shapes: T tokens of a row, R rows of a piece, N their trained tokens.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tunesmith.contracts import JsonObject, Scores, TokenRow
from tunesmith.data.content import canonical
from tunesmith.data.forest import Forest, Packing
from tunesmith.errors import ResourceError
from tunesmith.recipe import Recipe
from tunesmith.runs.durable import write_bytes
from tunesmith.train.deal import cut
from tunesmith.train.distribute import Placement
from tunesmith.train.resume import Identity
from tunesmith.train.steps import Rows, StepRows

PIECE = 256
"""Steps whose rows are computed and kept together."""
_HELD_OUT = "held-out"
_EVERY_SECONDS = 10.0

Indexed = tuple[int, TokenRow]
"""A row, and where it stands among all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The model to compare with, and where its figures are kept."""

    folder: Path
    """For these figures alone: see `folder_of`."""
    scores: Callable[[Forest], Scores]
    """Of the model as training begins, without dropout."""
    packing: Packing
    say: Callable[[str], None]
    placement: Placement = Placement()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The figures of some rows, memory-mapped."""

    name: str
    """That of its files: the steps around it, or `held-out`."""
    rows_R: NDArray[np.int64]
    """Where each row stands among all rows."""
    ends_R: NDArray[np.int64]
    """Where each row's figures end among the values."""
    values_N: NDArray[np.float32]

    def values(self, place: int) -> NDArray[np.float32]:
        """The figures of one row's trained tokens."""
        begin = int(self.ends_R[place - 1]) if place else 0
        return self.values_N[begin : int(self.ends_R[place])]


class ReferencedRows:
    """Rows that carry their reference; those that no step has are as they were."""

    def __init__(self, rows: Rows) -> None:
        """Take rows, none of them with a reference yet."""
        self._rows = rows
        self._pieces: list[Piece] = []
        self._piece_of = np.full(len(rows), -1, dtype=np.int32)
        self._place_of = np.zeros(len(rows), dtype=np.int64)

    def __len__(self) -> int:
        """As many as there were."""
        return len(self._rows)

    def row(self, index: int) -> TokenRow:
        """One of them."""
        row = self._rows.row(index)
        if not self.knows(index):
            return row
        piece = self._pieces[int(self._piece_of[index])]
        return _with_reference(row, piece.values(int(self._place_of[index])))

    def knows(self, index: int) -> bool:
        """Whether a row has its reference."""
        return bool(self._piece_of[index] >= 0)

    def add(self, piece: Piece) -> None:
        """Give rows their reference; those that have one keep it."""
        fresh_R = self._piece_of[piece.rows_R] < 0
        self._piece_of[piece.rows_R[fresh_R]] = len(self._pieces)
        self._place_of[piece.rows_R[fresh_R]] = np.flatnonzero(fresh_R)
        self._pieces.append(piece)


def folder_of(folder: Path, decided_by: JsonObject) -> Path:
    """Where figures are kept that follow from `decided_by`, and from nothing else."""
    return folder / sha256(canonical(decided_by).encode()).hexdigest()[:32]


def decided_by(recipe: Recipe, identity: Identity) -> JsonObject:
    """Everything that the figures of a run follow from, up to rounding."""
    adapter = recipe.base.adapter
    return {
        "base": identity.base,
        "adapter": None if adapter is None else _digest_of_files(Path(adapter)),
        "precision": recipe.base.precision,
        "quantize": recipe.base.quantize,
        "data": identity.data,
        "rows_per_step": recipe.train.rows_per_step,
        "sources": [source.weight for source in recipe.data.sources],
        "shuffle": recipe.data.shuffle,
        "group_prefixes": recipe.train.group_prefixes,
        "seed": recipe.seed,
    }


def of_steps(reference: Reference, rows: Rows, steps: StepRows, total: int) -> ReferencedRows:
    """The rows, with the reference of those that steps 1 to `total` have.

    Args:
        reference: the model to compare with.
        rows: all rows.
        steps: which of them each step has.
        total: steps of the run.

    Raises:
        ResourceError: the disk is full.
    """
    known = ReferencedRows(rows)
    account = _Account(reference.say, total)
    done = 0
    while done < total:
        piece = _found(reference, partial(_kept_from, reference.folder, done))
        if piece is None:
            end = min(total, (done // PIECE + 1) * PIECE)
            made = _of_range(reference, known, rows, steps, range(done + 1, end + 1), account)
            piece = _keep(reference, f"{done}-{end}", made)
        known.add(piece)
        done = int(piece.name.split("-")[1])
    return known


def of_held_out(reference: Reference, held_out: Sequence[TokenRow]) -> list[TokenRow]:
    """The held-out rows with their reference.

    Raises:
        ResourceError: the disk is full.
    """
    piece = _found(reference, lambda: _kept(reference.folder, _HELD_OUT))
    if piece is None:
        reference.say(f"reference: {len(held_out):,} held-out rows")
        made = _computed(reference, list(enumerate(held_out)))
        piece = _keep(reference, _HELD_OUT, made)
    return [_with_reference(row, piece.values(place)) for place, row in enumerate(held_out)]


@dataclass(slots=True)
class _Account:
    """Says now and then how far it has come."""

    say: Callable[[str], None]
    total: int
    said: float = field(default_factory=time.monotonic)

    def reached(self, step: int) -> None:
        now = time.monotonic()
        if now - self.said >= _EVERY_SECONDS or step == self.total:
            self.said = now
            self.say(f"reference: rows of step {step:,} of {self.total:,}")


def _of_range(
    reference: Reference,
    known: ReferencedRows,
    rows: Rows,
    steps: StepRows,
    span: range,
    account: _Account,
) -> list[tuple[int, NDArray[np.float32]]]:
    """The rows that these steps have and no step before them, a step at a time."""
    made: list[tuple[int, NDArray[np.float32]]] = []
    seen: set[int] = set()
    for step in span:
        wanted = dict.fromkeys(index for index in steps.indices(step) if not known.knows(index))
        fresh = [index for index in wanted if index not in seen]
        made += _computed(reference, [(index, rows.row(index)) for index in fresh])
        seen.update(fresh)
        account.reached(step)
    return made


def _computed(
    reference: Reference, rows: Sequence[Indexed]
) -> list[tuple[int, NDArray[np.float32]]]:
    """The figures of each row, in the order of the rows."""
    placement = reference.placement
    forests = cut([row for _, row in rows], reference.packing, placement.group.count)
    made: list[tuple[Forest, Tensor]] = []
    with torch.no_grad():
        for turn in placement.turns(forests):
            scores = placement.compute(partial(reference.scores, turn.forest))
            if turn.counts:
                made.append((turn.forest, scores.logprobs_N.float()))
    placement.settle()
    own: dict[int, NDArray[np.float32]] = {}
    for forest, there_N in made:  # only now, as reading waits for the device
        logprobs_N = there_N.cpu().numpy()
        for number in np.unique(forest.rows_N):
            own[int(number)] = logprobs_N[forest.rows_N == number]
    values = placement.group.merged(own)
    nothing = np.empty(0, dtype=np.float32)
    return [(index, values.get(number, nothing)) for number, (index, _) in enumerate(rows)]


def _with_reference(row: TokenRow, values_N: NDArray[np.float32]) -> TokenRow:
    reference_T = np.zeros(row.ids_T.size, dtype=np.float32)
    reference_T[row.weights_T > 0] = values_N
    return replace(row, reference_T=reference_T)


def _found(reference: Reference, find: Callable[[], Piece | None]) -> Piece | None:
    """What the first process finds, opened by each of them."""
    here: list[Piece | None] = []

    def name() -> str | None:
        here.append(piece := find())
        return None if piece is None else piece.name

    found = reference.placement.group.shared(name)
    if here or found is None:
        return here[0] if here else None
    piece = _kept(reference.folder, found)
    if piece is None:
        raise ResourceError(
            f"this process does not see {reference.folder / found}.bin as the first one wrote it",
            hint="the run directory must lie on storage that all processes share",
        )
    return piece


def _keep(
    reference: Reference, name: str, made: Iterable[tuple[int, NDArray[np.float32]]]
) -> Piece:
    """Write a piece, and open it as a later run would."""
    piece = _found(reference, lambda: _written(reference.folder, name, made))
    assert piece is not None, "it has just been written"
    return piece


def _written(
    folder: Path, name: str, made: Iterable[tuple[int, NDArray[np.float32]]]
) -> Piece | None:
    indices, values = zip(*made, strict=True) if made else ((), ())
    ends_R = np.cumsum([part.size for part in values], dtype="<i8")
    parts = (np.array(indices, dtype="<i8"), ends_R, *(part.astype("<f4") for part in values))
    body = b"".join(part.tobytes() for part in parts)
    stamp = {"rows": len(indices), "bytes": len(body), "sha256": sha256(body).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / f"{name}.bin", body)
    write_bytes(folder / f"{name}.json", json.dumps(stamp).encode())
    return _kept(folder, name)


def _kept_from(folder: Path, done: int) -> Piece | None:
    """The longest good piece that begins after step `done`."""
    ends = sorted(int(path.stem.split("-")[1]) for path in folder.glob(f"{done}-*.json"))
    for end in reversed(ends):
        piece = _kept(folder, f"{done}-{end}")
        if piece is not None:
            return piece
    return None


def _kept(folder: Path, name: str) -> Piece | None:
    """A piece that was written whole and not changed since; None where there is none."""
    path = folder / f"{name}.bin"
    try:
        stamp = json.loads((folder / f"{name}.json").read_bytes())
        count, size, digest = int(stamp["rows"]), stamp["bytes"], stamp["sha256"]
        with path.open("rb") as file:
            found = _digest(file.read(2**20) for _ in range(0, path.stat().st_size + 1, 2**20))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if path.stat().st_size != size or found != digest or size < 16 * count:
        return None
    index = np.fromfile(path, dtype="<i8", count=2 * count)
    values_N = np.empty(0, dtype=np.float32)
    if size > 16 * count:
        values_N = np.memmap(path, dtype="<f4", mode="r", offset=16 * count)
    return Piece(name=name, rows_R=index[:count], ends_R=index[count:], values_N=values_N)


def _digest_of_files(folder: Path) -> str:
    names = sorted(path for path in folder.iterdir() if path.is_file())
    return _digest(path.read_bytes() for path in names)


def _digest(parts: Iterable[bytes]) -> str:
    total = sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()
