"""Larger models must not lose: CPU time of our ways against plain `model.fit`, alternating.

python experiments/speed/larger.py --repeats 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from environment import describe
from sklearn.datasets import load_digits

from kerashpo.training.data import FitData
from kerashpo.training.loops.base import choose
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys

layers = keras.layers
EPOCHS = 5


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Returns 1797 images, float32, shape (n, 8, 8, 1), and their digits."""
    x, y = load_digits(return_X_y=True)
    return (x.reshape(-1, 8, 8, 1) / 16).astype("float32"), y


def cnn() -> keras.Model:
    """Returns a compiled network of three convolutions, 0.1 million parameters."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def pipeline(x: np.ndarray, y: np.ndarray) -> Any:
    """Returns the same data as a shuffled `tf.data.Dataset`."""
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=0).batch(32).prefetch(2)


def ours(*args: Any, **kwargs: Any) -> str:
    """Trains by the way that `choose` names; returns its name."""
    data, model = FitData.from_fit(*args, **kwargs), cnn()
    kind, _ = choose("auto", model, data, [])
    way = CompiledLoop() if kind == "compiled" else FitLoop()
    way.train(model, data, 1, EPOCHS, [], EpochKeys(0, 0))
    return kind


def plain(*args: Any, **kwargs: Any) -> str:
    """Trains with `model.fit`."""
    cnn().fit(*args, **kwargs, epochs=EPOCHS, verbose=0)
    return "fit"


def clock(train: Callable[..., str], *args: Any, **kwargs: Any) -> tuple[float, float]:
    """Returns CPU and wall seconds of a training."""
    cpu, wall = time.process_time(), time.perf_counter()
    train(*args, **kwargs)
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    """Prints for arrays and for a pipeline the ratio of our CPU time to `model.fit`'s."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(describe())
    x, y = digits()
    cases = {"CNN on arrays": (x, y), "CNN on tf.data": (pipeline(x, y),)}
    for name, given in cases.items():
        settings: dict[str, Any] = {"validation_data": (x[:300], y[:300])}
        if len(given) == 2:
            settings["batch_size"] = 32
        pairs = []
        for repeat in range(repeats + 1):
            sides = (ours, plain) if repeat % 2 else (plain, ours)
            spent = {side: clock(side, *given, **settings) for side in sides}
            if repeat:  # the first pair warms kernels up
                pairs.append((spent[ours], spent[plain]))
        for index, what in enumerate(("CPU", "wall")):
            ratios = [mine[index] / their[index] for mine, their in pairs]
            print(f"{name}: {what} of ours / model.fit: median {np.median(ratios):.2f}, ", end="")
            print(", ".join(f"{ratio:.2f}" for ratio in ratios), flush=True)


if __name__ == "__main__":
    main()
