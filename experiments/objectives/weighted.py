"""A tuner from outside for the comparison: Bayesian optimisation of a weighted sum of objectives.

    python -m kerashpo.compare --problem digits_cost --tuners bayesian \\
        experiments/objectives/weighted.py:weighted --max-epochs 8 --max-trials 20

The weights are what a user would write without knowing the front: a point of accuracy is worth
as much as a tenth of the untuned network's parameters, or of its latency.
"""

from __future__ import annotations

from typing import Any

import kerashpo as kt

UNTUNED_SIZE = 17_258
"""Parameters of the untuned network."""
UNTUNED_LATENCY = 0.0003
"""About its latency in seconds, on the machine of the measurement."""
WEIGHTS = {"val_accuracy": 1.0, "size": 0.1 / UNTUNED_SIZE, "latency": 0.1 / UNTUNED_LATENCY}


def weighted(build_model: Any, budget: Any, **common: Any) -> kt.BayesianOptimization:
    """Returns the tuner."""
    return kt.BayesianOptimization(build_model, max_trials=budget.trials, weights=WEIGHTS, **common)
