"""Population-based searches that are killed and started again, against the unbroken search.

    python -m experiments.populations.kills

Needs Linux. Rows of results/kills.csv are kept; a kill is a SIGKILL to the search's own process or
to one of its workers, when its log has grown to a random length.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results" / "kills.csv"
CASES = {
    "one program (JAX)": ("jax", {"together": True}, 8, "search"),
    "one by one (TensorFlow)": ("tensorflow", {}, 5, "search"),
    "two workers (TensorFlow), search": (
        "tensorflow",
        {"workers": 2, "deterministic": True},
        3,
        "search",
    ),
    "two workers (TensorFlow), worker": (
        "tensorflow",
        {"workers": 2, "deterministic": True},
        4,
        "worker",
    ),
}
"""By name: the backend, arguments of `kt.PBT`, how many kills, and who is killed."""


def search(folder: Path, options: dict[str, Any]) -> Any:
    """Runs or resumes the search: 4 members, 24 epochs, compared every 3."""
    import keras
    import numpy as np

    import kerashpo as kt

    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 8)).astype("float32")
    y = (x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=512) > 0).astype("float32")

    def build(hp: Any) -> keras.Model:
        drop = keras.layers.Dropout(hp.Float("drop", 0.0, 0.5))
        layers = [keras.Input((8,)), keras.layers.Dense(16, "relu"), drop]
        model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
        adam = keras.optimizers.Adam(hp.Float("rate", 1e-4, 1e-1, sampling="log"))
        model.compile(adam, "binary_crossentropy", metrics=["accuracy"])
        return model

    tuner = kt.PBT(
        build,
        "val_loss",
        population=4,
        interval=3,
        max_epochs=24,
        seed=0,
        directory=folder,
        project_name="study",
        checkpoint_every=0.05,
        **options,
    )
    tuner.search(x[:400], y[:400], validation_data=(x[400:], y[400:]), verbose=0)
    return tuner


def main() -> None:
    """Runs the cases that are missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        search(Path(given.run[0]), CASES[given.run[1]][1])
        return
    known = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    for case in CASES:
        if any(row["case"] == case for row in known):
            continue
        row = _case(case)
        known.append(row)
        with RESULTS.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
    for row in known:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


def _case(case: str) -> dict[str, Any]:
    """Runs a case undisturbed and with kills; returns its row."""
    kills, victim = CASES[case][2:]
    rng = random.Random(case)
    with tempfile.TemporaryDirectory() as place:
        whole, broken = Path(place, "whole"), Path(place, "broken")
        _start(whole, case).wait()
        lines = len(_log(whole))
        done, phases = 0, []
        child = _start(broken, case)
        for number in range(kills):
            # Spread over the whole search, so that each is killed somewhere else.
            at = int(lines * (number + rng.random()) / (kills + 1))
            if not _until(broken, at + len(phases) * 8, child):
                break
            phases.append(_kill(child, victim))
            done += 1
            if child.poll() is not None or victim == "search":
                child.wait()
                child = _start(broken, case)
        child.wait()
        same = _outcomes(whole) == _outcomes(broken)
        epochs = [sum(len(curve) for *_, curve in _outcomes(f).values()) for f in (whole, broken)]
    return {
        "case": case,
        "kills": done,
        "epochs": epochs[0],
        "epochs after kills": epochs[1],
        "identical": same,
    }


def _start(folder: Path, case: str) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "KERAS_BACKEND": CASES[case][0], "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", __spec__.name, "--run", str(folder), case]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def _log(folder: Path) -> list[bytes]:
    path = folder / "study" / "study.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


def _until(folder: Path, lines: int, child: subprocess.Popen[bytes]) -> bool:
    """Waits until the log has that many lines and grows; False if the search has ended."""
    before = len(_log(folder))
    while child.poll() is None:
        now = len(_log(folder))
        if now >= lines and now > before:
            return True
        time.sleep(0.01)
    return False


def _kill(child: subprocess.Popen[bytes], victim: str) -> int:
    if victim == "search":
        child.send_signal(signal.SIGKILL)
        return child.pid
    workers = [one for one in psutil.Process(child.pid).children() if one.num_threads() > 1]
    chosen = workers[0] if workers else psutil.Process(child.pid)
    chosen.kill()
    return int(chosen.pid)


def _outcomes(folder: Path) -> dict[int, Any]:
    """Returns by trial its values, origin, status, and every metric of every epoch."""
    from kerashpo.study.study import open_study

    found = {}
    for number, trial in open_study(folder / "study").results.history.trials.items():
        curve = {e: dict(r.metrics) for e, r in trial.reports.get(0, {}).items()}
        found[number] = (dict(trial.config), trial.origin, trial.status, curve)
    return found


if __name__ == "__main__":
    main()
