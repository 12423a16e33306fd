"""PB2: a Gaussian process over values and epochs proposes the values of a population's copies.

Source: Parker-Holder, Nguyen and Roberts, "Provably Efficient Online Hyperparameter Optimization
with Population-Based Bandits", NeurIPS 2020. As there, the process models how much the objective
changes in a generation, given the values, the time and the objective at its start, and the
lower confidence bound of the next generation's change is minimised; copies that were proposed
before count as if they had returned their mean. Changes are standardised within each generation,
since they shrink as training goes on.

Unlike there, candidates are a step away from the parent's values. The best next generation is
not the best training: a low learning rate lowers the loss at once and slows down all that follows
(Wu, Ren, Liao and Grosse, "Understanding Short-Horizon Bias in Stochastic Meta-Optimization",
ICLR 2018). Among values of the whole range the process finds those of the best next generation
and ends no better than random steps; near the parent it chooses the direction.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.fit import fit
from kerashpo.algorithms.gp.kernel import Matern52
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.standardise import standardise
from kerashpo.core.records import Config
from kerashpo.space.cube import Cube
from kerashpo.space.space import Space

_ROWS = 128
"""So many latest observations the process is conditioned on."""
_CANDIDATES, _STEP = 16, 0.07
"""How many there are, and the standard deviation of their steps from the parent's values. The
chosen one is among the farther ones, so steps are shorter than those without a process."""
_CONFIDENCE = 2.0
"""So many standard deviations below the mean is the bound."""


@final
@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome of a member in a generation, as training data of the Gaussian process.

    Attributes:
        epoch: the epoch at its end.
        config: the member's values.
        before: its cost at the generation's start.
        after: its cost at the end.
    """

    epoch: int
    config: Config
    before: float
    after: float


def propose(
    space: Space,
    names: Collection[str] | None,
    parent: Config,
    observed: Sequence[Observation],
    start: tuple[int, float],
    pending: Sequence[tuple[Config, float]],
    resample: float,
    rng: np.random.Generator,
) -> Config:
    """Returns the values of a copy for the next generation.

    Args:
        space: the search space.
        names: the parameters that may change; None for all.
        parent: the values of the member that is copied.
        observed: the observations, in the order of generations.
        start: the epoch at which the next generation ends, and the parent's cost at its start.
        pending: values and costs at the start of the copies that were proposed before.
        resample: the probability with which a candidate's choice without an order is resampled.
        rng: draws the candidates.
    """
    candidates = [
        space.perturb(parent, rng, names, 0.0, step=_STEP, resample_choices=resample)
        for _ in range(_CANDIDATES)
    ]
    kept = list(observed)[-_ROWS:]
    if not kept:
        return candidates[0]
    cube, horizon = Cube(space), max(start[0], 1)
    features = Features.of(cube, bent=False, radial=Matern52(), marks=(False, False))
    scale = _Scale(kept)

    def rows(configs: Sequence[Config], marks: Sequence[tuple[int, float]]) -> np.ndarray:
        context = np.array([(epoch / horizon, scale(cost)) for epoch, cost in marks])
        return features(np.array([cube.encode(config) for config in configs]), context)

    inputs = rows([o.config for o in kept], [(o.epoch, o.before) for o in kept])
    targets = np.concatenate(list(_targets(kept)))
    posterior = Posterior(inputs, targets, fit(inputs, targets, features.layout), features.layout)
    if pending:
        marks = [(start[0], cost) for _, cost in pending]
        posterior = posterior.believing(rows([config for config, _ in pending], marks))
    mean, variance = posterior.predict(rows(candidates, [start] * len(candidates)))
    return candidates[int(np.argmin(mean - _CONFIDENCE * np.sqrt(variance)))]


class _Scale:
    """Scales costs at the start of a generation to [0, 1] by their normalised ranks."""

    def __init__(self, observed: Sequence[Observation]) -> None:
        self._costs = np.sort([o.before for o in observed if math.isfinite(o.before)])

    def __call__(self, cost: float) -> float:
        if not len(self._costs) or not math.isfinite(cost):
            return 0.5
        return float(np.searchsorted(self._costs, cost, "right") / len(self._costs))


def _targets(observed: Sequence[Observation]) -> Iterator[np.ndarray]:
    """Yields the standardised changes of each generation, in the order of the observations."""
    epochs = [o.epoch for o in observed]
    for epoch in dict.fromkeys(epochs):
        found = [o for o in observed if o.epoch == epoch]
        changes = [o.after - o.before if math.isfinite(o.before) else o.after for o in found]
        first = [change for change in changes if math.isfinite(change)]
        if len(found) == 1 or not first:
            yield np.zeros(len(found)) if first else np.ones(len(found))
            continue
        yield standardise(np.array(changes))[0]
