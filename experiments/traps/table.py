"""KerasTuner's verified mistakes, measured beside ours.

    python -m experiments.traps.table [--only NAME ...]

Each cell is a process of its own with a time limit, since some of the mistakes hang. Both
sides of a row run one after the other in the same call. KerasTuner's traps of training need
``tensorboard``, which it does not declare: ``pip install -e ".[peers]"``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile

SECONDS = 300
ROWS = (
    ("1", "training", "without_tensorboard"),
    ("2", "searching", "repeats"),
    ("2", "searching", "infinity"),
    ("2", "searching", "suggestion_cost"),
    ("3", "searching", "directions"),
    ("4", "searching", "seed_zero"),
    ("4", "training", "keras_seeds"),
    ("5", "training", "nan_in_the_first_epoch"),
    ("5", "training", "misspelt_objective"),
    ("5", "training", "misspelt_beside_a_callback"),
    ("6", "searching", "enumeration"),
    ("6", "searching", "grid_resume"),
    ("7", "searching", "definitions"),
    ("8", "training", "failure_streak"),
    ("8", "searching", "padding"),
    ("9", "searching", "bytes_written"),
    ("10", "training", "overhead"),
    ("11", "searching", "hyperband_epochs"),
    ("11", "searching", "rungs_after_failures"),
    ("11", "training", "promoted_optimizer"),
    ("11", "searching", "hung_workers"),
    ("11", "searching", "killed_while_writing"),
)
_CELL = """
import importlib, sys
module, name, side, folder = sys.argv[1:]
answer = getattr(importlib.import_module(f"experiments.traps.{module}"), name)(side, folder)
print("ANSWER", answer)
"""


def measure(module: str, name: str, side: str) -> str:
    """Returns one cell, measured in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", "-c", _CELL, module, name, side, folder]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, env=_environment()
            )
        except subprocess.TimeoutExpired:
            return f"no answer in {SECONDS} s"
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("ANSWER "):
            return line.removeprefix("ANSWER ")
    return f"crashed: {(done.stderr.splitlines() or [''])[-1]}"


def title(module: str, name: str) -> str:
    """Returns what a row measures: the first line of its function."""
    doc = getattr(importlib.import_module(f"experiments.traps.{module}"), name).__doc__
    return str(doc).splitlines()[0].rstrip(".")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="names of rows; all if not given")
    only = parser.parse_args().only
    print("| mistake | measured | KerasTuner | kerashpo |\n|---|---|---|---|")
    for number, module, name in ROWS:
        if only is None or name in only:
            theirs, ours = (measure(module, name, side) for side in ("theirs", "ours"))
            print(f"| {number} | {title(module, name)} | {theirs} | {ours} |", flush=True)


def _environment() -> dict[str, str]:
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}


if __name__ == "__main__":
    main()
