"""The tree-structured Parzen estimator, multivariate (Bergstra et al., NeurIPS 2011)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.evaluations import (
    EvaluationReader,
    Evaluations,
    first_new,
    initial_row,
)
from kerashpo.algorithms.parzen import Parzen, Prior, age_weights
from kerashpo.core.errors import (
    InvalidInput,
    InvalidSpace,
    nearest,
    require_integer,
    require_number,
)
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.domains import Choice, Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space

_MOST_GOOD = 25


@final
class TPE(Algorithm):
    """TPE: proposes what is likely among the good trials and unlikely among the others.

    One Parzen estimator models the configurations of the best tenth of the trials, a second
    one those of the rest; among several draws from the first, the one with the highest ratio
    of the two densities is proposed. Parameters that are active together share a joint
    estimator (a group). Pending trials count as bad ones (a constant liar), so that several
    workers do not try the same region; failed ones too.

    Args:
        space: what to search.
        seed: the study's seed.
        num_initial_points: trials with a cost before the estimators propose.
        num_candidates: draws from which the one with the highest ratio is taken.
        gamma: the share of trials that count as good, at most 25 of them.
        prior_weight: the weight of the prior relative to one observation.
        priors: for a name a value that is probably good, or (value, spread) with the spread
            as a share of the range (a fifth if it is not given).

    Raises:
        InvalidInput: for a number out of range.
        InvalidSpace: for an unknown name or a value outside its domain.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        num_initial_points: int = 10,
        num_candidates: int = 24,
        gamma: float = 0.1,
        prior_weight: float = 1.0,
        priors: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(space, seed)
        require_integer("num_initial_points", num_initial_points, 1)
        require_integer("num_candidates", num_candidates, 1)
        require_number("gamma", gamma, 0.0, strict=True)
        if gamma >= 1.0:
            raise InvalidInput(f"gamma must be below 1. Received: {gamma!r}.")
        require_number("prior_weight", prior_weight, 0.0)
        self._initial, self._candidates = num_initial_points, num_candidates
        self._gamma, self._prior_weight = gamma, prior_weight
        self._cube = Cube(space)
        self._reader = EvaluationReader(self._cube)
        self._groups = groups(self._cube)
        self._priors = _read_priors(self._cube, priors or {})

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._reader.read(history)
        rng = stream(self.seed, "tpe", trial)
        if seen.finite.sum() < self._initial:
            start = initial_row(self._cube, trial, self.seed)
            return first_new(self._cube, seen, rng, lambda: start)
        good, bad = split(seen, self._gamma)
        pairs = [
            (group, self._estimator(good, group, own=True), self._estimator(bad, group))
            for group in self._groups
        ]
        return first_new(self._cube, seen, rng, lambda: self._draw(pairs, rng))

    def _draw(
        self,
        pairs: Sequence[tuple[NDArray[np.int64], Parzen, Parzen]],
        rng: np.random.Generator,
    ) -> Matrix:
        """Returns a row (d,): for each group the draw with the highest density ratio."""
        row = np.full(self._cube.dim, np.nan)
        for group, likely, unlikely in pairs:
            points = likely.sample(self._candidates, rng)
            ratio = likely.logpdf(points) - unlikely.logpdf(points)
            row[group] = points[int(np.argmax(ratio))]
        return row

    def _estimator(self, rows: Matrix, group: NDArray[np.int64], own: bool = False) -> Parzen:
        active = rows[~np.isnan(rows[:, group]).any(axis=1)]
        priors = [self._priors[column] if own else Prior() for column in group]
        weights = age_weights(len(active))
        return Parzen.of(active, self._cube, group, weights, priors, self._prior_weight)


def groups(cube: Cube) -> tuple[NDArray[np.int64], ...]:
    """Returns the groups of columns that are active under the same conditions, parents first."""
    found: dict[Any, list[int]] = {}
    for index, param in enumerate(cube.columns):
        found.setdefault(param.conditions, []).append(index)
    return tuple(np.array(group, dtype=np.int64) for group in found.values())


def split(seen: Evaluations, gamma: float) -> tuple[Matrix, Matrix]:
    """Returns the rows of the good trials and of the others, each in the order of trials.

    Failed and pending trials are among the others.
    """
    count = min(math.ceil(gamma * int(seen.finite.sum())), _MOST_GOOD)
    good = np.zeros(len(seen.costs), dtype=bool)
    good[seen.order[:count]] = True
    rest = np.vstack([seen.rows[~good], seen.pending])
    by_number = np.argsort(np.append(seen.numbers[~good], seen.waiting), kind="stable")
    return seen.rows[good], rest[by_number]


def _read_priors(cube: Cube, given: Mapping[str, Any]) -> list[Prior]:
    """Returns a prior for each column."""
    names = cube.space.names
    for name in given:
        if name not in names:
            raise InvalidSpace(
                f"priors: the space has no parameter {name!r}.{nearest(name, names)}"
            )
        if not any(_prior(p, given[name]) for p in cube.space.params if p.name == name):
            raise InvalidSpace(
                f"priors: {name!r} must be a value of the parameter, or (value, spread) with a "
                f"positive spread. Received: {given[name]!r}."
            )
    found = (_prior(p, given[p.name]) if p.name in given else None for p in cube.columns)
    return [prior or Prior() for prior in found]


def _prior(param: Param, given: Any) -> Prior | None:
    """Returns the prior for a value that the user gave; None if it is not in the domain."""
    position, spread = _position(param.domain, given), 0.2
    if position is None and isinstance(given, tuple) and len(given) == 2:
        position = _position(param.domain, given[0])
        spread = float(given[1]) if isinstance(given[1], (int, float)) else 0.0
    if position is None or not 0.0 < spread < math.inf:
        return None
    return Prior(position, spread, 0.5 if param.domain.categorical else 0.0)


def _position(domain: Domain, value: Any) -> float | None:
    try:
        return domain.unit(domain.store(value) if isinstance(domain, Choice) else value)
    except InvalidSpace:
        return None
