"""Parzen estimators over the unit cube: mixtures of one kernel per observation and a prior.

Bergstra, Bardenet, Bengio and Kégl (NeurIPS 2011) for the estimator, Falkner, Klein and
Hutter (ICML 2018) for its multivariate form, Watanabe (arXiv 2304.11127, 2023) for the
bandwidths and weights that are usual today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri

from kerashpo.space.cube import Cube, Matrix

Indices: TypeAlias = NDArray[np.int64]
_RECENT = 25


@final
@dataclass(frozen=True, slots=True)
class Numbers:
    """Gaussian kernels of one numeric column, truncated to [0, 1].

    Attributes:
        centres: (k,).
        widths: (k,), standard deviations.
        edges: (levels + 1,), the bounds of a discrete column's cells; None where continuous.
        values: (levels,), positions of a discrete column's values; None where continuous.
    """

    centres: Matrix
    widths: Matrix
    edges: Matrix | None
    values: Matrix | None

    def sample(self, kernels: Indices, rng: np.random.Generator) -> Matrix:
        """Draws one position (n,) from each of the `kernels` (n,)."""
        mu, sigma = self.centres[kernels], self.widths[kernels]
        low, high = ndtr(-mu / sigma), ndtr((1.0 - mu) / sigma)
        quantiles = low + rng.random(len(kernels)) * (high - low)
        drawn: Matrix = np.clip(mu + sigma * ndtri(quantiles), 0.0, 1.0)
        if self.edges is None or self.values is None:
            return drawn
        cells = np.searchsorted(self.edges, drawn, side="right") - 1
        return self.values[np.clip(cells, 0, len(self.values) - 1)]

    def logpdf(self, column: Matrix) -> Matrix:
        """Returns log densities (n, k) of positions (n,); log masses where discrete."""
        mu, sigma = self.centres, self.widths
        inside = _log_mass(-mu / sigma, (1.0 - mu) / sigma)
        if self.edges is None or self.values is None:
            z = (column[:, None] - mu) / sigma
            density: Matrix = -0.5 * z * z - np.log(sigma * np.sqrt(2.0 * np.pi)) - inside
            return density
        # Few distinct cells: each mass is computed once.
        cells = np.clip(np.searchsorted(self.values, column - 1e-9), 0, len(self.values) - 1)
        met, back = np.unique(cells, return_inverse=True)
        low, high = self.edges[met, None], self.edges[met + 1, None]
        masses: Matrix = _log_mass((low - mu) / sigma, (high - mu) / sigma) - inside
        return masses[back]


@final
@dataclass(frozen=True, slots=True)
class Categories:
    """Kernels of one unordered column.

    Attributes:
        weights: (k, levels), rows sum to 1.
    """

    weights: Matrix

    def sample(self, kernels: Indices, rng: np.random.Generator) -> Matrix:
        """Draws one position (n,) from each of the `kernels` (n,)."""
        levels = self.weights.shape[1]
        limits = np.cumsum(self.weights[kernels], axis=1)[:, :-1]
        chosen: Indices = (limits < rng.random((len(kernels), 1))).sum(axis=1)
        drawn: Matrix = (chosen + 0.5) / levels
        return drawn

    def logpdf(self, column: Matrix) -> Matrix:
        """Returns log masses (n, k) of positions (n,)."""
        levels = self.weights.shape[1]
        chosen = np.clip((column * levels).astype(int), 0, levels - 1)
        masses: Matrix = np.log(self.weights[:, chosen]).T
        return masses


Kernels: TypeAlias = "Numbers | Categories"


@final
@dataclass(frozen=True, slots=True)
class Prior:
    """The prior of one column.

    Attributes:
        centre: the centre of the prior's kernel.
        width: its standard deviation.
        share: in a categorical column, the extra mass of the value at `centre` over a
            uniform prior; 0 for none.
    """

    centre: float = 0.5
    width: float = 1.0
    share: float = 0.0


@final
@dataclass(frozen=True, slots=True)
class Parzen:
    """A mixture of products of kernels; the prior's kernel is the last.

    Attributes:
        weights: (k,), weights of the kernels; they sum to 1.
        columns: the kernels of each column.
    """

    weights: Matrix
    columns: tuple[Kernels, ...]

    @classmethod
    def of(
        cls,
        rows: Matrix,
        cube: Cube,
        columns: Indices,
        weights: Matrix,
        priors: Sequence[Prior],
        prior_weight: float,
    ) -> Parzen:
        """Returns the estimator of the given columns.

        Args:
            rows: (n, d), observations, active in all of `columns`.
            cube: the space.
            columns: the columns to use.
            weights: (n,), weights of the observations.
            priors: the prior of each of `columns`.
            prior_weight: weight of the prior relative to one observation.
        """
        total = np.append(weights, prior_weight if len(rows) else 1.0)
        kernels = tuple(
            _kernels(rows[:, column], cube, column, prior, prior_weight)
            for column, prior in zip(columns, priors)
        )
        return cls(total / total.sum(), kernels)

    def sample(self, count: int, rng: np.random.Generator) -> Matrix:
        """Draws points (count, columns)."""
        kernels = rng.choice(len(self.weights), size=count, p=self.weights)
        return np.column_stack([column.sample(kernels, rng) for column in self.columns])

    def logpdf(self, points: Matrix) -> Matrix:
        """Returns the log density (n,) of points (n, columns)."""
        total = np.log(self.weights) + np.zeros((len(points), 1))
        for index, column in enumerate(self.columns):
            total += column.logpdf(points[:, index])
        found: Matrix = logsumexp(total, axis=1)
        return found


def age_weights(count: int) -> Matrix:
    """Returns the weights (count,) of observations in the order of trials.

    The latest 25 have full weight, older ones a linearly falling one.
    """
    old = max(0, count - _RECENT)
    return np.append(np.linspace(1.0 / max(count, 1), 1.0, old), np.ones(count - old))


def _kernels(column: Matrix, cube: Cube, index: int, prior: Prior, prior_weight: float) -> Kernels:
    levels = int(cube.levels[index])
    if cube.categorical[index] and levels:
        return _categories(column, levels, prior, prior_weight)
    centres = np.append(column, prior.centre)
    widths = np.append(_widths(column), prior.width)
    grid = cube.grids[index]
    if grid is None:
        return Numbers(centres, widths, None, None)
    return Numbers(centres, widths, _edges(grid), grid)


def _categories(column: Matrix, levels: int, prior: Prior, prior_weight: float) -> Categories:
    even = np.full(levels, (1.0 - prior.share) / levels)
    even[min(int(prior.centre * levels), levels - 1)] += prior.share
    count = len(column) + 1
    # Each kernel keeps a part of the prior, so that every value has some mass.
    weights = np.tile(even * levels * max(prior_weight, 1e-9) / count, (count, 1))
    chosen = np.clip((column * levels).astype(int), 0, levels - 1)
    weights[np.arange(len(column)), chosen] += 1.0
    return Categories(weights / weights.sum(axis=1, keepdims=True))


def _widths(column: Matrix) -> Matrix:
    """Returns bandwidths (n,): the larger distance to a neighbour, clipped.

    The ends of the range count as neighbours only if there is a single observation.
    """
    n = len(column)
    order = np.argsort(column, kind="stable")
    ends = np.concatenate([[0.0], column[order], [1.0]])
    gaps = np.diff(ends)
    widths = np.maximum(gaps[:-1], gaps[1:])
    if n >= 2:
        widths[0], widths[-1] = gaps[1], gaps[-2]
    out = np.empty(n)
    out[order] = np.clip(widths, 1.0 / min(100.0, n + 2.0), 1.0)
    return out


def _edges(grid: Matrix) -> Matrix:
    return np.concatenate([[0.0], (grid[1:] + grid[:-1]) / 2.0, [1.0]])


def _log_mass(low: Matrix, high: Matrix) -> Matrix:
    """Returns log(ndtr(high) - ndtr(low)) without cancellation in the tails."""
    low, high = np.broadcast_arrays(low, high)
    right = low > 0
    a, b = np.where(right, -high, low), np.where(right, -low, high)
    upper = log_ndtr(b)
    with np.errstate(divide="ignore"):
        gap = log_ndtr(a) - upper
        found: Matrix = upper + np.log(-np.expm1(np.minimum(gap, 0.0)))
    return found
