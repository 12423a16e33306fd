"""Latency: how long a model takes to answer."""

from __future__ import annotations

import statistics
import time
from typing import Any

WARM_UP = 3
REPEATS = 20


def latency(model: Any, x: Any, rows: int = 1) -> float:
    """Returns the latency of a model in milliseconds: the median time of ``predict_on_batch``.

    The first calls, which compile the model, are not counted.

    Args:
        model: a Keras model.
        x: inputs in the structure that it takes.
        rows: how many of them are predicted at once.
    """
    import keras

    batch = keras.tree.map_structure(lambda part: part[:rows], x)
    times = []
    for number in range(WARM_UP + REPEATS):
        began = time.perf_counter()
        model.predict_on_batch(batch)
        if number >= WARM_UP:
            times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)
