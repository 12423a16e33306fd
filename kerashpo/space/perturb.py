"""Perturbation: a configuration near another one, the explore step of population-based training.

Source: Jaderberg et al., "Population Based Training of Neural Networks", arXiv 1711.09846
(2017). They multiply values by 0.8 or 1.2, which can leave the bounds and moves a small rate less
than a large one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from kerashpo.core.records import Config, Scalar
from kerashpo.space.domains import Domain, Integer
from kerashpo.space.params import Param

STEP = 0.1
"""The standard deviation of a step, as a share of the range."""


def perturbed(
    params: Iterable[Param],
    config: Config,
    rng: np.random.Generator,
    names: Collection[str] | None = None,
    step: float = STEP,
    resample: float = 0.25,
    resample_choices: float | None = None,
) -> Config:
    """Returns a perturbed copy of a configuration.

    Numbers and ordered choices take a normal step in the unit cube, reflected at the bounds,
    of at least one value if they are discrete. Choices without an order are unchanged
    unless they are resampled. A parameter that exists only in the new configuration, because
    its parent changed, is drawn.

    Args:
        params: those of the space, parents first.
        config: a configuration of the space.
        rng: the generator.
        names: the parameters that may change; None for all.
        step: the standard deviation of a step, as a share of the range.
        resample: the probability with which a parameter is resampled instead.
        resample_choices: the same for choices without an order; None for `resample`.
    """
    chance = resample if resample_choices is None else resample_choices
    found: dict[str, Scalar] = {}
    for param in params:
        if not param.active(found):
            continue
        domain, value = param.domain, config.get(param.name)
        if param.name not in config or value not in domain:
            found[param.name] = domain.at(rng.random())
        elif domain.levels == 1 or (names is not None and param.name not in names):
            found[param.name] = value
        elif rng.random() < (chance if domain.categorical else resample):
            found[param.name] = domain.at(rng.random())
        else:
            found[param.name] = _moved(domain, value, float(rng.normal(0.0, step)))
    return found


def _moved(domain: Domain, value: Scalar, step: float) -> Scalar:
    """Returns the value a step away in the unit interval."""
    if domain.categorical:
        return value
    here, levels = domain.unit(value), domain.levels
    if levels == 0:
        return domain.at(_reflected(here + step, 1.0))
    if isinstance(domain, Integer) and domain.step is None and domain.scale != "linear":
        return _moved_on_unequal_cells(domain, int(value or 0), here + step)
    cells = max(1, round(abs(step) * levels)) * (1 if step >= 0 else -1)
    index = _reflected(int(here * levels) + cells, levels - 1)
    return domain.at((index + 0.5) / levels)


def _moved_on_unequal_cells(domain: Integer, value: int, place: float) -> int:
    """Returns the value at a position of a logarithmic range; a neighbour if it is `value`."""
    there = domain.at(_reflected(place, 1.0))
    if there != value:
        return there
    direction = 1 if place >= domain.unit(value) else -1
    return domain.low + int(_reflected(value + direction - domain.low, domain.high - domain.low))


def _reflected(value: float, high: float) -> float:
    """Returns a position in [0, high], reflected at the bounds as often as needed."""
    value = abs(value) % (2 * high)
    return 2 * high - value if value > high else value
