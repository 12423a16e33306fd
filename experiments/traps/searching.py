"""Traps of proposing: what the oracles of both sides do, driven without training."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from experiments.traps.small import drive, objective, oracles, space


def repeats(side: str, folder: str) -> str:
    """Bayesian optimisation: repeats in 30 trials on 6 configurations."""
    hp = space(a=[1, 2, 3], b=[True, False])
    oracle = oracles(side).BayesianOptimizationOracle(
        objective(), 30, hyperparameters=hp, seed=1, max_consecutive_failed_trials=99
    )
    proposed = [
        tuple(sorted(trial.hyperparameters.values.items()))
        for trial in drive(oracle, folder, lambda v: v["a"] + 0.5 * v["b"])
    ]
    return f"{len(proposed)} trials, {len(proposed) - len(set(proposed))} repeats"


def infinity(side: str, folder: str) -> str:
    """Bayesian optimisation: how often it goes back to where the loss is infinite."""
    oracle = oracles(side).BayesianOptimizationOracle(
        objective("min"),
        30,
        8,
        hyperparameters=space(x=(-1.0, 1.0)),
        seed=1,
        max_consecutive_failed_trials=99,
    )

    def loss(values: Any) -> float:
        return float("inf") if values["x"] < 0 else 1 + (values["x"] - 0.5) ** 2

    proposed = [trial.hyperparameters.values["x"] for trial in drive(oracle, folder, loss)]
    below = sum(x < 0 for x in proposed[8:])
    return f"{below} of {len(proposed[8:])} modelled trials where loss = inf"


def suggestion_cost(side: str, folder: str) -> str:
    """Bayesian optimisation: CPU seconds a suggestion, 8 floats, trials 30 to 40."""
    hp = space(**{f"x{i}": (0.0, 1.0) for i in range(8)})
    oracle = oracles(side).BayesianOptimizationOracle(objective(), 40, hyperparameters=hp, seed=1)
    marks = []
    for _ in drive(oracle, folder, lambda v: sum((x - 0.3) ** 2 for x in v.values())):
        marks.append(time.process_time())
    return f"{np.mean(np.diff(marks[29:])):.2f} s"


def enumeration(side: str, folder: str) -> str:
    """RandomSearch on 18 configurations: in how many of 20 seeds all are found."""
    whole = 0
    for seed in range(1, 21):
        hp = space(a=[1, 2, 3], b=[1, 2, 3], c=[1, 2])
        oracle = oracles(side).RandomSearchOracle(objective(), 50, seed, hyperparameters=hp)
        proposed = list(drive(oracle, f"{folder}/{seed}", lambda v: 1.0))
        whole += len({tuple(sorted(t.hyperparameters.values.items())) for t in proposed}) == 18
    return f"{whole} of 20 seeds"


def grid_resume(side: str, folder: str) -> str:
    """GridSearch on 6 configurations, stopped after 1 to 5 and resumed: found in all."""
    found = []
    for cut in range(1, 6):
        place, hp = f"{folder}/{cut}", space(a=[1, 2, 3], b=[True, False])
        cls = oracles(side).GridSearchOracle
        list(drive(cls(objective(), hyperparameters=hp), place, lambda v: 1.0, cut))
        again = cls(objective(), hyperparameters=space(a=[1, 2, 3], b=[True, False]))
        again._set_project_dir(place, "oracle")
        try:
            again.reload()
            list(drive(again, place, lambda v: 1.0))
            values = {str(t.hyperparameters.values) for t in again.trials.values()}
            found.append(str(len(values)))
        except Exception as error:
            found.append(type(error).__name__)
    return ", ".join(found) + " of 6"


def padding(side: str, folder: str) -> str:
    """`get_best_trials(5)` where 3 of 5 trials failed."""
    scores = iter([0.1, float("nan"), 0.3, float("nan"), float("nan")])
    oracle = oracles(side).RandomSearchOracle(
        objective(), 5, hyperparameters=space(x=(0.0, 1.0)), seed=1
    )
    list(drive(oracle, folder, lambda v: next(scores)))
    best = oracle.get_best_trials(5)
    return f"{len(best)} trials, {sum(t.status == 'FAILED' for t in best)} of them failed"


def hung_workers(side: str, folder: str) -> str:
    """A second worker after the first one's call raised."""
    oracle = oracles(side).RandomSearchOracle(
        objective(), 5, hyperparameters=space(x=(0.0, 1.0)), seed=1
    )
    oracle._set_project_dir(folder, "oracle")
    oracle.verbose = 0
    trial = oracle.create_trial("a")
    with contextlib.suppress(ValueError):
        oracle.update_trial(trial.trial_id, {"typo": 1.0})
    other = threading.Thread(target=oracle.create_trial, args=("b",), daemon=True)
    other.start()
    other.join(10)
    return "hangs (10 s, then given up)" if other.is_alive() else "goes on"


def rungs_after_failures(side: str, folder: str) -> str:
    """Hyperband 9/3, first bracket: one of its nine trials fails."""
    oracle = oracles(side).HyperbandOracle(
        objective(), 9, 3, hyperparameters=space(x=(0.0, 1.0)), seed=1
    )
    proposed, bad = [], iter([False] * 4 + [True])
    for trial in drive(
        oracle, folder, lambda v: float("nan") if next(bad, False) else v["x"], most=13
    ):
        proposed.append(trial.hyperparameters.values)
    upper = [v["tuner/epochs"] for v in proposed[9:] if "tuner/trial_id" in v]
    return f"after the nine: {upper.count(3)} trials at 3 epochs, {upper.count(9)} at 9"


def hyperband_epochs(side: str, folder: str) -> str:
    """Epochs of Hyperband 50/3."""
    oracle = oracles(side).HyperbandOracle(
        objective(), 50, 3, hyperparameters=space(x=(0.0, 1.0)), seed=1
    )
    proposed = [t.hyperparameters.values for t in drive(oracle, folder, lambda v: v["x"])]
    return f"{sum(v['tuner/epochs'] - v['tuner/initial_epoch'] for v in proposed)} epochs"


def killed_while_writing(side: str, folder: str) -> str:
    """The process dies in its fifth trial, halfway through a write; then it is opened again."""
    if side == "theirs":
        hp = space(x=(0.0, 1.0))
        cls = oracles(side).RandomSearchOracle
        list(drive(cls(objective(), 5, 1, hyperparameters=hp), folder, lambda v: v["x"]))
        # Its files are rewritten in place: this is what such a death leaves.
        path = Path(folder) / "oracle" / "oracle.json"
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        again = cls(objective(), 5, 1, hyperparameters=hp)
        again._set_project_dir(folder, "oracle")
        try:
            again.reload()
        except Exception as error:
            return f"{type(error).__name__}, no trial left"
        return f"{len(again.trials)} of 4 trials left"
    subprocess.run([sys.executable, "-c", _DYING, folder], check=False)
    (log,) = Path(folder).rglob("*-wal")
    log.write_bytes(log.read_bytes()[:-2000])
    import kerashpo as kt

    scores = kt.open_study(folder).results.trials()["score"]
    return f"{scores.notna().sum()} of 4 trials left"


_DYING = """
import os, sys
import kerashpo as kt
done = []
def value(config):
    done.append(config)
    if len(done) == 5:
        os._exit(9)
    return config["x"]
kt.optimize(value, {"x": kt.space.uniform(0, 1)}, seed=1, directory=sys.argv[1])
"""


def bytes_written(side: str, folder: str) -> str:
    """Bytes written a trial, 25 and 500 trials, three parameters."""
    proposed = []
    for trials in (25, 500):
        place, before = f"{folder}/{trials}", _written()
        if side == "theirs":
            hp = space(x=(0.0, 1.0), y=(0.0, 1.0), kind=["a", "b", "c"])
            oracle = oracles(side).RandomSearchOracle(objective(), trials, 1, hyperparameters=hp)
            list(drive(oracle, place, lambda v: v["x"]))
        else:
            import kerashpo as kt

            axes = {name: kt.space.uniform(0, 1) for name in "xy"}
            axes["kind"] = kt.space.choice(["a", "b", "c"])
            kt.optimize(
                lambda c: c["x"],
                axes,
                algorithm="random",
                max_trials=trials,
                seed=1,
                directory=place,
            )
        proposed.append(f"{(_written() - before) / trials / 1000:.1f}")
    return " and ".join(proposed) + " kB a trial"


def _written() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


def directions(side: str, folder: str) -> str:
    """Directions of four metrics."""
    proposed = []
    for name in ("f1_score", "r2_score", "cosine_similarity", "mean_io_u"):
        try:
            oracle = oracles(side).RandomSearchOracle(f"val_{name}", 1)
            proposed.append(oracle.objective.direction)
        except Exception as error:
            proposed.append(type(error).__name__)
    return ", ".join(proposed)


def seed_zero(side: str, folder: str) -> str:
    """Two oracles with `seed=0`."""
    made = [
        [t.hyperparameters.values["x"] for t in drive(oracle, f"{folder}/{i}", lambda v: 1.0)]
        for i in range(2)
        for oracle in [
            oracles(side).RandomSearchOracle(objective(), 3, 0, hyperparameters=space(x=(0.0, 1.0)))
        ]
    ]
    return "equal trials" if made[0] == made[1] else "different trials"


def definitions(side: str, folder: str) -> str:
    """Four invalid definitions."""
    if side == "theirs":
        from keras_tuner import HyperParameters
    else:
        from kerashpo import HyperParameters

    def twice(hp: Any) -> Any:
        hp.Int("i", 1, 5)
        return hp.Choice("i", ["a", "b"])

    tries = {
        "Int then Choice": twice,
        'default="x"': lambda hp: hp.Int("i", 1, 5, default="x"),
        "default=99": lambda hp: hp.Int("i", 1, 5, default=99),
        "step=0": lambda hp: hp.Int("i", 1, 5, step=0),
    }
    proposed = []
    for name, declare in tries.items():
        try:
            proposed.append(f"{name}: returns {json.dumps(declare(HyperParameters()))}")
        except Exception as error:
            proposed.append(f"{name}: {type(error).__name__}")
    return "; ".join(proposed)
