"""Where the CPU time of a trial goes, phase by phase, against the bare arithmetic.

python experiments/speed/phases.py
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from environment import describe
from lab_model import load

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.randomness import EpochKeys

layers = keras.layers
ROWS, BATCH, EPOCHS = 364, 32, 20


def make(depth: int, width: int) -> keras.Model:
    """Returns a network of the lab's space."""
    parts: list[Any] = [keras.Input((30,))]
    for _ in range(depth):
        parts += [layers.Dense(width, "relu"), layers.Dropout(0.2)]
    model = keras.Sequential([*parts, layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """Returns CPU milliseconds and the result."""
    began = time.process_time()
    result = work()
    return 1000 * (time.process_time() - began), result


def arithmetic(depth: int, width: int) -> float:
    """Returns CPU ms of an epoch's matrix products alone: forward and both gradients."""
    sizes = [30, *[width] * depth, 1]
    rng = np.random.default_rng(0)
    pairs = [
        (rng.normal(size=(BATCH, a)).astype("f4"), rng.normal(size=(a, b)).astype("f4"))
        for a, b in itertools.pairwise(sizes)
    ]

    def epoch() -> None:
        for _ in range(-(-ROWS // BATCH)):
            for x, w in pairs:
                y = x @ w
                x.T @ y
                y @ w.T

    epoch()
    return cpu(lambda: [epoch() for _ in range(EPOCHS)])[0] / EPOCHS


def phases(way: CompiledLoop, data: FitData, depth: int, width: int) -> dict[str, float]:
    """Returns CPU ms of each phase of one trial."""
    spent: dict[str, float] = {}
    spent["build_model"], model = cpu(lambda: make(depth, width))
    spent["other variables"], _ = cpu(lambda: build_all(model, data))
    keys = EpochKeys(0, 0)
    first, _ = cpu(lambda: way.train(model, data, 1, 1, [], keys))
    again, _ = cpu(lambda: way.train(model, data, 2, 2, [], keys))
    many, _ = cpu(lambda: way.train(model, data, 3, 2 + EPOCHS, [], keys))
    spent["epoch"] = (many - again) / (EPOCHS - 1)
    spent["attach and detach model"] = again - spent["epoch"]
    spent["trace and first call"] = first - again
    spent["bare products"] = arithmetic(depth, width)
    return spent


def main() -> None:
    """Prints one row a model; the second of a depth reuses the first one's trace."""
    print(describe())
    split = load()
    data = FitData.from_fit(split.x_train, split.y_train, batch_size=BATCH, validation_split=0.2)
    way = CompiledLoop()
    phases(way, data, 4, 8)  # warms up what is slow once in a process
    header = False
    for depth in (1, 2, 3):
        for width in (64, 128, 512):
            spent = phases(way, data, depth, width)
            if not header:
                print("| layers x width | " + " | ".join(spent) + " |")
                print("|---" * (len(spent) + 1) + "|")
                header = True
            values = " | ".join(f"{value:.1f}" for value in spent.values())
            print(f"| {depth} x {width} | {values} |", flush=True)


if __name__ == "__main__":
    main()
