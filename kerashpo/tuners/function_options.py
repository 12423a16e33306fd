"""Unknown keyword arguments of `optimize` and `simulate`: errors that name what was meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kerashpo.algorithms.registry import algorithm_options
from kerashpo.core.errors import InvalidInput, nearest

_WEIGHTS = " Have it return the weighted sum, as one objective."
_OF_TUNERS = {
    "optimize": {
        "project_name": " directory is the study's own folder: directory='runs/name'.",
        "max_epochs": " fn is called once for each trial: simulate and the tuners have epochs.",
        "weights": _WEIGHTS,
    },
    "simulate": {
        "directory": " A simulated study is kept in memory.",
        "project_name": " A simulated study is kept in memory.",
        "weights": _WEIGHTS,
        "verbose": " A simulation shows nothing while it runs.",
    },
}
"""What to say to arguments that the tuners have and these functions have not."""


def check_function_options(
    function: Callable[..., Any],
    algorithm: str,
    options: Mapping[str, Any],
    scheduler: Iterable[str] = (),
) -> None:
    """Raises InvalidInput for an argument that neither a function nor its parts have.

    Args:
        function: `optimize` or `simulate`, whose own arguments may be meant.
        algorithm: takes further arguments.
        options: the further arguments that were given.
        scheduler: the names of the scheduler's options.
    """
    own = [
        one.name
        for one in inspect.signature(function).parameters.values()
        if one.kind is not one.VAR_KEYWORD
    ]
    parts = dict.fromkeys([*scheduler, *algorithm_options(algorithm), "enqueue"])
    known = [name for name in parts if name not in own]
    for option in options:
        if option not in known:
            said = _OF_TUNERS[function.__name__].get(option)
            hint = said or nearest(option, [*own, *known])
            raise InvalidInput(
                f"{function.__name__} has no argument {option!r}.{hint} Its arguments: "
                f"{', '.join(own)}; of the algorithm {algorithm!r}"
                f"{' and the scheduler' if scheduler else ''}: {', '.join(known)}."
            )
