"""Resident memory over many trials of one search, or over many searches: it must level off.

python experiments/speed/memory.py --trials 200
python experiments/speed/memory.py --searches 144 --trials 5
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


def search(
    options: argparse.Namespace, seed: int, callbacks: list[keras.callbacks.Callback]
) -> None:
    """One random search of the lab in a folder of its own."""
    data = load()
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt.RandomSearch(
            build_model,
            objective="val_accuracy",
            max_trials=options.trials,
            seed=seed,
            directory=folder,
            keep_in_memory=options.keep,
            fast=False if options.plain else "auto",
        )
        tuner.search(
            data.x_train,
            data.y_train,
            validation_split=0.2,
            epochs=options.epochs,
            verbose=0,
            callbacks=callbacks,
        )


def main() -> None:
    """Searches, notes the memory after each trial or search, prints it and writes a CSV file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--searches", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--keep", default="20MB", help="keep_in_memory")
    parser.add_argument("--plain", action="store_true", help="train by model.fit")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    print(describe())
    sizes: list[float] = []

    class Watch(keras.callbacks.Callback):
        def on_train_end(self, logs: dict[str, float] | None = None) -> None:
            sizes.append(resident())

    several = options.searches > 1
    for seed in range(options.searches):
        search(options, seed, [] if several else [Watch()])
        if several:
            sizes.append(resident())
            print(f"after search {seed + 1:4d}: {sizes[-1]:8.1f} MB", flush=True)
    unit = "search" if several else "trial"
    options.out.mkdir(exist_ok=True)
    with (options.out / f"memory_{unit}.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((unit, "resident_mb"))
        writer.writerows((n, round(size, 1)) for n, size in enumerate(sizes, 1) if n % 10 == 0)
    half = sizes[len(sizes) // 2 :]
    slope = np.polyfit(np.arange(len(half)), half, 1)[0]
    for number in (1, 25, 50, 100, 150, len(sizes)):
        if number <= len(sizes):
            print(f"after {unit} {number:4d}: {sizes[number - 1]:8.1f} MB")
    print(f"growth over the second half: {slope:.3f} MB a {unit}")


if __name__ == "__main__":
    main()
