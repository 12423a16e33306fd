"""Ensemble selection: weights of the models of an average, from predictions on unseen rows.

Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of models", ICML 2004:
models are added to the average one after another, each time the one with which its loss is lowest;
a model may be added several times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

STEPS = 20
"""How many times a model is added: weights are multiples of 1/20."""


def selection_weights(
    models: int, loss: Callable[[Sequence[float]], float], steps: int = STEPS
) -> list[float] | None:
    """Returns the models' weights, which sum to 1; None if no weights have a finite loss.

    Args:
        models: how many there are; of equally good ones the first is added.
        loss: of the average with given weights, the lower the better.
        steps: how many times one is added.
    """
    counts = [0] * models
    for step in range(1, steps + 1):
        losses = []
        for added in range(models):
            weights = [(count + (one == added)) / step for one, count in enumerate(counts)]
            losses.append(loss(weights))
        finite = [value if math.isfinite(value) else math.inf for value in losses]
        best = min(range(models), key=finite.__getitem__)
        if not math.isfinite(finite[best]):
            return None
        counts[best] += 1
    return [count / steps for count in counts]
