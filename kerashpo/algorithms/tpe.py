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
from kerashpo.core.hypervolume import contributions, largest_subset
from kerashpo.core.pareto import non_dominated_sort
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.domains import Choice, Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space

_MOST_GOOD = 25
_LEAST_WEIGHT = 0.1
_REFERENCE = 1.1


@final
class TPE(Algorithm):
    """TPE: proposes what is likely among the good trials and unlikely among the others.

    One Parzen estimator models the configurations of the best tenth of the trials, a second
    one those of the rest; among several draws from the first, the one with the highest ratio
    of the two densities is proposed. Parameters that are active together share a joint
    estimator (a group). Pending trials count as bad ones (a constant liar), so that several
    workers do not try the same region; failed ones too.

    With several objectives the good trials are the first fronts of non-dominated sorting; of
    the last front that does not fit as a whole, those that cover the most hypervolume. Each
    weighs by what it adds to the hypervolume (MOTPE: Ozaki, Tanigaki, Watanabe, Nomura and
    Onishi, Journal of Artificial Intelligence Research 73, 2022).

    Args:
        space: the search space.
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
        is_good = good_trials(seen, self._gamma)
        good, bad = split(seen, is_good)
        weights = good_weights(seen.values[is_good])
        pairs = [
            (group, self._estimator(good, group, weights), self._estimator(bad, group))
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

    def _estimator(
        self, rows: Matrix, group: NDArray[np.int64], weights: Matrix | None = None
    ) -> Parzen:
        """Returns the estimator of the good trials, which have weights, or of the others."""
        active = ~np.isnan(rows[:, group]).any(axis=1)
        own = weights is not None
        priors = [self._priors[column] if own else Prior() for column in group]
        weights = age_weights(int(active.sum())) if weights is None else weights[active]
        return Parzen.of(rows[active], self._cube, group, weights, priors, self._prior_weight)


def groups(cube: Cube) -> tuple[NDArray[np.int64], ...]:
    """Returns the groups of columns that are active under the same conditions, parents first."""
    found: dict[Any, list[int]] = {}
    for index, param in enumerate(cube.columns):
        found.setdefault(param.conditions, []).append(index)
    return tuple(np.array(group, dtype=np.int64) for group in found.values())


def good_trials(seen: Evaluations, gamma: float) -> NDArray[np.bool_]:
    """Returns the mask (n,) of the evaluated trials that count as good."""
    count = min(math.ceil(gamma * int(seen.finite.sum())), _MOST_GOOD)
    good = np.zeros(len(seen.costs), dtype=bool)
    if seen.values.shape[1] == 1:
        good[seen.order[:count]] = True
        return good
    finite = np.flatnonzero(seen.finite)
    values = seen.values[finite]
    fronts = non_dominated_sort(values)
    for front in range(int(fronts.max()) + 1):
        members, left = finite[fronts == front], count - int(good.sum())
        if len(members) > left:
            scaled, reference = in_range(seen.values[members])
            members = members[largest_subset(scaled, reference, left)]
        good[members] = True
    return good


def good_weights(values: Matrix) -> Matrix:
    """Returns the weights (k,) of good trials, whose costs are `values` (k, m).

    Of one objective the latest count most; of several the weight is what a trial adds to the
    hypervolume, at least a tenth of the most.
    """
    if values.shape[1] == 1:
        return age_weights(len(values))
    added = contributions(*in_range(values))
    return np.maximum(added / (added.max() or 1.0), _LEAST_WEIGHT)


def in_range(values: Matrix) -> tuple[Matrix, Matrix]:
    """Returns costs (n, m) scaled to [0, 1] in each objective, and a reference point beyond."""
    low, spread = values.min(axis=0), np.ptp(values, axis=0)
    return (values - low) / np.where(spread > 0, spread, 1.0), np.full(values.shape[1], _REFERENCE)


def split(seen: Evaluations, good: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """Returns the rows of the good trials and of the others, each in the order of trials.

    Failed and pending trials are among the others.
    """
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
