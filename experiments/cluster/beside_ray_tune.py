"""ASHA on Ray, ours beside Ray Tune's, on the same curves: seconds and CPU seconds.

    pip install "kerashpo[ray]" "ray[tune]"
    python -m experiments.cluster.beside_ray_tune --repeats 3

Epochs are computed by a formula, so that all time is the libraries'. Both sides have two CPUs, a
checkpoint after every epoch, and at most nine epochs a trial with a factor of three. Each search
runs in a process and on a cluster of its own; the sides alternate. Time counts from the first
call of the search to its end, with Ray started; CPU seconds are those of all processes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.cluster.costs import account, connect, cpu

SIDES = ("kerashpo", "tune", "tune reuse_actors")
EPOCHS, FACTOR = 9, 3


def ours(trials: int, folder: Path) -> int:
    """Searches with our ASHA; returns the epochs trained."""
    from experiments.cluster.search import run
    from kerashpo.core.history import History
    from kerashpo.schedulers.asha import ASHA
    from kerashpo.store.open import read_events

    run(folder / "study", "auto", 0.0, ASHA(EPOCHS, factor=FACTOR), trials)
    return History(read_events(folder / "study")).epochs


def tune(trials: int, folder: Path, reuse: bool) -> int:
    """Searches with Ray Tune's ASHA; returns the epochs trained."""
    from ray import tune as library
    from ray.tune.schedulers import ASHAScheduler

    class Curve(library.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, Any]) -> None:
            self.x = config["x"]

        def step(self) -> dict[str, float]:
            from kerashpo.testing.curve_runner import wave

            return {"value": wave({"x": self.x}, self.iteration + 1)}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            Path(checkpoint_dir, "epoch").write_text(str(self.iteration))

        def load_checkpoint(self, checkpoint_dir: str) -> None:
            Path(checkpoint_dir, "epoch").read_text()

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.x = new_config["x"]
            return True

    tuner = library.Tuner(
        library.with_resources(Curve, {"cpu": 1}),
        param_space={"x": library.uniform(0.0, 1.0)},
        tune_config=library.TuneConfig(
            metric="value",
            mode="min",
            num_samples=trials,
            reuse_actors=reuse,
            max_concurrent_trials=2,
            scheduler=ASHAScheduler(max_t=EPOCHS, grace_period=1, reduction_factor=FACTOR),
        ),
        run_config=library.RunConfig(
            storage_path=str(folder),
            verbose=0,
            checkpoint_config=library.CheckpointConfig(num_to_keep=1, checkpoint_frequency=1),
        ),
    )
    found = tuner.fit()
    return sum(int(one.metrics["training_iteration"]) for one in found)


def one(side: str, trials: int) -> None:
    """Runs one search and prints its row."""
    import ray

    account()
    connect(ray, 2)
    with tempfile.TemporaryDirectory() as place:
        before, began = cpu(), time.perf_counter()
        folder = Path(place)
        if side == "kerashpo":
            epochs = ours(trials, folder)
        else:
            epochs = tune(trials, folder, reuse=side.endswith("actors"))
        row = {
            "side": side,
            "trials": trials,
            "epochs": epochs,
            "seconds": round(time.perf_counter() - began, 2),
            "cpu": round(cpu() - before, 2),
        }
        ray.shutdown()
    print(json.dumps(row), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--one", choices=SIDES)
    parser.add_argument("--sides", choices=SIDES, nargs="+", default=SIDES)
    given = parser.parse_args()
    if given.one:
        one(given.one, given.trials)
        return
    rows = []
    for _ in range(given.repeats):
        for side in given.sides:
            command = [sys.executable, "-m", "experiments.cluster.beside_ray_tune"]
            done = subprocess.run(
                [*command, "--one", side, "--trials", str(given.trials)],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1"},
            )
            if done.returncode:
                raise SystemExit(done.stderr[-3000:])
            rows.append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(rows[-1], flush=True)
    for clock in ("seconds", "cpu"):
        means = {
            side: statistics.median(row[clock] for row in rows if row["side"] == side)
            for side in given.sides
        }
        ratios = ", ".join(f"{s} {m / means['kerashpo']:.1f}" for s, m in means.items())
        print(f"{clock}: kerashpo {means['kerashpo']:.1f}; times ours: {ratios}")


if __name__ == "__main__":
    main()
