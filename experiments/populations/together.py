"""Populations as one program: CPU per member and epoch, compile time, break-even.

    python -m experiments.populations.together speed     # CPU ms a member-epoch, one by one and K
    python -m experiments.populations.together compile   # CPU s of the first epoch, cache or not

Each row is a process of its own, appended to results/together-*.csv; rows that are there are kept.
Data are those of the Breast Cancer lab in size: 364 rows, 91 for validation, 30 features.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "results"
CELLS = {
    "dense 64x1": (0, 8, 32),
    "dense 128x2": (0, 8, 32),
    "dense 256x2": (0, 8),
    "dense 512x3": (0, 8),
    "conv 8x2": (0, 8),
}
"""By shape how many members a program has; 0 for one by one."""


def build(shape: str) -> Any:
    """Returns the build function of a shape, e.g. ``dense 64x1``."""
    import keras

    kind, _, size = shape.partition(" ")
    width, depth = (int(one) for one in size.split("x"))

    def model(hp: Any) -> Any:
        rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
        drop = hp.Float("drop", 0.0, 0.5)
        layers: list[Any] = [keras.Input((30,) if kind == "dense" else (14, 14, 1))]
        for _ in range(depth):
            if kind == "dense":
                layers += [keras.layers.Dense(width, "relu"), keras.layers.Dropout(drop)]
            else:
                layers += [
                    keras.layers.Conv2D(width, 3, activation="relu"),
                    keras.layers.MaxPooling2D(),
                ]
        layers += [] if kind == "dense" else [keras.layers.Flatten()]
        made = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
        made.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
        return made

    return model


def measure(shape: str, size: int, epochs: int, cache: str) -> dict[str, Any]:
    """Trains members in this process; returns CPU and wall time."""
    import numpy as np

    from kerashpo.core.records import Decision, Objective, Resume, Start
    from kerashpo.executors.messages import WorkItem
    from kerashpo.store.blobs import MemoryBlobs
    from kerashpo.training.data import FitData
    from kerashpo.training.factory import KerasSettings, RunnerFactory
    from kerashpo.training.folds import RunData
    from kerashpo.training.hypermodel import ModelBuilder
    from kerashpo.training.loops.compiled.programs import ProgramCache
    from kerashpo.training.settings import Settings

    rng = np.random.default_rng(0)
    wide = (30,) if shape.startswith("dense") else (14, 14, 1)
    x = rng.normal(size=(455, *wide)).astype("float32")
    y = (x.reshape(455, -1).sum(axis=1) > 0).astype("float32")
    data = FitData.from_fit(x[:364], y[:364], validation_data=(x[364:], y[364:]))
    builder = ModelBuilder(build(shape))
    space = builder.discover(0)
    settings = Settings(Objective("val_loss", "min"), 0, 10**6, checkpoint_every=1e9)
    factory = RunnerFactory(
        builder,
        space,
        RunData([data]),
        (),
        settings,
        MemoryBlobs(),
        KerasSettings.current(),
        population=max(size, 1),
        cache=ProgramCache(Path(cache)) if cache else None,
    )
    runner, members = factory(), max(size, 1)
    configs = [space.sample(np.random.default_rng(i)) for i in range(members)]

    def train(until: int) -> tuple[float, float]:
        make = (lambda i: Start(i, configs[i], until)) if until == 1 else lambda i: Resume(i, until)
        items = [WorkItem(make(i), configs[i], until) for i in range(members)]
        cpu, wall = time.process_time(), time.perf_counter()
        runner.run(items, lambda message: Decision.CONTINUE)
        return time.process_time() - cpu, time.perf_counter() - wall

    first = train(1)
    train(2)
    steady = train(2 + epochs)
    count = members * epochs
    return {
        "first": round(first[0], 2),
        "cpu_ms": round(1e3 * steady[0] / count, 3),
        "wall_ms": round(1e3 * steady[1] / count, 3),
    }


def rows(table: str) -> list[tuple[str, int, str]]:
    """Returns the cells of a table: shape, size, whether compiled programs are stored."""
    if table == "speed":
        return [(shape, size, "") for shape, sizes in CELLS.items() for size in sizes]
    return [(shape, 8, state) for shape in [*CELLS][:2] for state in ("empty", "filled")]


def main() -> None:
    """Measures the rows of a table that are missing, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=("speed", "compile", "one"))
    parser.add_argument("--shape", default="dense 64x1")
    parser.add_argument("--size", type=int, default=8)
    parser.add_argument("--cache", default="")
    given = parser.parse_args()
    if given.table == "one":
        epochs = {0: 60, 8: 30, 32: 15}[given.size]
        epochs //= 1 if given.shape in ("dense 64x1", "dense 128x2") else 4
        print(measure(given.shape, given.size, epochs, given.cache))
        return
    path = HERE / f"together-{given.table}.csv"
    known = list(csv.DictReader(path.open())) if path.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        for shape, size, state in rows(given.table):
            if any((r["shape"], r["size"], r["cache"]) == (shape, str(size), state) for r in known):
                continue
            row = {"shape": shape, "size": size, "cache": state, **_run(shape, size, folder, state)}
            known.append({name: str(value) for name, value in row.items()})
            with path.open("a", newline="") as file:
                writer = csv.DictWriter(file, list(row))
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
    for row in known:
        print("  ".join(str(value) for value in row.values()))


def _run(shape: str, size: int, folder: str, state: str) -> dict[str, Any]:
    command = [sys.executable, "-m", __spec__.name, "one", "--shape", shape, "--size", str(size)]
    command += ["--cache", folder] if state else []
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(eval(done.stdout.splitlines()[-1]))  # the dictionary that `measure` printed


if __name__ == "__main__":
    main()
