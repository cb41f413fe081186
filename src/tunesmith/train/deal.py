"""Who computes which of a step's forests.

    cost(forest) = tokens + sum over trained and other tokens of what each attends to / REACH

Attention of a token over its ancestors costs little beside the rest until rows are long;
REACH is the row length at which both cost about the same. Forests go, the costliest first,
to the process that has least so far; of equals, to the lower number. Every process computes
this for itself and finds the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Forest, Packing, build_forests

REACH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """The numbers of the forests of each process."""

    hands: tuple[tuple[int, ...], ...]
    rounds: int
    """Forests of the process that has most."""
    smallest: int
    """The cheapest forest."""
    longest: float
    """The largest cost that a process bears."""


def cost(forest: Forest) -> float:
    """What a forest costs, in tokens of short rows."""
    reached = float((forest.positions_S + 1).sum())
    return float(forest.ids_S.size) + reached / REACH


def deal(forests: Sequence[Forest], count: int) -> Dealt:
    """Give each of `count` processes its forests."""
    costs = [cost(forest) for forest in forests]
    loads = [0.0] * count
    hands: list[list[int]] = [[] for _ in range(count)]
    for number in sorted(range(len(forests)), key=lambda number: (-costs[number], number)):
        place = min(range(count), key=lambda place: (loads[place], len(hands[place]), place))
        hands[place].append(number)
        loads[place] += costs[number]
    return Dealt(
        hands=tuple(tuple(sorted(hand)) for hand in hands),
        rounds=max(len(hand) for hand in hands),
        smallest=min(range(len(forests)), key=lambda number: (costs[number], number), default=0),
        longest=max(loads),
    )


def cut(rows: Sequence[TokenRow], packing: Packing, count: int) -> list[Forest]:
    """The forests of a step, cut so that `count` processes have about the same to do.

    Finer cuts are tried while they shorten the longest share: they balance better, but share
    fewer prefixes and make more calls.
    """
    numbered = list(enumerate(rows))
    best = build_forests(numbered, packing)
    if count == 1 or not best:
        return best
    shortest = deal(best, count).longest
    total = sum(forest.ids_S.size for forest in best)
    for parts in (1, 2, 4):
        # A little more room than an equal share, since rows are not divided.
        room = max(8, min(packing.tokens_per_forest, -(-total * 17 // (16 * count * parts))))
        finer = build_forests(numbered, replace(packing, tokens_per_forest=room))
        longest = deal(finer, count).longest
        if longest < 0.95 * shortest:
            best, shortest = finer, longest
    return best
