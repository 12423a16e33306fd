"""Python calls that the report of one epoch costs: of this package, and of libraries below it.

    python experiments/speed/calls.py [--names]

A small search is trained in this process; `sys.setprofile` counts the frames below
`EpochReporter.on_epoch`: from the metrics of an epoch to its line in the log, the history, the
listeners and the scheduler.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import keras
import numpy as np
from environment import describe

import kerashpo as kt
from kerashpo.training.reporter import EpochReporter

PACKAGE = str(Path(kt.__file__).parent)


def build_model(hp: Any) -> keras.Model:
    """Returns a compiled model of one layer."""
    hp.Int("width", 1, 1000)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class CallCounter:
    """Counts the calls below `EpochReporter.on_epoch`.

    Attributes:
        epochs: for each epoch the calls of functions in this package's files, and all calls.
        names: calls by function, over all epochs.
    """

    def __init__(self) -> None:
        self.epochs: list[tuple[int, int]] = []
        self.names: Counter[tuple[str, str]] = Counter()

    def install(self) -> None:
        """Wraps the method; this process is for counting only."""
        original = EpochReporter.on_epoch

        def on_epoch(reporter: EpochReporter, epoch: int, metrics: dict[str, float]) -> bool:
            found: Counter[tuple[str, str]] = Counter()

            def note(frame: FrameType, event: str, argument: Any) -> None:
                if event == "call":
                    code = frame.f_code
                    found[code.co_filename, code.co_qualname] += 1

            sys.setprofile(note)
            try:
                return original(reporter, epoch, metrics)
            finally:
                sys.setprofile(None)
                own = sum(n for (file, _), n in found.items() if file.startswith(PACKAGE))
                self.epochs.append((own, found.total()))
                self.names += found

        EpochReporter.on_epoch = on_epoch  # type: ignore[method-assign]


def main() -> None:
    """Prints the median number of calls an epoch, and with ``--names`` which they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", action="store_true", help="each function with its calls")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype("float32")
    counter = CallCounter()
    counter.install()
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt.RandomSearch(
            build_model, objective="val_loss", max_trials=6, seed=0, directory=folder
        )
        tuner.search(x, x.sum(1), validation_split=0.2, epochs=10, verbose=0)
    own, whole = (statistics.median(column) for column in zip(*counter.epochs, strict=True))
    print(describe())
    print(
        f"calls an epoch's report, median of {len(counter.epochs)}: {own:g} of this package, ",
        end="",
    )
    print(f"{whole:g} with those of libraries")
    if options.names:
        for (file, name), count in counter.names.most_common():
            print(f"{count / len(counter.epochs):7.2f} {name} ({Path(file).name})")


if __name__ == "__main__":
    main()
