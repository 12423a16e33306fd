"""Algorithms by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.wrappers import Enqueued
from kerashpo.core.errors import InvalidInput, nearest, unknown
from kerashpo.space.space import Space

_PLACES: dict[str, str] = {
    "random": "random:RandomSearch",
    "grid": "grid:GridSearch",
    "sobol": "sobol:SobolSearch",
    "bayesian": "bayesian:BayesianOptimization",
    "gp": "bayesian:BayesianOptimization",
}


def algorithm_names() -> tuple[str, ...]:
    """Returns the names that `make_algorithm` takes."""
    return tuple(_PLACES)


def algorithm_class(name: str) -> Callable[..., Algorithm]:
    """Returns the class behind a name.

    Raises:
        InvalidInput: if there is none, with the nearest match.
    """
    if name not in _PLACES:
        raise unknown("algorithm", name, _PLACES)
    module, _, attribute = _PLACES[name].partition(":")
    # Imported on demand: the Gaussian process brings scipy's optimisers with it.
    found: Callable[..., Algorithm] = getattr(
        import_module(f"kerashpo.algorithms.{module}"), attribute
    )
    return found


def make_algorithm(
    name: str, space: Space, seed: int, options: Mapping[str, Any] | None = None
) -> Algorithm:
    """Returns the algorithm of that name for a space.

    Args:
        name: one of `algorithm_names`.
        space: what to search.
        seed: the study's seed.
        options: further keyword arguments of its constructor; every algorithm takes
            ``enqueue``, configurations to try first.

    Raises:
        InvalidInput: for an unknown name or option.
    """
    cls = algorithm_class(name)
    known = [p for p in inspect.signature(cls).parameters if p not in ("space", "seed")]
    if "enqueue" in (options or {}) and "enqueue" not in known:
        rest = dict(options or {})
        queue = rest.pop("enqueue")
        return Enqueued(make_algorithm(name, space, seed, rest), queue)
    for option in options or {}:
        if option not in known:
            raise InvalidInput(
                f"The algorithm {name!r} has no option {option!r}.{nearest(option, known)} "
                f"Known: {', '.join(known) or 'none'}."
            )
    return cls(space, seed, **(options or {}))
