"""Explanations of a surrogate model: its predictions and the reason for a proposal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.core.records import Config, Objective, Scalar


@final
@dataclass(frozen=True, slots=True)
class Guess:
    """A surrogate's prediction for a configuration.

    Attributes:
        config: the configuration.
        value: the predicted objective.
        deviation: its standard deviation.
    """

    config: Config
    value: float
    deviation: float


@final
@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the next configuration is proposed.

    Attributes:
        relevance: for each parameter its inverse lengthscale as a share of their sum: how
            fast the objective changes along it, in either direction.
        noise: the standard deviation of a repeated training, in the objective's units.
        best: the tried configuration with the best predicted value.
        next: the proposal.
    """

    relevance: Mapping[str, float]
    noise: float
    best: Guess
    next: Guess

    @property
    def exploring(self) -> bool:
        """Whether the proposal is chosen for its uncertainty rather than its expected value."""
        return self.next.deviation > self.best.deviation + abs(self.next.value - self.best.value)

    def __str__(self) -> str:
        ranked = sorted(self.relevance.items(), key=lambda item: -item[1])
        lines = ["relevance   " + ", ".join(f"{name} {share:.0%}" for name, share in ranked)]
        for label, guess in (("best so far", self.best), ("next", self.next)):
            values = _values(guess.config)
            lines.append(f"{label:<11} {guess.value:.4g} ± {guess.deviation:.2g}  {values}")
        lines.append(f"noise       {self.noise:.2g} from one training to the next")
        return "\n".join(lines)


@final
@dataclass(frozen=True, slots=True)
class FrontExplanation:
    """Why the next configuration is proposed where several objectives rank.

    Attributes:
        objectives: by objective the explanation of its model, with the knee of the front as the
            best configuration.
        feasible: the probability that the proposal keeps the limits; None without limits.
    """

    objectives: Mapping[str, Explanation]
    feasible: float | None = None

    @property
    def trades(self) -> Mapping[str, float]:
        """The expected change of each objective from the knee to the proposal, in its units."""
        return {name: one.next.value - one.best.value for name, one in self.objectives.items()}

    def __str__(self) -> str:
        first = next(iter(self.objectives.values()))
        lines = [
            f"{label:<5} {_values(guess.config)}"
            for label, guess in (("knee", first.best), ("next", first.next))
        ]
        for name, one in self.objectives.items():
            ranked = sorted(one.relevance.items(), key=lambda item: -item[1])
            matters = ", ".join(f"{parameter} {share:.0%}" for parameter, share in ranked)
            change = self.trades[name]
            lines += [
                f"{name}",
                f"  knee {one.best.value:.4g}, next {one.next.value:.4g} ± "
                f"{one.next.deviation:.2g} ({change:+.3g})",
                f"  relevance {matters}",
            ]
        if self.feasible is not None:
            lines.append(f"keeps the limits with a probability of {self.feasible:.0%}")
        return "\n".join(lines)


def explain(
    surrogate: Surrogate, proposal: Config, objective: Objective, best: Config | None = None
) -> Explanation:
    """Returns the surrogate's relevances and its predictions of the best trial and a proposal.

    Args:
        surrogate: the model.
        proposal: the next configuration.
        objective: what is modelled.
        best: the configuration to compare with; None for the tried one with the best prediction.
    """
    cube = surrogate.cube
    speed = np.sqrt(surrogate.posterior.hyper.weights[: cube.dim])
    shares = speed / speed.sum() if cube.dim else speed
    if best is None:
        rows, means = surrogate.known()
        best = cube.decode(rows[int(np.argmin(means))])
    noise = surrogate.units.spread * np.sqrt(surrogate.posterior.hyper.noise)
    return Explanation(
        {param.name: float(share) for param, share in zip(cube.columns, shares)},
        float(noise),
        _guess(surrogate, best, objective),
        _guess(surrogate, proposal, objective),
    )


def _values(config: Config) -> str:
    return ", ".join(f"{name}={_short(value)}" for name, value in config.items())


def _short(value: Scalar) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _guess(surrogate: Surrogate, config: Config, objective: Objective) -> Guess:
    mean, deviation = surrogate.predict(surrogate.cube.encode(config)[None])
    sign = 1.0 if objective.direction == "min" else -1.0
    return Guess(config, sign * float(mean[0]), float(deviation[0]))
