"""Resident memory over many trials: it must level off.

python experiments/speed/memory.py --trials 200
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
from environment import describe
from lab_model import build_model, load

import kerashpo as kt

HERE = Path(__file__).parent


def resident() -> float:
    """Returns the resident size of this process in megabytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Searches, notes the memory after each trial, prints it and writes ``memory.csv``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--keep", default="20MB", help="keep_in_memory")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    print(describe())
    data, sizes = load(), []

    class Watch(keras.callbacks.Callback):
        def on_train_end(self, logs: dict[str, float] | None = None) -> None:
            sizes.append(resident())

    with tempfile.TemporaryDirectory() as folder:
        tuner = kt.RandomSearch(
            build_model,
            objective="val_accuracy",
            max_trials=options.trials,
            seed=0,
            directory=folder,
            keep_in_memory=options.keep,
        )
        tuner.search(
            data.x_train,
            data.y_train,
            validation_split=0.2,
            epochs=options.epochs,
            verbose=0,
            callbacks=[Watch],
        )
    options.out.mkdir(exist_ok=True)
    with (options.out / "memory.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("trial", "resident_mb"))
        writer.writerows((n, round(size, 1)) for n, size in enumerate(sizes, 1) if n % 10 == 0)
    half = sizes[len(sizes) // 2 :]
    slope = np.polyfit(np.arange(len(half)), half, 1)[0]
    for number in (1, 25, 50, 100, 150, len(sizes)):
        if number <= len(sizes):
            print(f"after trial {number:4d}: {sizes[number - 1]:8.1f} MB")
    print(f"growth over the second half: {slope:.3f} MB a trial")


if __name__ == "__main__":
    main()
