"""Wall time of a PBT search of 8 members on the lab's data, against its training alone.

    [KERAS_BACKEND=jax] python -m experiments.populations.cost [lab|small] [--repeats 3]

`lab`: the lab's own network under PBT's default settings, 100 epochs compared every 5. `small`: one
hidden layer of 64 units, 48 epochs compared every 4. The other side trains the 8 first members for
as many epochs as they and their copies were trained in the search, with the same compiled loop and
nothing else: no log, checkpoints, comparisons, copies or display. Both sides by turns, each in a
process of its own, without imports but with all that is traced and compiled. Seconds and the ratio
are printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from kerashpo.problems.breast_cancer import build_model, load

MEMBERS = 8


def build_small(hp: Any) -> Any:
    """Returns a network of one hidden layer; rate and dropout are searched."""
    import keras

    drop = keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5))
    model = keras.Sequential(
        [keras.Input((30,)), keras.layers.Dense(64, "relu"), drop, keras.layers.Dense(1, "sigmoid")]
    )
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


@final
@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: what is built, its epochs, and the epochs between two comparisons."""

    build: Callable[[Any], Any]
    epochs: int
    interval: int


SETTINGS = {"lab": Setting(build_model, 100, 5), "small": Setting(build_small, 48, 4)}


def search(setting: Setting, data: dict[str, Any], file: Path) -> float:
    """Returns the seconds of a search, and writes what it trained to a file."""
    import kerashpo as kt

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        tuner = kt.PBT(
            setting.build,
            "val_loss",
            population=MEMBERS,
            interval=setting.interval,
            max_epochs=setting.epochs,
            seed=0,
            directory=folder,
        )
        tuner.search(**data, verbose=0)
        seconds = time.perf_counter() - began
        file.write_text(json.dumps(_lines(tuner)))
        return seconds


def _lines(tuner: Any) -> list[dict[str, Any]]:
    """Returns each first member's values, and the epochs that it and its descendants trained."""
    trials = tuner.results.history.trials
    first, epochs = dict[int, int](), dict[int, int]()
    for number, trial in trials.items():  # parents before their copies
        root = first[number] = number if trial.parent is None else first[trial.parent]
        epochs[root] = epochs.get(root, 0) + trial.epoch - (trial.forked_at or 0)
    return [{"config": dict(trials[root].config), "epochs": epochs[root]} for root in epochs]


def train(setting: Setting, data: dict[str, Any], file: Path) -> float:
    """Returns the seconds of the training alone, of what a file names."""
    from kerashpo.training.data import FitData
    from kerashpo.training.hypermodel import ModelBuilder
    from kerashpo.training.loops.compiled import CompiledLoop
    from kerashpo.training.randomness import EpochKeys

    lines = json.loads(file.read_text())
    began = time.perf_counter()
    builder, loop, rows = ModelBuilder(setting.build), CompiledLoop(), FitData.from_fit(**data)
    space = builder.discover(0)
    for member, line in enumerate(lines):
        model = builder.make(line["config"], space, 0, member)[0]
        loop.train(model, rows, 1, line["epochs"], [], EpochKeys(0, member))
    return time.perf_counter() - began


SIDES = {"search": search, "train": train}


def main() -> None:
    """Measures both sides by turns, and prints seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("setting", choices=SETTINGS, nargs="?", default="lab")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(measure(given.side[0], given.setting, Path(given.side[1])))
        return
    found: dict[str, list[tuple[float, float]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.repeats):
            for side, measured in found.items():
                command = [sys.executable, "-m", __spec__.name, given.setting]
                command += ["--side", side, str(Path(folder, "lines.json"))]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                wall, cpu = map(float, done.stdout.splitlines()[-1].split())
                measured.append((wall, cpu))
                print(f"{side:7} {wall:6.2f} s, {cpu:6.2f} CPU s", flush=True)
    for i, what in enumerate(("wall", "CPU")):
        ratios = [a[i] / b[i] for a, b in zip(found["search"], found["train"], strict=True)]
        each = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"search / train, {what}: {statistics.median(ratios):.2f} (median of {each})")


def measure(side: str, setting: str, file: Path) -> str:
    """Returns wall and CPU seconds of a side in this process."""
    import keras  # noqa: F401  # its import is no part of either side

    import kerashpo as kt

    kt.PBT  # noqa: B018  # imported when it is asked for
    split = load(0)
    (x, y), validation = split.train, split.validation
    data = {"x": x, "y": y, "validation_data": validation, "batch_size": 32}
    began = time.process_time()
    wall = SIDES[side](SETTINGS[setting], data, file)
    return f"{wall} {time.process_time() - began}"


if __name__ == "__main__":
    main()
