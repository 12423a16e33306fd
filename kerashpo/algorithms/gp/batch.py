"""Acquisition of a batch: what the next trial adds to those that are still running."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from kerashpo.algorithms.gp.acquisition import log_expected_improvement
from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.kernel import Matrix
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.promise import Promise

DRAWS = 64
"""Joint outcomes of the pending trials over which the improvement is averaged."""


@final
@dataclass(frozen=True, slots=True)
class BatchPromise(Promise):
    """log qEI: the improvement that a row adds to the pending trials, which are drawn.

    The pending trials' joint outcomes are drawn from the posterior by quasi-Monte Carlo; given
    each draw the next trial is Gaussian, so that its improvement is integrated exactly (Snoek,
    Larochelle and Adams, NeurIPS 2012; in logarithms: Ament et al. 2023).

    Attributes:
        features: from rows to the posterior's features.
        posterior: conditioned on the pending trials too; their values do not matter.
        solved: (n, s), the weights of the mean for each of s draws.
        best: (s,), the value to improve on, given each draw.
    """

    features: Features
    posterior: Posterior
    solved: Matrix
    best: Matrix

    @classmethod
    def of(
        cls,
        features: Features,
        posterior: Posterior,
        pending: int,
        known: Matrix,
        rng: np.random.Generator,
    ) -> BatchPromise:
        """Returns the acquisition.

        Args:
            features: from rows to the posterior's features.
            posterior: its last observations are the pending trials, at their means.
            pending: how many these are.
            known: rows (k, d) one of which is the incumbent.
            rng: the generator of the draws.
        """
        uniform = qmc.Sobol(pending, rng=rng).random(DRAWS)
        normal = ndtri(np.clip(uniform, 1e-9, 1.0 - 1e-9))
        solved = posterior.redrawn(normal)
        means = posterior.means(features(known), solved)
        return cls(features, posterior, solved, means.min(axis=0))

    def score(self, rows: Matrix) -> Matrix:
        there = self.features(rows)
        means = self.posterior.means(there, self.solved)
        deviation = np.sqrt(self.posterior.predict(there)[1])[:, None]
        level = log_expected_improvement(means, deviation, self.best)[0]
        return np.asarray(logsumexp(level, axis=1) - np.log(len(self.best)))

    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        there, d = self.features(rows), rows.shape[1]
        means = self.posterior.means(there, self.solved)
        _, variance, _, by_variance = self.posterior.predict_with_gradient(there)
        deviation = np.sqrt(variance)
        level, slope, rise = log_expected_improvement(means, deviation[:, None], self.best)
        value = np.asarray(logsumexp(level, axis=1))
        share = np.exp(level - value[:, None])
        by_mean = self.posterior.mean_gradient(there, (share * slope) @ self.solved.T)
        by_deviation = by_variance / (2.0 * deviation[:, None])
        gradient = by_mean + (share * rise).sum(axis=1)[:, None] * by_deviation
        return value - np.log(len(self.best)), gradient[:, :d]
