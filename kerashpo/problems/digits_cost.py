"""Digits with three objectives: how accurate, how small and how fast a network can be."""

from __future__ import annotations

from dataclasses import replace

from kerashpo.problems.digits import digits
from kerashpo.problems.task import Task


def digits_cost() -> Task:
    """Returns the task: data and network of `digits`; accuracy, parameters and latency."""
    return replace(
        digits().with_objectives(["val_accuracy", "size", "latency"]),
        name="digits_cost",
        title={"en": "Digits at a cost", "es": "Dígitos y su coste"},
        description={
            "en": "1,797 handwritten digits of 8 x 8 pixels and a convolutional network of one or "
            "two blocks: accuracy, number of parameters and the latency of one answer.",
            "es": "1797 dígitos manuscritos de 8 x 8 píxeles y una red convolucional de uno o dos "
            "bloques: exactitud, número de parámetros y latencia de una respuesta.",
        },
    )
