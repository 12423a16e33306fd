"""Acquisition of a row of the cube: by one posterior, or by one for each objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import log_ndtr

from kerashpo.algorithms.gp.acquisition import Acquisition
from kerashpo.algorithms.gp.expected_hypervolume import FrontAcquisition
from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.kernel import Matrix
from kerashpo.algorithms.gp.posterior import Posterior


class Promise(ABC):
    """An acquisition over the rows of a space, to be maximised."""

    @abstractmethod
    def score(self, rows: Matrix) -> Matrix:
        """Returns the acquisition (n,) of rows (n, d)."""

    @abstractmethod
    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        """Returns the acquisition (n,) and its gradient (n, d)."""


@final
@dataclass(frozen=True, slots=True)
class OnePromise(Promise):
    """An acquisition of one posterior.

    Attributes:
        features: from rows to the posterior's features.
        posterior: the posterior.
        acquisition: a function of its mean and standard deviation.
    """

    features: Features
    posterior: Posterior
    acquisition: Acquisition

    def score(self, rows: Matrix) -> Matrix:
        mean, variance = self.posterior.predict(self.features(rows))
        return self.acquisition(mean, np.sqrt(variance))[0]

    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        mean, deviation, by_mean, by_deviation = moments(self.features, self.posterior, rows)
        value, slope, rise = self.acquisition(mean, deviation)
        return value, slope[:, None] * by_mean + rise[:, None] * by_deviation


@final
@dataclass(frozen=True, slots=True)
class Ensemble:
    """A weighted sum of independent posteriors.

    Attributes:
        parts: features, posterior and weight of each.
    """

    parts: Sequence[tuple[Features, Posterior, float]]

    @classmethod
    def of(cls, features: Features, posterior: Posterior) -> Ensemble:
        """Returns the ensemble of one posterior."""
        return cls(((features, posterior, 1.0),))

    def mean(self, rows: Matrix) -> Matrix:
        """Returns the mean (n,) at rows (n, d)."""
        means = (
            weight * posterior.mean(features(rows)) for features, posterior, weight in self.parts
        )
        return np.asarray(sum(means))

    def predict(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        """Returns mean and variance (n,) at rows (n, d)."""
        mean, variance = np.zeros(len(rows)), np.zeros(len(rows))
        for features, posterior, weight in self.parts:
            part = posterior.predict(features(rows))
            mean, variance = mean + weight * part[0], variance + weight**2 * part[1]
        return mean, variance

    def moments(self, rows: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Returns mean, standard deviation (n,) and their gradients (n, d) at rows (n, d)."""
        if len(self.parts) == 1 and self.parts[0][2] == 1.0:
            return moments(*self.parts[0][:2], rows)
        mean, variance = np.zeros(len(rows)), np.zeros(len(rows))
        by_mean, by_variance = np.zeros_like(rows), np.zeros_like(rows)
        for features, posterior, weight in self.parts:
            part = moments(features, posterior, rows)
            mean, variance = mean + weight * part[0], variance + (weight * part[1]) ** 2
            by_mean += weight * part[2]
            by_variance += 2.0 * weight**2 * part[1][:, None] * part[3]
        deviation = np.sqrt(variance)
        return mean, deviation, by_mean, by_variance / (2.0 * deviation[:, None])


@final
@dataclass(frozen=True, slots=True)
class EnsemblePromise(Promise):
    """An acquisition of an ensemble.

    Attributes:
        ensemble: the posteriors and their weights.
        acquisition: a function of mean and standard deviation of their sum.
    """

    ensemble: Ensemble
    acquisition: Acquisition

    def score(self, rows: Matrix) -> Matrix:
        mean, variance = self.ensemble.predict(rows)
        return self.acquisition(mean, np.sqrt(variance))[0]

    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        mean, deviation, by_mean, by_deviation = self.ensemble.moments(rows)
        value, slope, rise = self.acquisition(mean, deviation)
        return value, slope[:, None] * by_mean + rise[:, None] * by_deviation


@final
@dataclass(frozen=True, slots=True)
class FrontPromise(Promise):
    """An acquisition of several objectives, each of an ensemble of its own.

    Attributes:
        models: the ensemble of each objective.
        acquisition: a function of their means and standard deviations.
    """

    models: Sequence[Ensemble]
    acquisition: FrontAcquisition

    def score(self, rows: Matrix) -> Matrix:
        found = [one.predict(rows) for one in self.models]
        mean = np.column_stack([mean for mean, _ in found])
        deviation = np.sqrt(np.column_stack([variance for _, variance in found]))
        return self.acquisition(mean, deviation)[0]

    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        found = [one.moments(rows) for one in self.models]
        mean = np.column_stack([part[0] for part in found])
        deviation = np.column_stack([part[1] for part in found])
        value, slopes, rises = self.acquisition(mean, deviation)
        gradient = np.zeros_like(rows)
        for k, (_, _, by_mean, by_deviation) in enumerate(found):
            gradient += slopes[:, k, None] * by_mean + rises[:, k, None] * by_deviation
        return value, gradient


@final
@dataclass(frozen=True, slots=True)
class Threshold:
    """A posterior of a quantity that must stay below a threshold.

    Attributes:
        features: from rows to the posterior's features.
        posterior: the posterior of the quantity.
        most: the threshold, in the posterior's units.
    """

    features: Features
    posterior: Posterior
    most: float


@final
@dataclass(frozen=True, slots=True)
class FeasiblePromise(Promise):
    """An acquisition plus the logarithm of the probability of feasibility.

    Attributes:
        inner: a logarithmic acquisition; None while no feasible trial is known.
        thresholds: independent limits.
    """

    inner: Promise | None
    thresholds: Sequence[Threshold]

    def score(self, rows: Matrix) -> Matrix:
        total = np.zeros(len(rows)) if self.inner is None else self.inner.score(rows)
        for one in self.thresholds:
            mean, variance = one.posterior.predict(one.features(rows))
            total = total + log_ndtr((one.most - mean) / np.sqrt(variance))
        return total

    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        if self.inner is None:
            value, gradient = np.zeros(len(rows)), np.zeros_like(rows)
        else:
            value, gradient = self.inner.score_and_gradient(rows)
        for one in self.thresholds:
            mean, deviation, by_mean, by_deviation = moments(one.features, one.posterior, rows)
            z = (one.most - mean) / deviation
            logs = log_ndtr(z)
            steep = np.exp(-0.5 * z * z - 0.5 * np.log(2.0 * np.pi) - logs) / deviation
            value = value + logs
            gradient = gradient - steep[:, None] * (by_mean + z[:, None] * by_deviation)
        return value, gradient


def moments(
    features: Features, posterior: Posterior, rows: Matrix
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Returns mean, standard deviation (n,) and their gradients (n, d) by the rows."""
    mean, variance, by_mean, by_variance = posterior.predict_with_gradient(features(rows))
    deviation = np.sqrt(variance)
    by_deviation = by_variance / (2.0 * deviation[:, None])
    d = rows.shape[1]
    return mean, deviation, by_mean[:, :d], by_deviation[:, :d]
