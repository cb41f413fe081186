"""Forests are cut and dealt so that every process has about the same to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tunesmith.data.forest import Packing
from tunesmith.train.deal import cost, cut, deal

if TYPE_CHECKING:
    from tests.train.conftest import Workshop


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("room", [24, 64, 4096])
def test_every_forest_has_one_owner_and_shares_are_even(
    workshop: Workshop, count: int, room: int
) -> None:
    packed = workshop.material().rows
    rows = [packed.row(number) for number in range(24)]
    forests = cut(rows, Packing(tokens_per_forest=room), count)
    dealt = deal(forests, count)
    assert sorted(number for hand in dealt.hands for number in hand) == list(range(len(forests)))
    loads = [sum(cost(forests[number]) for number in hand) for hand in dealt.hands]
    assert max(loads) == dealt.longest <= 1.35 * sum(loads) / count
    assert dealt.rounds == max(len(hand) for hand in dealt.hands)
    trained = sum(int((row.weights_T > 0).sum()) for row in rows)
    assert sum(forest.target_ids_N.size for forest in forests) == trained


def test_one_process_cuts_as_the_room_says(workshop: Workshop) -> None:
    packed = workshop.material().rows
    rows = [packed.row(number) for number in range(8)]
    assert len(cut(rows, Packing(tokens_per_forest=4096), 1)) == 1
    assert cut([], Packing(tokens_per_forest=64), 2) == []
    assert deal([], 2).rounds == 0
