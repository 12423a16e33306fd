"""One rung: how its members are ranked, and the rung of asynchronous successive halving."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.pareto import from_least_crowded

Rank: TypeAlias = tuple[float, float, int]
"""A sort key, less is better: cost, loss of the same split, trial; see `History.rank`."""


@final
@dataclass(frozen=True, slots=True)
class Standing:
    """A trial's result when it reached a rung.

    Attributes:
        rank: its rank by the first objective; the cost is inf where it failed.
        costs: its costs of all objectives that rank.
    """

    rank: Rank
    costs: tuple[float, ...]

    @classmethod
    def of(cls, history: History, trial: int, until: int | None = None) -> Standing:
        """Returns a trial's result up to an epoch; None for all of its epochs."""
        return cls(history.rank(trial, until), history.costs(trial, until))

    @property
    def trial(self) -> int:
        """The trial's number."""
        return self.rank[2]


def promotion_order(standings: Sequence[Standing]) -> list[Standing]:
    """Returns members of a rung in the order in which they are promoted.

    One objective: by rank. Several: front by front, within a front the least crowded first, as
    in MO-ASHA (Schmucker, Donini, Zafar, Salinas and Archambeau, arXiv 2106.12639, 2021) with
    the crowding distance of NSGA-II; ties go to the lower trial. Failed trials come last.
    """
    by_rank = sorted(standings, key=lambda one: one.rank)
    if not by_rank or len(by_rank[0].costs) == 1:
        return by_rank
    known = [one for one in by_rank if one.rank[0] < math.inf]
    if not known:
        return by_rank
    known.sort(key=lambda one: one.trial)
    order = from_least_crowded(np.array([one.costs for one in known]))
    return [*(known[i] for i in order), *by_rank[len(known) :]]


@final
class AsyncRung:
    """The trials that reached a rung, sorted, and those that can still be promoted.

    An arrival is an insertion into a sorted list: logarithmic comparisons, and a move of
    pointers that takes less than 0.1 ms with 100,000 members. With several objectives it is a
    non-dominated sorting of all members, since each newcomer may change every front.

    Attributes:
        epochs: the epochs that members have been trained through.
        factor: the best floor(n / factor) of n members are promotable.
    """

    def __init__(self, epochs: int, factor: int) -> None:
        self.epochs, self.factor = epochs, factor
        self._ranks: list[Rank] = []
        self._candidates: list[Rank] = []
        self._members: dict[int, Rank] = {}
        self._standings: list[Standing] = []

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, trial: int) -> bool:
        return trial in self._members

    @property
    def candidates(self) -> int:
        """How many members can still be promoted."""
        return len(self._candidates)

    def add(self, standing: Standing) -> None:
        """Adds a member; an existing one keeps its first result."""
        rank = standing.rank
        if rank[2] in self._members:
            return
        self._members[rank[2]] = rank
        insort(self._ranks, rank)
        insort(self._candidates, rank)
        if len(standing.costs) > 1:
            self._standings.append(standing)
            self._sort_again()

    def leave(self, trial: int) -> None:
        """Marks a member as promoted or not promotable; it still counts for the rung's size."""
        rank = self._members.get(trial)
        if rank is None:
            return
        place = bisect_left(self._candidates, rank)
        if self._candidates[place : place + 1] == [rank]:
            del self._candidates[place]

    def in_top(self, trial: int) -> bool:
        """Whether a member is among the best floor(n / factor)."""
        top = len(self._ranks) // self.factor
        rank = self._members.get(trial)
        return rank is not None and top > 0 and rank <= self._ranks[top - 1]

    def head(self) -> int | None:
        """Returns the best candidate if it is promotable, else None."""
        best = self.best()
        return best if best is not None and self.in_top(best) else None

    def _sort_again(self) -> None:
        """Re-ranks all members by the order of promotion."""
        left = {rank[2] for rank in self._candidates}
        ranked = [one.trial for one in promotion_order(self._standings)]
        self._ranks = [(float(place), 0.0, trial) for place, trial in enumerate(ranked)]
        self._members = {rank[2]: rank for rank in self._ranks}
        self._candidates = [rank for rank in self._ranks if rank[2] in left]

    def best(self) -> int | None:
        """Returns the best candidate, promotable or not; None if there is none."""
        return self._candidates[0][2] if self._candidates else None
