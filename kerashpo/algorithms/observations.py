"""What a surrogate model is fitted to: rows, costs, resources and pending trials."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.dedup import HistoryCursor, configs_of
from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.core.trial import Trial
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Key, key

_MOST_LEVELS = 6
Costs: TypeAlias = "tuple[float, ...]"


@final
@dataclass(frozen=True, slots=True)
class SeenTrials:
    """The observations in the order of trials, and the pending trials.

    Attributes:
        rows: (n, d); a trial observed at several epochs has several rows.
        numbers: (n,), the trial of each row.
        values: (n, m), the costs of the objectives that rank, less is better; a row of inf for a
            failure, also of a trial that lacks a finite value of one of them.
        excess: (n, c), by which share of each limit's bound it is exceeded, NaN where unknown.
        resources: (n,), log(epochs) / log(max_epochs), in [0, 1].
        pending: (m, d), trials that are running.
        waiting: (m,), the numbers of the pending trials.
        until: (m,), the resource that each pending trial is trained to.
        partial: whether some trials were trained for less than the most epochs.
    """

    rows: Matrix
    numbers: NDArray[np.int64]
    values: Matrix
    excess: Matrix
    resources: Matrix
    pending: Matrix
    waiting: NDArray[np.int64]
    until: Matrix
    partial: bool

    @property
    def costs(self) -> Matrix:
        """The costs (n,) of the first objective."""
        return self.values[:, 0]

    @property
    def violation(self) -> Matrix:
        """The sum (n,) of the limits' excesses, 0 where all that is known is kept."""
        return np.asarray(np.fmax(self.excess, 0.0).sum(axis=1))

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Which rows (n,) have finite costs and keep the limits."""
        return np.isfinite(self.values).all(axis=1) & (self.violation <= 0.0)

    def rows_where(self, mask: NDArray[np.bool_]) -> SeenTrials:
        """Returns the observations of some rows only; the pending trials stay."""
        return replace(
            self,
            rows=self.rows[mask],
            numbers=self.numbers[mask],
            values=self.values[mask],
            excess=self.excess[mask],
            resources=self.resources[mask],
        )


@final
class Observations:
    """The encoded rows of all trials; each trial is encoded once.

    Attributes:
        taken: `Cube.key` of every trial's rows.
        configs: `space.key` of every trial's configurations, see `dedup.configs_of`.
    """

    def __init__(self, cube: Cube) -> None:
        self._cube, self._cursor = cube, HistoryCursor()
        self._forget()

    def _forget(self) -> None:
        self._rows: list[Matrix] = []
        self._known: dict[tuple[int, int], tuple[Costs, Costs]] = {}
        self.taken: set[bytes] = set()
        self.configs: set[Key] = set()

    def update(self, history: History) -> None:
        """Encodes the trials that are new or have changed since the last call."""
        start = self._cursor.advance(history)
        if start == 0:
            self._forget()
        for number in range(start, history.next_trial):
            trial = history.trials[number]
            self._rows.append(self._cube.encode(trial.config))
            for config in configs_of(trial):
                self.taken.add(self._cube.key(self._cube.encode(config)))
                self.configs.add(key(config))

    def read(self, history: History) -> SeenTrials:
        """Returns the observations of a history; the order of its reports does not matter.

        If every ended trial was fully trained, each is one observation. If a scheduler
        paused or stopped some, each trial is one observation at every level it reached, and
        the levels are aligned (see `align`).
        """
        records = [history.trials[number] for number in range(len(self._rows))]
        short = {r.epoch for r in records if r.status in (Status.PAUSED, Status.STOPPED)} - {0}
        most = max((r.until for r in records), default=1)
        levels = _levels(short, most) if short else [most]
        picked: list[tuple[int, int, Costs, Costs]] = []
        for record in records:
            picked.extend(self._of(record, levels, history))
        numbers = [number for number, *_ in picked]
        at = np.array([level for _, level, *_ in picked], dtype=float)
        width = len(history.objectives) if history.several else 1
        values = _table([costs for _, _, costs, _ in picked], width)
        excess = _table([one for *_, one in picked], len(history.limits))
        values[~np.isfinite(values).all(axis=1)] = math.inf
        if short:
            moved = [align(np.array(numbers), at, costs) for costs in values.T]
            values = np.column_stack(moved)
        running = [r for r in records if r.status is Status.RUNNING]
        return SeenTrials(
            self._stack(numbers),
            np.array(numbers, dtype=np.int64),
            values,
            excess,
            _share(at, most),
            self._stack([r.number for r in running]),
            np.array([r.number for r in running], dtype=np.int64),
            _share(np.array([r.until for r in running], dtype=float), most),
            bool(short),
        )

    def _stack(self, numbers: list[int]) -> Matrix:
        return np.array([self._rows[i] for i in numbers]).reshape(len(numbers), self._cube.dim)

    def _of(
        self, record: Trial, levels: list[int], history: History
    ) -> list[tuple[int, int, Costs, Costs]]:
        """Returns (trial, level, costs, excesses) at each level that a trial reached."""
        most, number = levels[-1], record.number
        match record.status:
            case Status.FAILED:
                failed = (math.inf,) * len(history.costs(number))
                return [(number, most, failed, record.excess())]
            case Status.COMPLETED:
                # Also where early stopping ended it: its best will not change.
                reached = [level for level in levels if level < min(most, record.epoch)]
                last = [(number, most, history.costs(number), record.excess())]
            case Status.RUNNING if len(levels) == 1:
                return []
            case _:
                reached, last = [level for level in levels if level <= record.epoch], []
        return [(number, level, *self._at(record, level, history)) for level in reached] + last

    def _at(self, record: Trial, level: int, history: History) -> tuple[Costs, Costs]:
        """Returns costs and excesses at the best epoch up to a reached one; they never change."""
        place = (record.number, level)
        if place not in self._known:
            self._known[place] = (history.costs(record.number, level), record.excess(level))
        return self._known[place]


def _table(rows: list[Costs], width: int) -> Matrix:
    return np.array(rows, dtype=float).reshape(len(rows), width)


def _levels(short: set[int], most: int) -> list[int]:
    """Returns the epochs where trials stopped; powers of 3 below the most if they are many."""
    if len(short) >= _MOST_LEVELS:
        short = {max(1, round(most / 3**k)) for k in range(_MOST_LEVELS)}
    return sorted({*short, most})


def _share(epochs: Matrix, most: int) -> Matrix:
    return np.log(epochs) / math.log(most) if most > 1 else np.ones_like(epochs)


def align(trials: Matrix, levels: Matrix, costs: Matrix) -> Matrix:
    """Returns costs (n,) of every level shifted to their expected value at the last level.

    From one level to the next by the median change of the trials that continued: comparing
    plain means of the levels would compare all configurations with the survivors.
    """
    moved = costs.copy()
    steps = np.unique(levels)
    for low, high in zip(steps[-2::-1], steps[:0:-1]):
        lower = dict(zip(trials[levels == low], costs[levels == low]))
        upper = dict(zip(trials[levels == high], costs[levels == high]))
        changes = [
            upper[t] - lower[t]
            for t in lower
            if t in upper and math.isfinite(lower[t]) and math.isfinite(upper[t])
        ]
        if changes:
            moved[levels <= low] += float(np.median(changes))
    return moved
