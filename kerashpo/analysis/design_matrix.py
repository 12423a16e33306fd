"""Trials as a design matrix: positions in the unit cube, and the scores."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.history import History
from kerashpo.core.records import Objective, Status
from kerashpo.space.cube import Cube
from kerashpo.space.domains import Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space

Numbers: TypeAlias = NDArray[np.float64]


@final
@dataclass(frozen=True, slots=True)
class DesignMatrix:
    """The trials that did not fail and have a score.

    Attributes:
        names: (d), the columns' names, each unique.
        domains: (d), the columns' domains.
        objective: the metric behind `scores`.
        trials: (n,), trial numbers.
        rows: (n, d), positions in [0, 1], NaN where a parameter is inactive.
        scores: (n,), in the objective's own direction.
        epochs: (n,), epochs trained.
        seed: the study's seed.
    """

    names: tuple[str, ...]
    domains: tuple[Domain, ...]
    objective: Objective
    trials: NDArray[np.int64]
    rows: Numbers
    scores: Numbers
    epochs: Numbers
    seed: int

    def column(self, name: str) -> int:
        """Returns the index of a parameter's column.

        Raises:
            InvalidInput: if there is no such parameter, or it has one value only.
        """
        if name not in self.names:
            raise InvalidInput(
                f"There is no tuned parameter {name!r}.{nearest(name, self.names)} "
                f"Tuned: {', '.join(self.names) or 'none'}."
            )
        return self.names.index(name)

    @property
    def ranks(self) -> Numbers:
        """(n,), normalised ranks: 0 for the worst trial, 1 for the best one."""
        cost = self.scores if self.objective.direction == "min" else -self.scores
        order = np.argsort(np.argsort(-cost, kind="stable"), kind="stable")
        return np.asarray(order / max(len(cost) - 1, 1), dtype=float)

    @property
    def full(self) -> NDArray[np.bool_]:
        """(n,), mask of the trials that were trained to the most epochs of any."""
        return np.asarray(self.epochs >= self.epochs.max(initial=0.0), dtype=bool)


def design_matrix(
    history: History, space: Space, objective: Objective | None = None
) -> DesignMatrix:
    """Returns the design matrix of a study: a row for each trial with a score.

    Args:
        history: the study.
        space: its space.
        objective: a metric at each trial's best epoch instead of the score; None for the score.
    """
    cube, values = Cube(space), {}
    for trial in history.trials.values():
        value = trial.score
        if objective is not None:
            value = trial.metrics_at_best().get(objective.name)
        known = value is not None and math.isfinite(value)
        if known and trial.score is not None and trial.status is not Status.FAILED:
            values[trial.number] = value
    kept = [history.trials[number] for number in values]
    rows = np.array([cube.encode(trial.config) for trial in kept]).reshape(len(kept), cube.dim)
    return DesignMatrix(
        _names(cube.columns),
        tuple(param.domain for param in cube.columns),
        objective or history.objective,
        np.array([trial.number for trial in kept], dtype=np.int64),
        rows,
        np.array([*values.values()], dtype=float),
        np.array([trial.epoch for trial in kept], dtype=float),
        history.seed,
    )


def _names(columns: tuple[Param, ...]) -> tuple[str, ...]:
    """Returns the parameters' names, with their conditions where a name is used twice."""
    count = Counter(param.name for param in columns)
    return tuple(p.name if count[p.name] == 1 else f"{p.name} ({_where(p)})" for p in columns)


def _where(param: Param) -> str:
    return ", ".join(f"{c.parent}={'|'.join(map(str, c.values))}" for c in param.conditions)
