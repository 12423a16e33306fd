"""A rank-weighted ensemble of Gaussian processes: transfer from earlier studies (RGPE)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.algorithms.earlier_studies import EarlierStudy, best_first
from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.kernel import Matrix
from kerashpo.algorithms.gp.linalg import cholesky
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.promise import Ensemble
from kerashpo.algorithms.gp.standardise import standardise
from kerashpo.algorithms.gp.subset import model, representatives
from kerashpo.algorithms.observations import SeenTrials
from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.core.records import Config, Objective
from kerashpo.space.cube import Cube

_DRAWS = 256
_RANKED = 60
"""Trials that are ranked at most; the number of pairs grows with the square."""
_ROWS, _FIT_ROWS = 200, 100
"""Observations of one source that its process is conditioned on and fitted to, at most."""
_FEWEST = 3
"""Trials without which the sources cannot be told apart."""
_DILUTED = 0.95
_VOTERS = 3


@final
class Transfer:
    """A Gaussian process for each earlier study, weighted by how well it ranks the new trials.

    The weight of a process is the probability that it misranks the fewest pairs of new trials;
    the new study's own process takes part with its leave-one-out predictions. A source whose
    median number is above the 95th percentile of the own process gets no weight, so that a
    misleading study costs little (Feurer, Letham, Hutter and Bakshy, arXiv 1802.02219, 2018).

    Args:
        cube: the numeric view of the space.
        sources: the earlier studies.
        floor: added to the fitted noise variances.
        settings: settings of the models.
    """

    def __init__(
        self, cube: Cube, sources: Sequence[EarlierStudy], floor: float, settings: ModelSettings
    ) -> None:
        self._cube, self._sources = cube, tuple(sources)
        self._floor, self._settings = floor, settings
        self._features = Features.of(
            cube, settings.bend, settings.radial, scaled_up_to=settings.scaled_up_to
        )
        self._fitted: dict[str, list[Posterior]] = {}

    def ensemble(
        self,
        own: Surrogate | None,
        seen: SeenTrials,
        objective: Objective,
        rng: np.random.Generator,
    ) -> Ensemble:
        """Returns the ensemble of the sources' processes and the new study's own.

        Args:
            own: the new study's surrogate without its pending trials, None before any value.
            seen: the new study's trials.
            objective: gives the direction of the sources' values.
            rng: the generator of the draws.
        """
        fitted = self._posteriors(objective)
        weights = self.weights(own, objective, rng)
        parts, rows = [], np.vstack([seen.rows, seen.pending])
        for posterior, weight in zip(fitted, weights):
            if weight > 0.0:
                # Where the new study has looked, a source leaves no doubt of its own.
                there = self._features(np.unique(rows, axis=0)) if len(rows) else None
                known = posterior if there is None else posterior.believing(there)
                parts.append((self._features, known, float(weight)))
        if own is not None and weights[-1] > 0.0:
            waiting = own.believing()
            parts.append((waiting.features, waiting.posterior, float(weights[-1])))
        return Ensemble(tuple(parts))

    def bests(self, objective: Objective) -> list[Config]:
        """Returns the best configuration of each source, those that the others agree with first.

        With fewer than three sources nobody can say which of two is right: the given order.
        """
        found = best_first(self._sources, [objective])
        if len(found) < _VOTERS:
            return found
        rows = self._features(np.array([self._cube.encode(config) for config in found]))
        guesses = np.array([one.mean(rows) for one in self._posteriors(objective)])
        np.fill_diagonal(guesses, 0.0)
        return [found[i] for i in np.argsort(guesses.sum(axis=0), kind="stable")]

    def weights(
        self, own: Surrogate | None, objective: Objective, rng: np.random.Generator
    ) -> Matrix:
        """Returns the weight of each source and, last, of the own process; their sum is 1."""
        fitted = self._posteriors(objective)
        k = len(fitted)
        if own is None or len(own.posterior.targets) < _FEWEST:
            return np.append(np.full(k, 1.0 / k), 0.0)
        some = representatives(own.posterior.targets, _RANKED)
        targets = own.posterior.targets[some]
        raw = own.posterior.features[some][:, : self._cube.dim]
        rows = self._features(self._cube.deactivate(raw.copy()))
        mean, variance = own.posterior.leave_one_out()
        noise = rng.standard_normal((_DRAWS, len(some)))
        losses = [misranked(_draws(one, rows, rng), targets) for one in fitted]
        losses.append(misranked(mean[some] + np.sqrt(variance[some]) * noise, targets))
        return rank_weights(np.array(losses))

    def _posteriors(self, objective: Objective) -> list[Posterior]:
        """Returns the process of each source, fitted once."""
        if objective.direction not in self._fitted:
            self._fitted[objective.direction] = [self._fit(s, objective) for s in self._sources]
        return self._fitted[objective.direction]

    def _fit(self, source: EarlierStudy, objective: Objective) -> Posterior:
        rows = np.array([self._cube.encode(config) for config, _ in source.pairs])
        values = source.column(0)
        assert values is not None
        costs = values if objective.direction == "min" else -values
        targets, _ = standardise(costs, self._settings.cut)
        layout = self._features.layout
        return model(self._features(rows), targets, layout, self._floor, _ROWS, _FIT_ROWS)


@final
class TransferByObjective:
    """A `Transfer` for each objective, from the earlier studies that have it.

    Args:
        cube: the numeric view of the space.
        sources: the earlier studies.
        floor: added to the fitted noise variances.
        settings: settings of the models.
    """

    def __init__(
        self, cube: Cube, sources: Sequence[EarlierStudy], floor: float, settings: ModelSettings
    ) -> None:
        self._cube, self._sources = cube, tuple(sources)
        self._floor, self._settings = floor, settings
        self._made: dict[int, Transfer | None] = {}

    def of(self, position: int) -> Transfer | None:
        """Returns the transfer of one objective; None where no earlier study has it."""
        if position not in self._made:
            parts = [source.of(position) for source in self._sources]
            having = [one for one in parts if one is not None]
            made = Transfer(self._cube, having, self._floor, self._settings)
            self._made[position] = made if having else None
        return self._made[position]

    def bests(self, objectives: Sequence[Objective]) -> list[Config]:
        """Returns the configurations to try first, see `best_first` and `Transfer.bests`."""
        first = self.of(0) if len(objectives) == 1 else None
        if first is not None:
            return first.bests(objectives[0])
        return best_first(self._sources, objectives)

    def starts(self, objectives: Sequence[Objective]) -> Matrix:
        """Returns the rows (k, d) of these configurations."""
        return np.array([self._cube.encode(config) for config in self.bests(objectives)])


def _draws(posterior: Posterior, features: Matrix, rng: np.random.Generator) -> Matrix:
    """Returns joint draws (s, n) of a process at features (n, p)."""
    mean, covariance = posterior.joint(features)
    return mean + rng.standard_normal((_DRAWS, len(mean))) @ cholesky(covariance).T


def misranked(draws: Matrix, targets: Matrix) -> NDArray[np.int64]:
    """Returns how many pairs of targets (n,) each of the draws (s, n) ranks the other way."""
    one, other = np.triu_indices(len(targets), 1)
    order = np.sign(targets[one] - targets[other])
    predicted = np.sign(draws[:, one] - draws[:, other])
    return np.asarray((predicted * order < 0).sum(axis=1), dtype=np.int64)


def rank_weights(losses: NDArray[np.int64]) -> Matrix:
    """Returns the weights (k + 1,) of processes, the own one last.

    Args:
        losses: (k + 1, s), misranked pairs of each process in each draw. Ties share a draw.
    """
    usable = np.median(losses, axis=1) <= np.quantile(losses[-1], _DILUTED)
    usable[-1] = True
    counted = np.where(usable[:, None], losses, np.iinfo(np.int64).max)
    least = counted == counted.min(axis=0)
    return np.asarray((least / least.sum(axis=0)).mean(axis=1))
