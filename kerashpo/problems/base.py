"""`Problem`: the interface of a simulated problem, known learning curves for `simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.space.lazy_values import refuse_lazy
from kerashpo.space.space import Space


class Problem(Protocol):
    """Interface of a simulated problem for `kerashpo.simulate`: learning curves, no training.

    Any object with these members will do. A problem whose curves depend on more than the
    present configuration (a schedule of learning rates, say) has in place of `evaluate`:

        advance(state, config) -> (state, value, seconds)

    which trains one epoch from a state (None at first); a trial that is forked continues from its
    parent's state. It must not change states in place. Where both are there, `advance` is called.
    """

    @property
    def space(self) -> Space:
        """The search space."""

    @property
    def direction(self) -> Literal["min", "max"]:
        """The direction in which the value improves, ``"min"`` or ``"max"``."""

    @property
    def max_epochs(self) -> int:
        """The number of epochs of each curve."""

    def evaluate(
        self, config: dict[str, Any], epoch: int
    ) -> tuple[float | Mapping[str, float], float]:
        """Returns the value after `epoch` epochs, and the seconds of training up to then.

        In place of the value it may return metrics by name, for ``simulate(objective=, limits=)``.

        Args:
            config: values by name, inactive parameters absent.
            epoch: from 1 to `max_epochs`; asked in order for each configuration.
        """


def check_problem(problem: object) -> Space:
    """Checks that a problem implements `Problem`; returns its space.

    Raises:
        InvalidInput: naming what is missing or wrong.
    """
    offered = getattr(problem, "advance", None) is not None
    wanted = ("space", "direction", "max_epochs", *(() if offered else ("evaluate",)))
    missing = [name for name in wanted if not hasattr(problem, name)]
    if missing:
        raise InvalidInput(
            "A problem needs space, direction, max_epochs and evaluate(config, epoch), or advance"
            f"(state, config). Received: {type(problem).__name__} without {', '.join(missing)}."
        )
    found: Any = problem
    if not isinstance(found.space, (Space, Mapping)):
        raise InvalidInput(
            "A problem's space must be a kerashpo.Space or a mapping of names to domains. "
            f"Received: {type(found.space).__name__}."
        )
    if not offered and not callable(found.evaluate):
        raise InvalidInput(
            "A problem's evaluate must be a function of (config, epoch). "
            f"Received: {found.evaluate!r}."
        )
    advance = getattr(found, "advance", None)
    if advance is not None and not callable(advance):
        raise InvalidInput(
            "A problem's advance must be a function of (state, config), or left out. "
            f"Received: {advance!r}."
        )
    require_integer("A problem's max_epochs", found.max_epochs, 1)
    space = found.space if isinstance(found.space, Space) else Space(found.space)
    refuse_lazy(space, "not for a problem on recorded or computed curves")
    return space
