"""The spaces that the conformance suites search."""

from __future__ import annotations

from typing import Final

from kerashpo.space import Space, boolean, choice, fixed, integer, loguniform, uniform, when

SIX: Final = Space({"layers": integer(1, 3), "norm": boolean()})
"""Six configurations: fewer than most plans."""

EIGHTEEN: Final = Space(
    {
        "layers": integer(1, 3),
        "activation": choice(["relu", "tanh", "sigmoid"]),
        "norm": boolean(),
    }
)
"""Eighteen configurations."""

TRIANGLE: Final = Space({"a": integer(1, 4), "b": integer(1, 4)}).with_projection(
    lambda config: {**config, "b": min(int(config["a"] or 0), int(config["b"] or 0))}
)
"""Sixteen configurations of which ten are trained: b is at most a, as in ``hp.Int("b", 1, a)``."""

CONDITIONAL: Final = Space(
    {
        "optimizer": choice(["sgd", "adam"]),
        **when("optimizer", "sgd", {"nesterov": boolean(), "momentum": uniform(0, 0.9, 0.3)}),
        "layers": integer(1, 3),
        **when("layers", (2, 3), {"units_1": integer(32, 512, 160)}),
        **when("layers", 3, {"units_2": integer(32, 512, 160)}),
    }
)
"""Finite, its children conditional: (8 + 1) * (1 + 4 + 16) = 189 configurations."""

MIXED: Final = Space(
    {
        "lr": loguniform(1e-4, 1e-1),
        "dropout": uniform(0.0, 0.5),
        "units": integer(16, 256, log=True),
        "loss": fixed("mse"),
        "optimizer": choice(["sgd", "adam"]),
        **when("optimizer", "sgd", {"momentum": uniform(0.0, 0.99)}),
    }
)
"""Continuous parameters, a fixed one, and one that is conditional."""


class NotConforming(AssertionError):
    """Raised if a part breaks its contract; the message says which clause and how."""


def require(holds: bool, message: str) -> None:
    """Raises NotConforming with `message` unless the condition holds."""
    if not holds:
        raise NotConforming(message)
