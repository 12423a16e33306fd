"""A search with little memory, and one on a small disk.

    python -m experiments.chaos.limits memory
    python -m experiments.chaos.limits disk            # as root: it mounts a tmpfs of 2 MB

Shown: a trial that is too large for the memory fails with an out-of-memory error and the search
continues; a full disk stops the search with advice, and with more room it resumes and reaches the
results of a search that had enough.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kerashpo
from experiments.chaos.killing import reported
from experiments.chaos.searches import data
from kerashpo.study.study import open_study

ROOM = 3 * 10**9
"""Bytes of address space that a search may take beyond what it has after its imports."""


def search(folder: Path, units: list[int], **settings: Any) -> str | None:
    """Searches the sizes of a layer of n x n weights; returns why it ended."""
    import keras

    def build(hp: Any) -> keras.Model:
        size = hp.Choice("units", units)
        layers = [keras.layers.Dense(size, "relu"), keras.layers.Dense(size, "relu")]
        model = keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(1, "sigmoid")])
        model.compile("adam", "binary_crossentropy")
        return model

    given = {"seed": 0, "directory": folder, "project_name": "study", "keep": "all", **settings}
    tuner = kerashpo.GridSearch(build, "val_loss", **given)
    tuner.search(**data(), verbose=0, epochs=2)
    return tuner.results.stopped


def memory(folder: Path) -> bool:
    """Searches with a memory limit that one of four models exceeds; returns success."""
    import keras

    keras.ops.zeros(1)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))
    stopped = search(folder, [8, 16, 40_000, 32])
    results = open_study(folder / "study").results
    print(results.trials()[["trial", "status", "epochs", "param_units"]].to_string())
    failures = results.failures()
    print(failures[["trial", "kind", "message"]].to_string())
    return stopped == "space exhausted" and list(failures["kind"]) == ["memory"]


SIZES = [8, 16, 192, 256, 320, 24]
"""Up to 1.6 MB a checkpoint, so that 2 MB are full before the end."""


def call(folder: Path) -> str | None:
    """Searches a function, which needs disk space only for its log; returns why it ended."""
    found = kerashpo.optimize(
        lambda config: (config["x"] - 0.5) ** 2,
        {"x": kerashpo.space.uniform(0.0, 1.0)},
        algorithm="random",
        max_trials=3000,
        seed=0,
        directory=folder / "study",
    )
    return found.stopped


def disk(folder: Path) -> bool:
    """Fills a small disk with checkpoints, and with a log; returns success."""
    checkpoints = _fills(folder / "checkpoints", "train", "2m", "space exhausted")
    return _fills(folder / "log", "call", "300k", "max_trials reached") and checkpoints


def _fills(folder: Path, what: str, size: str, end: str) -> bool:
    """Searches on a small disk, then on 64 MB; returns whether that is what one search leaves."""
    whole, small = folder / "whole", folder / "small"
    for made in (whole, small):
        made.mkdir(parents=True)
    print(f"{what}, unlimited:", _child(what, whole))
    with _mounted(small, size):
        first = _child(what, small)
        print(f"{what}, {size}:", first)
        epochs = open_study(small / "study").results.epochs
        print(f"in the log: {epochs} epochs")
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        second = _child(what, small)
        print(f"{what}, 64m:", second)
        same = reported(small) == reported(whole)
    print("results as unlimited:", same)
    return "disk is full" in first and epochs > 0 and end in second and same


def _child(what: str, folder: Path) -> str:
    """Searches in a process of its own; returns the last line that it printed."""
    command = [sys.executable, "-m", "experiments.chaos.limits", what, str(folder)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    said = done.stdout if done.returncode == 0 else done.stderr
    return f"exit code {done.returncode}: {(said.splitlines() or ['nothing'])[-1]}"


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[None]:
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(["mount", *options], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["memory", "disk", "train", "call"])
    parser.add_argument("folder", nargs="?", type=Path)
    given = parser.parse_args()
    if given.what in ("train", "call"):
        print(search(given.folder, SIZES) if given.what == "train" else call(given.folder))
        return 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as place:
        well = (memory if given.what == "memory" else disk)(Path(place))
    print("well" if well else "NOT as it should be")
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
