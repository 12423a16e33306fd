"""Bayesian optimisation with a Gaussian process (see `kerashpo.algorithms.gp`)."""

from __future__ import annotations

from typing import final

import numpy as np

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.distinct import draw_new
from kerashpo.algorithms.gp.acquisition import ACQUISITIONS, make_acquisition
from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.fit import FLOOR, fit
from kerashpo.algorithms.gp.maximise import Maximiser
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.recipe import Recipe
from kerashpo.algorithms.gp.targets import standardise
from kerashpo.algorithms.observations import Observations
from kerashpo.algorithms.sobol import sobol_rows
from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space

_AROUND = 5


@final
class BayesianOptimization(Algorithm):
    """Proposes where a Gaussian process promises most.

    Starts with the centre of the space (declared defaults where there are any), then
    scrambled Sobol points; from then on the model decides. Trials still running count
    as if they had returned their expected value, failed ones as the worst seen.

    Args:
        space: what to search.
        seed: the study's seed.
        num_initial_points: trials before the model; None for between 5 and 10, as many as
            the space has columns.
        acquisition: "logei", "ei", "pi" or "ucb".
        alpha: added to the diagonal of the kernel matrix of standardised values, besides
            the noise that is fitted.
        beta: how many standard deviations "ucb" trusts.
        recipe: the model's ingredients, for ablations.

    Raises:
        InvalidInput: for an unknown acquisition or a number out of range.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        num_initial_points: int | None = None,
        acquisition: str = "logei",
        alpha: float = FLOOR,
        beta: float = 2.6,
        recipe: Recipe | None = None,
    ) -> None:
        super().__init__(space, seed)
        self._recipe = recipe = recipe or Recipe()
        self._cube = Cube(space)
        self._features = Features.of(self._cube, recipe.bend, recipe.radial)
        self._observations = Observations(self._cube)
        if acquisition not in ACQUISITIONS:
            raise unknown("acquisition", acquisition, ACQUISITIONS)
        _check("num_initial_points", num_initial_points, 1)
        _check("alpha", alpha, 0.0)
        _check("beta", beta, 0.0)
        self._initial = (
            min(10, max(5, self._cube.dim)) if num_initial_points is None else num_initial_points
        )
        self._acquisition, self._alpha, self._beta = acquisition, max(alpha, FLOOR), beta

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        self._observations.update(history)
        if len(self._observations.taken) >= self.space.size:
            return Exhausted()
        rng = stream(self.seed, "ask", trial)
        row = self._start(trial) if trial < self._initial else self._model_row(history, rng)
        if row is None or self._cube.key(row) in self._observations.taken:
            return draw_new(self.space, self._observations.configs, rng)
        return self._cube.decode(row)

    def _start(self, trial: int) -> Matrix:
        if trial == 0 and self._recipe.centre:
            rows = _centre(self._cube)
        else:
            rows = sobol_rows(self._cube.dim, 1, self.seed, start=trial, purpose="start")
        return self._cube.snap(rows, stream(self.seed, "start", trial)).ravel()

    def _model_row(self, history: History, rng: np.random.Generator) -> Matrix | None:
        rows, costs, pending = self._observations.read(history)
        if not np.isfinite(costs).any() or self._cube.dim == 0:
            return None
        targets = standardise(costs, self._recipe.cut)
        seen, layout = self._features(rows), self._features.layout
        hyper = fit(seen, targets, layout, self._alpha)
        posterior = Posterior(seen, targets, hyper, layout)
        if self._recipe.believe:
            posterior = posterior.believing(self._features(pending))
        means = posterior.mean(posterior.features)
        known = np.vstack([rows, pending])[: len(means)]
        best = known[np.argsort(means, kind="stable")[:_AROUND]]
        acquisition = make_acquisition(self._acquisition, float(means.min()), self._beta)
        maximiser = Maximiser(
            self._cube,
            self._features,
            posterior,
            acquisition,
            self._recipe.climb,
            self._recipe.sweep,
        )
        return maximiser.search(best, self._observations.taken, rng)


def _centre(cube: Cube) -> Matrix:
    """The declared defaults, the middle where nothing was declared, as a row (d,)."""
    presets = [getattr(param.domain, "preset", None) for param in cube.columns]
    return np.array(
        [
            0.5 if preset is None else param.domain.unit(preset)
            for param, preset in zip(cube.columns, presets)
        ]
    )


def _check(name: str, value: float | None, least: float) -> None:
    if value is not None and not value >= least:
        raise InvalidInput(f"{name} must be at least {least}. Received: {value!r}.")
