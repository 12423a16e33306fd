"""The surrogate model: a Gaussian process fitted to a history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.standardise import Units, standardise
from kerashpo.algorithms.gp.subset import model
from kerashpo.algorithms.observations import SeenTrials
from kerashpo.space.cube import Cube, Matrix


@final
@dataclass(frozen=True, slots=True)
class Surrogate:
    """A fitted posterior and the encoding of its inputs and targets.

    Attributes:
        cube: the space.
        features: maps rows to the posterior's inputs.
        posterior: over standardised costs; from `believing` on it is conditioned on the pending
            trials' means too.
        units: maps standardised costs back to the objective's.
        seen: the observations of this study.
        partial: whether the epochs are an input too.
    """

    cube: Cube
    features: Features
    posterior: Posterior
    units: Units
    seen: SeenTrials

    @property
    def partial(self) -> bool:
        """Whether some observations have less than the full training."""
        return self.seen.partial

    @classmethod
    def of(
        cls, cube: Cube, seen: SeenTrials, floor: float, settings: ModelSettings
    ) -> Surrogate | None:
        """Returns the fitted surrogate, pending trials left out; None without a finite value."""
        if not np.isfinite(seen.costs).any():
            return None
        marks = [False] * seen.partial
        features = Features.of(cube, settings.bend, settings.radial, marks, settings.scaled_up_to)
        targets, units = standardise(seen.costs, settings.cut)
        sizes = (settings.rows, settings.fit_rows)
        if seen.partial:
            sizes = (settings.partial_rows, settings.partial_fit_rows)
        seen_features = features(seen.rows, _marks(seen.resources, seen.partial))
        posterior = model(seen_features, targets, features.layout, floor, *sizes)
        return cls(cube, features, posterior, units, seen)

    def believing(self) -> Surrogate:
        """Returns the surrogate as if the pending trials had returned their mean."""
        pending = self.seen.pending
        there = self.features(pending, _marks(self.seen.until, self.seen.partial))
        return replace(self, posterior=self.posterior.believing(there))

    def known(self) -> tuple[Matrix, Matrix]:
        """Returns the tried or running rows (n, d) and their posterior means (n,).

        The means are those of the full training in this study.
        """
        raw = self.posterior.features[:, : self.cube.dim]
        rows = self.cube.deactivate(np.unique(raw, axis=0))
        return rows, self.posterior.mean(self.features(rows))

    def predict(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        """Returns the expected cost and its standard deviation (n,) at rows (n, d)."""
        mean, variance = self.posterior.predict(self.features(rows))
        return self.units.costs(mean), self.units.spread * np.sqrt(variance)


def _marks(resources: Matrix, partial: bool) -> Matrix:
    """Returns the resource as a feature (n, 1), or none (n, 0)."""
    return resources[:, None] if partial else np.empty((len(resources), 0))
