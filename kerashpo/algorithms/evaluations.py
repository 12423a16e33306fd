"""One cost per trial, for algorithms that rank trials instead of modelling curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.dedup import draw_new
from kerashpo.algorithms.observations import Observations, SeenTrials
from kerashpo.algorithms.sobol import sobol_rows
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Key

_DRAWS = 8


@final
@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluated trials in the order of their numbers, and the pending ones.

    Attributes:
        rows: (n, d), encoded configurations, NaN where a parameter is inactive.
        numbers: (n,), the trials' numbers, rising.
        values: (n, m), the costs of the objectives that rank, less is better, inf for a
            failure. Where a scheduler stopped some trials early they are those at the highest
            rung that a trial reached, moved to what is expected at the last one
            (`observations.align`). Infeasible trials come after all feasible ones, see
            `behind_feasible`.
        pending: (m, d), running trials without any cost.
        waiting: (m,), their numbers.
        configs: `space.key` of every trial's configuration, whatever its state.
        taken: `Cube.key` of every trial's row.
    """

    rows: Matrix
    numbers: NDArray[np.int64]
    values: Matrix
    pending: Matrix
    waiting: NDArray[np.int64]
    configs: set[Key]
    taken: set[bytes]

    @property
    def costs(self) -> Matrix:
        """The costs (n,) of the first objective."""
        return self.values[:, 0]

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Which of the evaluated trials have a cost."""
        return np.isfinite(self.costs)

    @property
    def order(self) -> NDArray[np.int64]:
        """Positions of the evaluated trials from best to worst; ties go to the lower trial."""
        return np.argsort(self.costs, kind="stable")


@final
class EvaluationReader:
    """Reads evaluations from a history; each trial is encoded once.

    Args:
        cube: the numeric view of the space.
    """

    def __init__(self, cube: Cube) -> None:
        self._observations = Observations(cube)

    def read(self, history: History) -> Evaluations:
        """Returns one cost for each trial that has reported or failed."""
        self._observations.update(history)
        seen = self._observations.read(history)
        # A trial's rows follow each other, its highest rung last.
        last = np.append(seen.numbers[1:] != seen.numbers[:-1], True)[: len(seen.numbers)]
        numbers = seen.numbers[last]
        fresh = ~np.isin(seen.waiting, numbers)
        return Evaluations(
            seen.rows[last],
            numbers,
            behind_feasible(seen.rows_where(last)),
            seen.pending[fresh],
            seen.waiting[fresh],
            self._observations.configs,
            self._observations.taken,
        )

    def rungs(self, history: History) -> tuple[Evaluations, ...]:
        """Returns the evaluations of each rung, the lowest first; `read` comes before.

        A trial counts on every rung that it reached, with its cost there; a running or failed
        one is among the pending of none.
        """
        seen = self._observations.read(history)
        none = np.empty((0, seen.rows.shape[1])), np.empty(0, dtype=np.int64)
        found = []
        for level in np.unique(seen.resources):
            here = seen.resources == level
            found.append(
                Evaluations(
                    seen.rows[here],
                    seen.numbers[here],
                    behind_feasible(seen.rows_where(here)),
                    *none,
                    self._observations.configs,
                    self._observations.taken,
                )
            )
        return tuple(found)


def behind_feasible(seen: SeenTrials) -> Matrix:
    """Returns the costs (n, m), those of infeasible trials beyond the worst feasible one.

    By their violation, the same in all objectives: then every feasible trial dominates every
    infeasible one, and of two of these the one with the smaller violation dominates, which is
    constraint domination (Deb, Computer Methods in Applied Mechanics and Engineering 186, 2000).
    """
    values, violation = seen.values, seen.violation
    values = np.where(np.isposinf(violation)[:, None], np.inf, values)
    infeasible = np.isfinite(violation) & (violation > 0.0)
    if not infeasible.any():
        return values
    known = values[seen.feasible]
    worst = known.max(axis=0) if len(known) else np.zeros(values.shape[1])
    spread = np.ptp(known, axis=0) if len(known) else np.ones(values.shape[1])
    share = violation / (1.0 + violation)
    beyond = worst + np.where(spread > 0.0, spread, 1.0) * (1.0 + share[:, None])
    return np.where(infeasible[:, None], beyond, values)


def first_new(
    cube: Cube, seen: Evaluations, rng: np.random.Generator, draw: Callable[[], Matrix]
) -> Config | Exhausted:
    """Returns the configuration of the first drawn row that no trial has yet.

    After several draws that repeat a trial, any untried configuration is returned.

    Args:
        cube: the numeric view of the space.
        seen: the trials so far.
        rng: the stream for what `draw` leaves open.
        draw: returns a row (d,), NaN in columns to be drawn at random.
    """
    if len(seen.configs) >= cube.space.size:
        return Exhausted()
    for _ in range(_DRAWS):
        row = cube.snap(draw(), rng)[0]
        if cube.key(row) not in seen.taken:
            return cube.decode(row)
    return draw_new(cube.space, seen.configs, rng)


def initial_row(cube: Cube, trial: int, seed: int) -> Matrix:
    """Returns the initial design's row (d,) for a trial, before any score is known.

    The declared defaults first (column middles where there is none), then scrambled Sobol
    points, so that resuming needs no state.
    """
    if trial == 0:
        rows = defaults(cube)
    else:
        rows = sobol_rows(cube.dim, 1, seed, start=trial, purpose="start")
    return cube.snap(rows, stream(seed, "start", trial)).ravel()


def defaults(cube: Cube) -> Matrix:
    """Returns the declared defaults (column middles where there is none) as a row (d,)."""
    presets = [getattr(param.domain, "preset", None) for param in cube.columns]
    return np.array(
        [
            0.5 if preset is None else param.domain.unit(param.domain.default)
            for param, preset in zip(cube.columns, presets)
        ]
    )
