"""Packed rows: what goes in comes out, and a single altered bit is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.contracts import TokenRow
from tunesmith.data.store import PackedRow, open_packed, write_packed
from tunesmith.errors import DataError, Place

Drawn = list[list[tuple[int, float]]]
WEIGHTS = st.sampled_from([0.0, 1.0, 0.25, 3.0])
TOKENS = st.lists(st.tuples(st.integers(0, 2**31 - 1), WEIGHTS), min_size=1, max_size=20)


def row(pairs: list[tuple[int, float]], line: int = 1, file: str = "a.jsonl") -> PackedRow:
    return PackedRow(
        row=TokenRow(
            ids_T=np.array([token for token, _ in pairs], dtype=np.int32),
            weights_T=np.array([weight for _, weight in pairs], dtype=np.float32),
            place=Place(file=file, line=line),
            digest=f"{line:064x}",
        ),
        source=line % 3,
        example=line * 10,
        group=2**64 - line,
    )


def rows(count: int = 5) -> list[PackedRow]:
    return [row([(n, 0.0), (n + 1, 1.0)] * n, line=n) for n in range(1, count + 1)]


@given(drawn=st.lists(TOKENS, max_size=8))
@settings(max_examples=60, deadline=None)
def test_rows_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, drawn: Drawn
) -> None:
    given_rows = [row(pairs, line=index + 1) for index, pairs in enumerate(drawn)]
    packed = write_packed(tmp_path_factory.mktemp("store") / "train", given_rows)
    assert len(packed) == len(given_rows)
    for index, expected in enumerate(given_rows):
        found = packed.packed(index)
        assert found.row.ids_T.tolist() == expected.row.ids_T.tolist()
        assert found.row.weights_T.tolist() == expected.row.weights_T.tolist()
        assert found.row.weights_T.dtype == np.float32
        assert (found.row.place, found.row.digest) == (expected.row.place, expected.row.digest)
        assert (found.source, found.example, found.group) == (
            expected.source,
            expected.example,
            expected.group,
        )
    assert packed.lengths.tolist() == [len(pairs) for pairs in drawn]
    assert packed.trained.tolist() == [sum(w > 0 for _, w in pairs) for pairs in drawn]


def test_weights_of_0_and_1_take_a_byte(tmp_path: Path) -> None:
    write_packed(tmp_path / "plain", rows())
    write_packed(tmp_path / "heavy", [row([(1, 0.0), (2, 0.5)])])
    assert (tmp_path / "plain" / "weights.u8").exists()
    assert (tmp_path / "heavy" / "weights.f32").exists()


def test_equal_rows_give_equal_folders(tmp_path: Path) -> None:
    one, other = write_packed(tmp_path / "a", rows()), write_packed(tmp_path / "b", rows())
    assert one.digest == other.digest
    assert write_packed(tmp_path / "c", rows(4)).digest != one.digest


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    write_packed(tmp_path / "train", [row([(1, 0.0), (2, 0.5)])])
    assert len(write_packed(tmp_path / "train", rows())) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train"]


def test_a_failing_writer_leaves_nothing_and_harms_nothing(tmp_path: Path) -> None:
    write_packed(tmp_path / "train", rows())

    def failing() -> Iterator[PackedRow]:
        yield rows()[0]
        raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        write_packed(tmp_path / "train", failing())
    assert len(open_packed(tmp_path / "train")) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train"]


@pytest.mark.parametrize("name", ["ids.i32", "weights.u8", "rows.bin", "manifest.json"])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_flipped_bit_is_noticed(tmp_path: Path, name: str, place: float) -> None:
    write_packed(tmp_path / "train", rows())
    path = tmp_path / "train" / name
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DataError) as caught:
        open_packed(tmp_path / "train")
    assert caught.value.place == Place(file=path)


@pytest.mark.parametrize("name", ["ids.i32", "weights.u8", "rows.bin", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "deleted"])
def test_a_damaged_file_is_noticed(tmp_path: Path, name: str, damage: str) -> None:
    write_packed(tmp_path / "train", rows())
    path = tmp_path / "train" / name
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] if damage == "cut" else b"")
    with pytest.raises(DataError) as caught:
        open_packed(tmp_path / "train")
    assert caught.value.hint == "prepare the data again"


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"digest": "x"}', "null"])
def test_a_manifest_of_another_kind_is_noticed(tmp_path: Path, content: str) -> None:
    write_packed(tmp_path / "train", rows())
    (tmp_path / "train" / "manifest.json").write_text(content)
    with pytest.raises(DataError, match="manifest"):
        open_packed(tmp_path / "train")


def test_what_the_writer_adds_is_kept(tmp_path: Path) -> None:
    extra: dict[str, object] = {}

    def making() -> Iterator[PackedRow]:
        yield from rows()
        extra["seen"] = 5

    write_packed(tmp_path / "train", making(), extra)  # type: ignore[arg-type]
    assert open_packed(tmp_path / "train").extra == {"seen": 5}
    assert json.loads((tmp_path / "train" / "manifest.json").read_text())["extra"] == {"seen": 5}


def test_rows_are_mapped_and_cannot_be_written_to(tmp_path: Path) -> None:
    packed = write_packed(tmp_path / "train", rows())
    with pytest.raises(ValueError, match="read-only"):
        packed.row(0).ids_T[0] = 5
