"""Population-based searches of the noisy quadratic model, ours and a transcription of Ray's.

    python -m experiments.populations.search [--seeds 30] [--first 0] [methods ...]

Writes a row a search to ``results/quadratic.csv`` (resumable) and prints a table with standard
errors: log10 of the lowest final loss of 8 members after 50 epochs.
"""

from __future__ import annotations

import argparse
import csv
import functools
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import kerashpo as kt
from experiments.populations.quadratic import (
    EPOCHS,
    HIGH,
    LOW,
    NoisyQuadratic,
    best_schedule,
    loss,
)
from kerashpo.core.records import Config
from kerashpo.schedulers.pbt import PBT

RESULTS = Path(__file__).parent / "results" / "quadratic.csv"
MEMBERS = 8
_Final = tuple[float, int]
"""The lowest final loss, and how many values were out of bounds."""


def _trained(rates: np.ndarray, seed: int) -> float:
    problem, state, value = NoisyQuadratic(seed), None, math.inf
    for rate in rates:
        state, value, _ = problem.advance(state, {"lr": rate})
    return value


_schedule = functools.cache(best_schedule)


def optimal(seed: int) -> _Final:
    """Eight trainings on the schedule of the lowest expected loss."""
    rates = _schedule()
    jitter = 1.0 + 1e-9 * np.arange(MEMBERS)  # other noise for each
    return min(_trained(rates * factor, seed) for factor in jitter), 0


def constants(seed: int) -> _Final:
    """Eight random constants."""
    found = kt.simulate(
        NoisyQuadratic(seed), tuner="full", max_trials=MEMBERS, seed=seed, max_epochs=EPOCHS
    )
    return _final(found)


def halving(seed: int) -> _Final:
    """Successive halving of constants with as many epochs."""
    found = kt.simulate(
        NoisyQuadratic(seed), tuner="asha", seed=seed, budget_epochs=MEMBERS * EPOCHS
    )
    return _final(found)


def perturb(seed: int, **options: Any) -> _Final:
    """`PBT` with its defaults."""
    return _population(seed, **options)


def bayesian(seed: int, **options: Any) -> _Final:
    """`PBT` with ``explore="bayesian"``."""
    return _population(seed, explore="bayesian", **options)


def ray(seed: int, **options: Any) -> _Final:
    """`PBT` with the explore step of Ray Tune's `PopulationBasedTraining`.

    Transcribed from `ray.tune.schedulers.pbt._explore` (Ray 2): resampled with probability
    0.25, else times 1.2 or 0.8, without regard to the bounds.
    """
    return _population(seed, explored=_ray_explore, **options)


def _ray_explore(config: Config, rng: np.random.Generator) -> Config:
    if rng.random() < 0.25:
        return {"lr": float(np.exp(rng.uniform(np.log(LOW), np.log(HIGH))))}
    return {"lr": float(config["lr"] or 0.0) * float(rng.choice([1.2, 0.8]))}


METHODS: dict[str, Callable[[int], _Final]] = {
    "optimal": optimal,
    "constants": constants,
    "halving": halving,
    "ray_explore": ray,
    "perturb": perturb,
    "ray_explore every 2": functools.partial(ray, interval=2),
    "perturb every 2": functools.partial(perturb, interval=2),
    "bayesian": bayesian,
}


def _population(
    seed: int,
    explored: Callable[[Config, np.random.Generator], Config] | None = None,
    **options: Any,
) -> _Final:
    own = PBT._explored
    if explored is not None:

        def step(self: PBT, algorithm: Any, history: Any, parent: int) -> Config:
            rng = np.random.default_rng([seed, history.next_trial])
            return explored(history.trials[parent].config, rng)

        PBT._explored = step  # type: ignore[method-assign]
    try:
        options = {"population": MEMBERS, **options}
        found = kt.simulate(
            NoisyQuadratic(seed), tuner="pbt", workers=MEMBERS, seed=seed, **options
        )
    finally:
        PBT._explored = own  # type: ignore[method-assign]
    return _final(found)


def _final(found: Any) -> _Final:
    trials = [t for t in found.history.trials.values() if EPOCHS in t.reports.get(0, {})]
    values = [t.reports[0][EPOCHS].metrics["value"] for t in trials]
    outside = sum(not LOW <= t.config["lr"] <= HIGH for t in found.history.trials.values())
    return min(values, default=loss(np.ones(1))), outside


def main() -> None:
    """Runs what is missing, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("methods", nargs="*", default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    rows = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    done = {(row["method"], int(row["seed"])) for row in rows}
    with RESULTS.open("a", newline="") as file:
        out = csv.writer(file)
        if not rows:
            out.writerow(["method", "seed", "log10_loss", "outside", "cpu_seconds"])
        for method in asked.methods:
            for seed in range(asked.first, asked.first + asked.seeds):
                if (method, seed) not in done:
                    began = time.process_time()
                    value, outside = METHODS[method](seed)
                    spent = time.process_time() - began
                    line = [method, seed, f"{math.log10(value):.4f}", outside, f"{spent:.3f}"]
                    out.writerow(line)
                    file.flush()
    show()


def show() -> None:
    """Prints mean and standard error of each method."""
    rows = list(csv.DictReader(RESULTS.open()))
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        values = np.array([float(row["log10_loss"]) for row in mine])
        error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
        outside = sum(int(row["outside"]) for row in mine)
        cpu = np.median([float(row["cpu_seconds"]) for row in mine])
        print(
            f"{method:20} {len(mine):3} seeds  {values.mean():.3f} ± {error:.3f}  "
            f"{outside} values out of bounds, {cpu:.2f} CPU s a search"
        )


if __name__ == "__main__":
    main()
