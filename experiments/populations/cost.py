"""Wall time of a PBT search of 8 members on the lab's data, against its training alone.

    [KERAS_BACKEND=jax] python -m experiments.populations.cost [--repeats 3] [--epochs 48]

Breast Cancer, one hidden layer of 64 units, compared every 4 epochs. `train` trains 8 members of
the same space for as many epochs with the same compiled loop and nothing else: no log, checkpoints,
comparisons, forks or display. Both sides by turns, each in a process of its own, without imports
but with all that is traced and compiled. Seconds and the ratio are printed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

MEMBERS, INTERVAL = 8, 4


def build(hp: Any) -> Any:
    """Returns the network; rate and dropout are searched."""
    import keras

    drop = keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5))
    model = keras.Sequential(
        [keras.Input((30,)), keras.layers.Dense(64, "relu"), drop, keras.layers.Dense(1, "sigmoid")]
    )
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


def search(data: dict[str, Any], epochs: int) -> float:
    """Returns the seconds of a search."""
    import kerashpo as kt

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        tuner = kt.PBT(
            build,
            "val_loss",
            population=MEMBERS,
            interval=INTERVAL,
            max_epochs=epochs,
            seed=0,
            directory=folder,
        )
        tuner.search(**data, verbose=0)
        return time.perf_counter() - began


def train(data: dict[str, Any], epochs: int) -> float:
    """Returns the seconds of the training alone."""
    from kerashpo.core.rng import stream
    from kerashpo.training.data import FitData
    from kerashpo.training.hypermodel import ModelBuilder
    from kerashpo.training.loops.compiled import CompiledLoop
    from kerashpo.training.randomness import EpochKeys

    began = time.perf_counter()
    builder, loop, rows = ModelBuilder(build), CompiledLoop(), FitData.from_fit(**data)
    space = builder.discover(0)
    for member in range(MEMBERS):
        config = space.sample(stream(0, "cost", member))
        model = builder.make(config, space, 0, member)[0]
        loop.train(model, rows, 1, epochs, [], EpochKeys(0, member))
    return time.perf_counter() - began


SIDES = {"search": search, "train": train}


def main() -> None:
    """Measures both sides by turns, and prints seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=48)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(measure(given.side, given.epochs))
        return
    found: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    for _ in range(given.repeats):
        for side, measured in found.items():
            command = [sys.executable, "-m", __spec__.name, "--side", side]
            command += ["--epochs", str(given.epochs)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            wall, cpu = map(float, done.stdout.splitlines()[-1].split())
            measured.append((wall, cpu))
            print(f"{side:7} {wall:6.2f} s, {cpu:6.2f} CPU s", flush=True)
    for i, what in enumerate(("wall", "CPU")):
        ratios = [a[i] / b[i] for a, b in zip(found["search"], found["train"], strict=True)]
        print(f"search / train, {what}: {statistics.median(ratios):.2f} (median), {ratios}")


def measure(side: str, epochs: int) -> str:
    """Returns wall and CPU seconds of a side in this process."""
    import keras  # noqa: F401  # its import is no part of either side

    import kerashpo as kt
    from kerashpo.problems.breast_cancer import load

    kt.PBT  # noqa: B018  # imported when it is asked for
    split = load(0)
    (x, y), validation = split.train, split.validation
    data = {"x": x, "y": y, "validation_data": validation, "batch_size": 32}
    began = time.process_time()
    wall = SIDES[side](data, epochs)
    return f"{wall} {time.process_time() - began}"


if __name__ == "__main__":
    main()
