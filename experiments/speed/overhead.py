"""What our own machinery costs beyond Keras and the suggestion: a search whose training is free.

    python experiments/speed/overhead.py

A runner that reports epochs without training goes through the real loop, store and
scheduler; the remaining time is ours. Then a compiled session's own cost an epoch, with a graph
that does nothing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
from environment import describe

import kerashpo as kt
from kerashpo.training.data import FitData
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.engine import CompiledSession
from kerashpo.training.loops.compiled.tensorflow.engine import TensorFlowSession
from kerashpo.training.randomness import EpochKeys

TRIALS, EPOCHS = 40, 50


class Stopwatch(CompiledSession):
    """A session whose epochs cost nothing."""

    made: ClassVar[int] = 0
    set_seed = TensorFlowSession.set_seed

    def train_epoch(self, order: np.ndarray) -> dict[str, float]:
        return {"loss": 0.5}

    def train_until_nan(self, order: np.ndarray) -> tuple[dict[str, float], int]:
        return {"loss": 0.5}, 1

    def test_epoch(self) -> dict[str, float]:
        return {"loss": 0.5}

    def close(self) -> None:
        Stopwatch.made += 1


def search_cost() -> tuple[float, float]:
    """Returns CPU milliseconds a trial and an epoch, of loop, store, scheduler and runner."""
    x, y = np.zeros((40, 3), "float32"), np.zeros(40, "float32")
    spent: dict[str, float] = {"make": 0.0}

    def build(hp: Any) -> keras.Model:
        began = time.process_time()
        hp.Int("width", 1, 1000)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        spent["make"] += time.process_time() - began
        return model

    def search(epochs: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            tuner = kt.RandomSearch(
                build, objective="val_loss", max_trials=TRIALS, seed=0, directory=Path(folder)
            )
            spent["make"], began = 0.0, time.process_time()
            tuner.search(x, y, validation_data=(x, y), epochs=epochs, verbose=0)
            return time.process_time() - began - spent["make"]

    few, many = search(1), search(1 + EPOCHS)
    each = (many - few) / (TRIALS * EPOCHS)
    return 1000 * (few / TRIALS - each), 1000 * each


def session_cost() -> float:
    """Returns CPU milliseconds an epoch of the loop over epochs: keys, order, callbacks, logs."""
    x, y = np.zeros((364, 30), "float32"), np.zeros(364, "float32")
    data = FitData.from_fit(x, y, validation_data=(x[:91], y[:91]))
    way = CompiledLoop()
    way.train(_model(), data, 1, 1, [], EpochKeys(0, 0))
    way.engine.open = lambda model, data: Stopwatch()  # type: ignore[method-assign]
    # A model of its own: the session of the first one would be opened again.
    model = _model()
    began = time.process_time()
    way.train(model, data, 1, 500, [keras.callbacks.Callback()], EpochKeys(0, 0))
    return 1000 * (time.process_time() - began) / 500


def _model() -> keras.Model:
    layers = [keras.Input((30,)), keras.layers.Dropout(0.1), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    return model


def main() -> None:
    """Prints both costs."""
    print(describe())
    with_training_free(CompiledLoop)
    trial, epoch = search_cost()
    print(f"CPU ms a trial beyond build_model and training: {trial:.2f}")
    print(f"CPU ms an epoch, loop, store and callbacks:     {epoch:.3f}")


def with_training_free(way: type[CompiledLoop]) -> None:
    """Prints the session's cost, then makes every compiled session free."""
    print(f"CPU ms an epoch, compiled epochs' own Python:   {session_cost():.3f}")
    from kerashpo.training.loops.compiled.tensorflow import TensorFlowEngine

    TensorFlowEngine.open = lambda self, model, data: Stopwatch()  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
