"""The lab with 1 and more worker processes, their start included, and KerasTuner's one process.

    python experiments/speed/workers.py --repeats 3 --peer

Each search runs in a fresh process, the sides alternate, and time counts from the first call of
`search` to its end. ``long`` is Hyperband run four times over: long enough to need workers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from environment import describe
from lab_model import build_model, load

KINDS = ("hyperband", "bayesian", "long")
HERE = Path(__file__)


def make_tuner(kind: str, workers: str, seed: int, folder: str) -> Any:
    """Returns a tuner of ours, or (``workers="peer"``) KerasTuner's."""
    common: dict[str, Any] = {
        "objective": "val_accuracy",
        "directory": folder,
        "project_name": "p",
        "seed": seed,
    }
    if workers == "peer":
        import keras_tuner as kt
    else:
        import kerashpo as kt

        common["workers"] = workers if workers == "auto" else int(workers)
    if kind == "bayesian":
        return kt.BayesianOptimization(build_model, max_trials=25, num_initial_points=5, **common)
    rounds = 4 if kind == "long" else 1
    return kt.Hyperband(build_model, max_epochs=50, factor=3, hyperband_iterations=rounds, **common)


def search(kind: str, workers: str, seed: int) -> dict[str, Any]:
    """Searches in this process (and its workers); returns seconds and what was found."""
    data = load()
    with tempfile.TemporaryDirectory() as folder:
        tuner = make_tuner(kind, workers, seed, folder)
        arguments: dict[str, Any] = {"validation_split": 0.2, "batch_size": 32, "verbose": 0}
        if kind == "bayesian":
            arguments["epochs"] = 50
        began = time.perf_counter()
        tuner.search(data.x_train, data.y_train, **arguments)
        seconds = time.perf_counter() - began
        row = {"kind": kind, "workers": workers, "seed": seed, "seconds": round(seconds, 1)}
        if workers != "peer":
            results = tuner.results
            trials = results.history.trials.values()
            reported = {t.facts["workers_reason"] for t in trials if "workers_reason" in t.facts}
            row |= {
                "epochs": results.epochs,
                "best": results.best.score,
                "reported": sorted(reported),
            }
    return row


def in_a_process(kind: str, workers: str, seed: int) -> dict[str, Any]:
    """Runs one search in a process of its own.

    Raises:
        RuntimeError: with what the process said, if it failed.
    """
    command = [sys.executable, str(HERE), "--one", kind, workers, str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} with {workers} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(rows: list[dict[str, Any]], sides: list[str]) -> str:
    """Returns a Markdown table: seconds of each side, and how often faster than one process."""
    lines = ["| search | " + " | ".join(sides) + " |", "|---" * (len(sides) + 1) + "|"]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        cells = []
        for side in sides:
            mine = [r["seconds"] for r in rows if (r["kind"], r["workers"]) == (kind, side)]
            alone = [r["seconds"] for r in rows if (r["kind"], r["workers"]) == (kind, "1")]
            ratio = np.median([a / b for a, b in zip(alone, mine, strict=False)])
            cells.append(f"{np.median(mine):.1f} s ({ratio:.2f})" if mine else "")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Runs the comparison, or with ``--one`` a single search that prints a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=3, metavar=("KIND", "WORKERS", "SEED"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--workers", nargs="+", default=["1", "2", "auto"])
    parser.add_argument("--peer", action="store_true", help="KerasTuner's one process too")
    options = parser.parse_args()
    if options.one:
        kind, workers, seed = options.one
        print(json.dumps(search(kind, workers, int(seed))))
        return
    print(describe(), flush=True)
    rows: list[dict[str, Any]] = []
    for seed in range(options.repeats):
        for kind in options.kinds:
            sides = options.workers + ["peer"] * (options.peer and kind != "long")
            for side in sides if seed % 2 == 0 else sides[::-1]:
                rows.append(in_a_process(kind, side, seed))
                print(rows[-1], flush=True)
    print(table(rows, options.workers + ["peer"] * options.peer))


if __name__ == "__main__":
    main()
