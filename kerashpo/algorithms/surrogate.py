"""The surrogate model: a Gaussian process fitted to a history and an earlier study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.standardise import Units, standardise
from kerashpo.algorithms.gp.subset import model
from kerashpo.algorithms.observations import SeenTrials
from kerashpo.core.history import History
from kerashpo.core.records import Config, Objective, Status
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space

Earlier: TypeAlias = "tuple[tuple[Config, float], ...]"
"""Configurations and objective values of an earlier study, in its own direction."""


@final
@dataclass(frozen=True, slots=True)
class Surrogate:
    """A fitted posterior and the encoding of its inputs and targets.

    Attributes:
        cube: the space.
        features: maps rows to the posterior's inputs.
        posterior: over standardised costs, conditioned on the pending trials' means too.
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
        cls,
        cube: Cube,
        seen: SeenTrials,
        earlier: Earlier,
        objective: Objective,
        floor: float,
        settings: ModelSettings,
    ) -> Surrogate | None:
        """Returns the fitted surrogate; None where no trial has a finite value.

        Observations of an earlier study have another value of a categorical feature, whose
        fitted weight expresses how far the two studies differ.
        """
        if not (np.isfinite(seen.costs).any() or earlier):
            return None
        marks = [False] * seen.partial + [True] * bool(earlier)
        features = Features.of(cube, settings.bend, settings.radial, marks, settings.scaled_up_to)
        targets, units = standardise(seen.costs, settings.cut)
        rows, columns = seen.rows, [seen.resources] * seen.partial
        if earlier:
            before = np.array([cube.encode(config) for config, _ in earlier])
            costs = np.array([objective.cost(value) for _, value in earlier])
            theirs, _ = standardise(costs, settings.cut)
            if len(rows):
                plain = Features.of(
                    cube, settings.bend, settings.radial, scaled_up_to=settings.scaled_up_to
                )
                earlier_posterior = model(plain(before), theirs, plain.layout, floor)
                targets, units = matched(targets, units, earlier_posterior.mean(plain(rows)))
            there = np.append(np.ones(len(before)), np.zeros(len(rows)))
            rows, targets = np.vstack([before, rows]), np.append(theirs, targets)
            columns = [np.append(np.ones(len(before)), c) for c in columns] + [there]
        seen_features = features(rows, _table(columns, len(rows)))
        sizes = (settings.rows, settings.fit_rows)
        if seen.partial:
            sizes = (settings.partial_rows, settings.partial_fit_rows)
        posterior = model(seen_features, targets, features.layout, floor, *sizes)
        if settings.believe and len(seen.pending):
            waiting = [seen.until] * seen.partial + [np.zeros(len(seen.pending))] * bool(earlier)
            posterior = posterior.believing(
                features(seen.pending, _table(waiting, len(seen.pending)))
            )
        return cls(cube, features, posterior, units, seen)

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


def matched(targets: Matrix, units: Units, guesses: Matrix) -> tuple[Matrix, Units]:
    """Returns targets (n,) shifted and scaled like the predictions, and their units.

    Two studies may have other units, and the first trials of one are no fair sample: the
    earlier study's predictions for these trials give their mean and spread.
    """
    spread = float(guesses.std()) if targets.any() else 0.0
    factor, mean = spread or 1.0, float(guesses.mean())
    moved = Units(units.centre - units.spread * mean / factor, units.spread / factor)
    return mean + factor * targets, moved


def read_earlier(
    source: History | Sequence[tuple[Mapping[str, Any], float]], space: Space
) -> Earlier:
    """Returns the finite results of an earlier study.

    Raises:
        InvalidSpace: if a configuration is not of this space.
    """
    if isinstance(source, History):
        done = (t for t in source.trials.values() if t.status is Status.COMPLETED)
        pairs = [(trial.config, trial.score) for trial in done]
    else:
        pairs = list(source)
    return tuple(
        (space.complete(config), float(value))
        for config, value in pairs
        if value is not None and np.isfinite(value)
    )


def _table(columns: Sequence[Matrix], n: int) -> Matrix:
    return np.column_stack(columns) if columns else np.empty((n, 0))
