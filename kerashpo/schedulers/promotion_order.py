"""How trials are ranked at a rung: by one score, or by non-dominated sorting with crowding."""

from __future__ import annotations

import math
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
