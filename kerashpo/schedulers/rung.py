"""One rung of asynchronous halving: the best unpromoted of its top, in O(log n)."""

from __future__ import annotations

import heapq
from typing import TypeAlias, final

Rank: TypeAlias = tuple[float, float, int]
"""Less is better: cost, loss of the same split, trial; see `History.rank`."""


@final
class AsyncRung:
    """The trials that reached a rung, split into its top floor(n / factor) and the rest.

    The worst of the top and the best of the rest are heap heads, so that an arrival costs
    O(log n); who can be promoted is a third heap, cleaned as its head is looked at.

    Attributes:
        epochs: what a member was trained through.
        factor: of so many members one is in the top.
    """

    def __init__(self, epochs: int, factor: int) -> None:
        self.epochs, self.factor = epochs, factor
        self._ranks: dict[int, Rank] = {}
        self._top: set[int] = set()
        self._worst: list[Rank] = []
        self._rest: list[Rank] = []
        self._waiting: list[Rank] = []
        self._gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._ranks)

    def __contains__(self, trial: int) -> bool:
        return trial in self._ranks

    @property
    def left(self) -> int:
        """How many members went on, or cannot."""
        return len(self._gone)

    def add(self, rank: Rank) -> None:
        """Takes a member; one that is here already keeps its first rank."""
        trial = rank[2]
        if trial in self._ranks:
            return
        self._ranks[trial] = rank
        heapq.heappush(self._rest, rank)
        if self._worst and rank < _mirror(self._worst[0]):
            self._raise()
            self._lower()
        if len(self._ranks) // self.factor > len(self._top):
            self._raise()

    def leave(self, trial: int) -> None:
        """Hears that a member was promoted, or cannot be; it keeps its place."""
        self._gone.add(trial)

    def in_top(self, trial: int) -> bool:
        """Tells whether a member is among the best floor(n / factor)."""
        return trial in self._top

    def head(self) -> int | None:
        """Returns the best unpromoted member of the top, None where there is none."""
        while self._waiting:
            trial = self._waiting[0][2]
            if trial in self._top and trial not in self._gone:
                return trial
            heapq.heappop(self._waiting)
        return None

    def best(self) -> int | None:
        """Returns the best unpromoted member, in the top or not; O(n), for a study's end."""
        left = (rank for trial, rank in self._ranks.items() if trial not in self._gone)
        found = min(left, default=None)
        return None if found is None else found[2]

    def _raise(self) -> None:
        """Moves the best of the rest into the top."""
        rank = heapq.heappop(self._rest)
        self._top.add(rank[2])
        heapq.heappush(self._worst, _mirror(rank))
        heapq.heappush(self._waiting, rank)

    def _lower(self) -> None:
        """Moves the worst of the top to the rest."""
        rank = _mirror(heapq.heappop(self._worst))
        self._top.discard(rank[2])
        heapq.heappush(self._rest, rank)


def _mirror(rank: Rank) -> Rank:
    return (-rank[0], -rank[1], -rank[2])
