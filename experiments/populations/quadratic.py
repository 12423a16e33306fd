"""The noisy quadratic model: what a schedule of the learning rate is worth, without data.

Source: Zhang, Li, Nado, Martens, Sachdeva, Dahl, Shallue and Grosse, "Which Algorithmic Choices
Matter at Which Batch Sizes? Insights From a Noisy Quadratic Model", NeurIPS 2019. The loss is
sum(h * theta**2) / 2 with curvatures h = 1, 1/2, ..., 1/DIMENSION; a gradient has noise of
variance NOISE * h. A high rate is fast and stays noisy, so the best schedule falls, and it can
be computed: the expected squares follow a recursion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kerashpo.space import Space, loguniform

DIMENSION, STEPS, EPOCHS = 100, 5, 50
NOISE = 0.055
LOW, HIGH = 1e-3, 1.9
CURVATURES = 1.0 / np.arange(1, DIMENSION + 1)


class NoisyQuadratic:
    """A problem for `kerashpo.simulate` whose epochs depend on those before.

    Args:
        seed: of the noise and of where training starts.
    """

    direction = "min"
    max_epochs = EPOCHS

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.space = Space({"lr": loguniform(LOW, HIGH)})

    def advance(
        self, state: tuple[int, np.ndarray] | None, config: dict[str, Any]
    ) -> tuple[tuple[int, np.ndarray], float, float]:
        """Trains one epoch; the noise depends on seed, epoch and rate."""
        epoch, theta = state or (0, np.ones(DIMENSION))
        rate = float(config["lr"])
        rng = np.random.default_rng([self.seed, epoch, int(np.float64(rate).view(np.uint64))])
        for noise in rng.normal(size=(STEPS, DIMENSION)):
            theta = theta - rate * (CURVATURES * theta + np.sqrt(NOISE * CURVATURES) * noise)
        return (epoch + 1, theta), loss(theta), 1.0

    def evaluate(self, config: dict[str, Any], epoch: int) -> tuple[float, float]:
        """Trains with constant values through an epoch."""
        state, value = None, loss(np.ones(DIMENSION))
        for _ in range(epoch):
            state, value, _ = self.advance(state, config)
        return value, float(epoch)


def loss(theta: np.ndarray) -> float:
    """The loss without noise."""
    return float(np.sum(CURVATURES * theta**2) / 2)


def expected(rates: np.ndarray) -> float:
    """Returns the expected loss after a rate for each epoch."""
    squares = np.ones(DIMENSION)
    for rate in rates:
        kept = (1 - rate * CURVATURES) ** 2
        for _ in range(STEPS):
            squares = kept * squares + rate**2 * NOISE * CURVATURES
    return float(np.sum(CURVATURES * squares) / 2)


def best_schedule() -> np.ndarray:
    """Returns the rates, one an epoch, of the lowest expected loss."""
    from scipy.optimize import minimize

    bounds = [(np.log(LOW), np.log(HIGH))] * EPOCHS
    start = np.linspace(np.log(1.0), np.log(0.05), EPOCHS)
    found = minimize(lambda x: np.log(expected(np.exp(x))), start, bounds=bounds)
    return np.exp(found.x)
