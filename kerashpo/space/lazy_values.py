"""The values of `lazy` parameters: computed when a trial begins, refused where nothing does so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Config, Scalar
from kerashpo.space.lazy import Lazy
from kerashpo.space.space import Space


def has_lazy(space: Space) -> bool:
    """Whether a space has values to compute."""
    return any(isinstance(param.domain, Lazy) for param in space.params)


def computed(space: Space, config: Config) -> dict[str, Scalar]:
    """Returns the lazy values of a configuration that have not been computed yet.

    Args:
        space: the space.
        config: a configuration of it.

    Raises:
        InvalidSpace: if a function returns what cannot be recorded, with the name.
    """
    waiting = {
        param.name: param.domain.compute
        for param in space.active(config)
        if isinstance(param.domain, Lazy) and config[param.name] is None
    }
    known = {name: v for name, v in space.realise(config).items() if name not in waiting}
    found: dict[str, Scalar] = {}
    for name, compute in waiting.items():
        if compute is None:
            raise InvalidSpace(f"Parameter {name!r} is lazy, and a log has no functions.")
        found[name] = known[name] = _recordable(name, compute(dict(known)))
    return found


def refuse_lazy(space: Space, where: str) -> None:
    """Refuses a space with lazy values where nothing computes them.

    Raises:
        InvalidSpace: if there is one, with its name.
    """
    for param in space.params:
        if isinstance(param.domain, Lazy):
            raise InvalidSpace(
                f"Parameter {param.name!r}: lazy values are for optimize, {where}. Compute it from "
                "the other values in your own code."
            )


def _recordable(name: str, value: Any) -> Scalar:
    value = value.item() if isinstance(value, np.generic) else value
    finite = not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, (str, bool, int, float)) and finite:
        return value
    raise InvalidSpace(
        f"Parameter {name!r}: a lazy value must be a finite number, a text or a boolean, so that "
        f"the log can contain it. Received: {value!r}."
    )
