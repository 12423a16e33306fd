"""What a row promises: an acquisition of one posterior, or of one for each objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

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
        posterior: what is believed.
        acquisition: of its mean and standard deviation.
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
class FrontPromise(Promise):
    """An acquisition of several independent posteriors.

    Attributes:
        models: features and posterior of each objective.
        acquisition: of their means and standard deviations.
    """

    models: Sequence[tuple[Features, Posterior]]
    acquisition: FrontAcquisition

    def score(self, rows: Matrix) -> Matrix:
        found = [posterior.predict(features(rows)) for features, posterior in self.models]
        mean = np.column_stack([mean for mean, _ in found])
        deviation = np.sqrt(np.column_stack([variance for _, variance in found]))
        return self.acquisition(mean, deviation)[0]

    def score_and_gradient(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        found = [moments(features, posterior, rows) for features, posterior in self.models]
        mean = np.column_stack([part[0] for part in found])
        deviation = np.column_stack([part[1] for part in found])
        value, slopes, rises = self.acquisition(mean, deviation)
        gradient = np.zeros_like(rows)
        for k, (_, _, by_mean, by_deviation) in enumerate(found):
            gradient += slopes[:, k, None] * by_mean + rises[:, k, None] * by_deviation
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
