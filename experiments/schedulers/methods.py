"""Our tuners by the name under which their results are kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.schedulers.lcbench import LCBench
from kerashpo.analysis.anytime import trace
from kerashpo.tuners.simulate import simulate

OURS: dict[str, dict[str, Any]] = {
    "random": {"tuner": "full"},
    "hyperband": {"tuner": "hyperband"},
    "median": {"tuner": "median"},
    "asha": {"tuner": "asha"},
    "asha_sobol": {"tuner": "asha", "algorithm": "sobol"},
    "asha_min2": {"tuner": "asha", "min_epochs": 2},
    "asha_min3": {"tuner": "asha", "min_epochs": 3},
    "asha_min6": {"tuner": "asha", "min_epochs": 6},
    "asha_factor2": {"tuner": "asha", "factor": 2},
    "asha_factor4": {"tuner": "asha", "factor": 4},
    "asha_stopping": {"tuner": "asha_stopping"},
    "bohb": {"tuner": "bohb"},
    "dehb": {"tuner": "dehb"},
    "hyperband_de": {"tuner": "hyperband", "algorithm": "de"},
    "mobster": {"tuner": "mobster"},
    "recommended": {"tuner": "recommended"},
}


def search(
    method: str, problem: LCBench, seed: int, budget: int, workers: int
) -> list[tuple[float, float, float]]:
    """Returns (epochs, seconds, value) of each improvement of one search."""
    results = simulate(problem, seed=seed, budget_epochs=budget, workers=workers, **OURS[method])
    if results.stopped == "interrupted":
        raise KeyboardInterrupt  # a search that was cut off is no result
    epochs, seconds = trace(results.history, "epochs"), trace(results.history, "seconds")
    return list(zip(epochs.x, seconds.x, np.asarray(epochs.y)))
