"""CPU milliseconds of ask and tell by the number of observations, nine mixed dimensions.

    python -m experiments.suggestions.cost --methods kerashpo optuna_tpe optuna_gp

Histories are random configurations with the value of an analytic function; each figure is
the median of a few suggestions. Appends to ``results/cost.csv``.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.suggestions.methods import Ours, make_method
from experiments.suggestions.peers import Optuna, Peer
from experiments.suggestions.run import RESULTS
from kerashpo.space import Space, boolean, choice, integer, loguniform, uniform

SPACE = Space(
    {
        "learning_rate": loguniform(1e-5, 1e-1),
        "weight_decay": loguniform(1e-6, 1e-2),
        "momentum": uniform(0.5, 0.99),
        "dropout": uniform(0.0, 0.6),
        "layers": integer(1, 5),
        "units": integer(16, 512, log=True),
        "batch": integer(1, 5),
        "activation": choice(["relu", "tanh", "elu", "gelu"]),
        "batch_norm": boolean(),
    }
)
SIZES = (25, 100, 300, 1000, 5000)


def value(config: Mapping[str, Any]) -> float:
    """A smooth function with interactions, higher is better."""
    rate = math.log10(config["learning_rate"])
    return (
        -((rate + 3.0) ** 2)
        - 0.5 * (config["layers"] - 3) ** 2 * (1.0 + config["dropout"])
        + {"relu": 0.2, "tanh": 0.0, "elu": 0.3, "gelu": 0.4}[config["activation"]]
        + 0.3 * config["batch_norm"] * math.sin(3.0 * rate)
        - abs(math.log2(config["units"]) - 7.0) * 0.2
    )


def filled(method: str, size: int) -> Peer:
    """Returns a search with `size` random configurations observed."""
    rng = np.random.default_rng(0)
    peer = make_method(method, SPACE, 0)
    for _ in range(size):
        config = SPACE.sample(rng)
        if isinstance(peer, (Ours, Optuna)):
            peer.add(config, value(config))
        else:
            peer.ask()
            peer.tell(config, value(config))
    return peer


def milliseconds(peer: Peer, repeats: int) -> float:
    """Returns the median CPU time of a suggestion, the first (which warms up) left out."""
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        config = peer.ask()
        middle = time.process_time()
        reached = value(config)
        resumed = time.process_time()
        peer.tell(config, reached)
        times.append(middle - start + time.process_time() - resumed)
    return 1000.0 * statistics.median(times[1:])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", default=["kerashpo"])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    path = RESULTS / "cost.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(["method", "observations", "cpu_ms"])
        for method in options.methods:
            for size in options.sizes:
                cost = milliseconds(filled(method, size), options.repeats)
                writer.writerow([method, size, f"{cost:.1f}"])
                file.flush()


if __name__ == "__main__":
    main()
