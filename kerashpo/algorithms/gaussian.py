"""The sampling distribution of CMA-ES over a cube: optimisers of `cmaes` as immutable values."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from cmaes import CMA, CatCMAwM
from numpy.typing import NDArray

from kerashpo.space.cube import Cube, Matrix

_MOST_STEPS = 64
_LARGEST = 256


@final
@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a cube use which distribution.

    Attributes:
        continuous: columns of the Gaussian.
        ordered: discrete columns of the Gaussian, with a margin.
        categorical: columns with a categorical distribution each; those of two values too.
    """

    continuous: NDArray[np.int64]
    ordered: NDArray[np.int64]
    categorical: NDArray[np.int64]

    @classmethod
    def of(cls, cube: Cube) -> Columns:
        """Returns the distributions for the columns of a cube."""
        unordered = cube.categorical | (cube.levels == 2)
        ordered = ~unordered & (cube.levels > 0) & (cube.levels <= _MOST_STEPS)
        continuous = ~unordered & ~ordered
        return cls(*(np.flatnonzero(mask) for mask in (continuous, ordered, unordered)))

    @property
    def gaussian(self) -> NDArray[np.int64]:
        """The columns of the Gaussian, in its order."""
        return np.concatenate([self.continuous, self.ordered])


@final
@dataclass(frozen=True, slots=True)
class Sample:
    """One draw from the distribution.

    Attributes:
        row: (d,), snapped to the space.
        raw: (k,), the Gaussian part; empty where no column uses it.
        chosen: (c, most levels), one-hot; empty where no column is categorical.
    """

    row: Matrix
    raw: Matrix
    chosen: Matrix


@final
@dataclass(frozen=True, slots=True)
class Distribution:
    """An optimiser of `cmaes` as an immutable value; an update returns a new one.

    Attributes:
        cube: the space.
        columns: the distribution of each column.
        optimizer: a `cmaes.CMA` where every column is continuous, else a `CatCMAwM`; None
            for a space without columns.
        sigma: the first step size.
    """

    cube: Cube
    columns: Columns
    optimizer: Any
    sigma: float

    @classmethod
    def first(
        cls, cube: Cube, mean: Matrix, sigma: float, population_size: int | None
    ) -> Distribution:
        """Returns the initial distribution, centred on a row (d,)."""
        columns = Columns.of(cube)
        optimizer = _optimizer(cube, columns, mean, sigma, population_size) if cube.dim else None
        return cls(cube, columns, optimizer, sigma)

    @property
    def size(self) -> int:
        """How many trials make up one update."""
        return 1 if self.optimizer is None else int(self.optimizer.population_size)

    def sample(self, rng: np.random.Generator) -> Sample:
        """Draws from the distribution, with `rng` in place of the optimiser's own generator."""
        optimizer = copied(self.optimizer)
        optimizer._rng = np.random.RandomState(rng.bit_generator)
        row = np.full(self.cube.dim, 0.5)
        if isinstance(optimizer, CMA):
            raw = optimizer.ask()
            row[self.columns.continuous] = raw
            return Sample(self.cube.snap(row)[0], raw, np.empty((0, 0)))
        drawn = optimizer.ask()
        row[self.columns.continuous] = [] if drawn.x is None else drawn.x
        row[self.columns.ordered] = [] if drawn.z is None else drawn.z
        chosen = np.empty((0, 0)) if drawn.c is None else drawn.c.astype(float)
        levels = self.cube.levels[self.columns.categorical]
        if len(levels):
            row[self.columns.categorical] = (chosen.argmax(axis=1) + 0.5) / levels
        raw = np.empty(0) if drawn._v_raw is None else drawn._v_raw
        return Sample(self.cube.snap(row)[0], raw, chosen)

    def as_sample(self, row: Matrix) -> Sample:
        """Returns a row (d,) as a sample; inactive columns take their expected values."""
        gaussian, categorical = self.columns.gaussian, self.columns.categorical
        raw = row[gaussian]
        if len(gaussian):
            raw = np.where(np.isnan(raw), self.optimizer._mean, raw)
        chosen = np.empty((0, 0))
        if len(categorical):
            levels = self.cube.levels[categorical]
            chosen = self.optimizer._q.copy()
            for place, (u, n) in enumerate(zip(row[categorical], levels)):
                if not np.isnan(u):
                    chosen[place] = np.arange(chosen.shape[1]) == min(int(u * n), n - 1)
        return Sample(row, raw, chosen)

    def shortened(self, sample: Sample) -> Sample:
        """Returns a sample shortened to the length that draws have (Hansen 2011).

        Section 3.1 of arXiv 1110.4181: its Mahalanobis length is at most the root of the
        dimension and 2 d / (d + 2).
        """
        d = len(sample.raw)
        if not d:
            return sample
        step = (sample.raw - self.optimizer._mean) / self.optimizer._sigma
        axes, lengths = self.optimizer._eigen_decomposition()
        norm = float(np.linalg.norm((axes.T @ step) / lengths))
        most = math.sqrt(d) + 2.0 * d / (d + 2.0)
        if norm <= most:
            return sample
        mean = self.optimizer._mean
        return replace(sample, raw=mean + (sample.raw - mean) * most / norm)

    def updated(
        self, samples: list[Sample], costs: Matrix, rng: np.random.Generator
    ) -> Distribution:
        """Returns the distribution after a population of trials.

        Failed trials (cost inf) count as the worst of their population. If all costs are
        equal it stays as it is; if it has converged or is no longer finite, a wider one with
        twice the population follows, around a random point.
        """
        finite = np.isfinite(costs)
        if self.optimizer is None or not finite.any():
            return self
        worst = float(costs[finite].max())
        gap = float(np.ptp(costs[finite])) or abs(worst) or 1.0
        filled = np.where(finite, costs, worst + gap)
        if np.ptp(filled) == 0.0:
            return self
        optimizer = copied(self.optimizer)
        with np.errstate(all="ignore"):
            _update(optimizer, samples, filled)
            over = not _is_finite(optimizer) or (
                len(self.columns.gaussian) > 0 and optimizer.should_stop()
            )
        if over:
            size = min(2 * self.size, _LARGEST)
            mean = 0.2 + 0.6 * rng.random(self.cube.dim)
            optimizer = _optimizer(self.cube, self.columns, mean, self.sigma, size)
        return replace(self, optimizer=_ready(optimizer))


def copied(optimizer: Any) -> Any:
    """Returns an exact copy that shares no array or list.

    `copy.deepcopy` of a `CMA` would drop the lower half of its covariance.
    """
    other = object.__new__(type(optimizer))
    for name, value in vars(optimizer).items():
        other.__dict__[name] = value if name == "_rng" else copy.copy(value)
    return other


def _optimizer(
    cube: Cube, columns: Columns, mean: Matrix, sigma: float, size: int | None
) -> CMA | CatCMAwM:
    centre = mean[columns.gaussian]
    if len(columns.continuous) == cube.dim:
        bounds = np.tile([0.0, 1.0], (cube.dim, 1))
        return _ready(CMA(centre, sigma, bounds=bounds, seed=0, population_size=size))
    z_space = [list(cube.grids[i]) for i in columns.ordered]  # type: ignore[arg-type]
    optimizer = CatCMAwM(
        x_space=[[0.0, 1.0]] * len(columns.continuous) or None,
        z_space=z_space or None,
        c_space=cube.levels[columns.categorical].tolist() or None,
        population_size=size,
        mean=centre.copy() if len(centre) else None,
        sigma=sigma,
        cov=np.eye(len(centre)) if len(centre) else None,
        seed=0,
    )
    return _ready(optimizer)


def _ready(optimizer: Any) -> Any:
    """Returns the optimiser with its eigenvectors computed, which every draw needs."""
    if hasattr(optimizer, "_C"):
        optimizer._eigen_decomposition()
    return optimizer


def _update(optimizer: Any, samples: list[Sample], costs: Matrix) -> None:
    if isinstance(optimizer, CMA):
        optimizer.tell([(s.raw, float(cost)) for s, cost in zip(samples, costs)])
        return
    if optimizer.n_continuous and not optimizer._iqhist_values:
        quartiles = np.sort(costs)[[len(costs) // 4, 3 * len(costs) // 4]]
        if quartiles[0] == quartiles[1]:
            # The library's penalty of points beyond the bounds needs costs that differ.
            optimizer._iqhist_values.append(float(np.ptp(costs)))
    optimizer.tell(
        [
            (CatCMAwM.Solution(c=s.chosen if s.chosen.size else None, _v_raw=s.raw), float(cost))
            for s, cost in zip(samples, costs)
        ]
    )


def _is_finite(optimizer: Any) -> bool:
    """Whether every number of the distribution is finite."""
    names = ("_mean", "_sigma", "_C", "_p_sigma", "_q", "_A", "_s")
    parts = [vars(optimizer)[name] for name in names if name in vars(optimizer)]
    return all(bool(np.isfinite(part).all()) for part in parts)
