"""Many dimensions: analytic functions, some of which depend on few of them.

    python -m experiments.suggestions.wide --methods kerashpo random optuna_tpe --seeds 0-4

Each finished search appends its rows to ``results/wide/<method>.csv``: function, seed,
trial, best value so far (less is better; the optimum is 0). Resumable.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.suggestions.methods import make_method
from experiments.suggestions.run import RESULTS, append, finished, seeds_of
from experiments.suggestions.scores import student
from kerashpo.space import Space, uniform

Vector: TypeAlias = "NDArray[np.float64]"
FOLDER = RESULTS / "wide"
TRIALS = 80
OURS = "kerashpo"

_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
_HARTMANN_OPTIMUM = -3.32236801


def hartmann(x: Vector) -> float:
    """Hartmann's function of the first six coordinates: the others do not matter."""
    inner = (_A * (x[:6] - _P) ** 2).sum(1)
    return float(-np.array([1.0, 1.2, 3.0, 3.2]) @ np.exp(-inner)) - _HARTMANN_OPTIMUM


def ackley(x: Vector) -> float:
    """Ackley's function on [-10, 20]^d: the optimum is at a third, not in the centre."""
    z = 30.0 * x - 10.0
    root, waves = math.sqrt((z * z).mean()), float(np.cos(2.0 * math.pi * z).mean())
    return -20.0 * math.exp(-0.2 * root) - math.exp(waves) + 20.0 + math.e


def levy(x: Vector) -> float:
    """Levy's function on [-7, 13]^d."""
    w = 1.0 + (20.0 * x - 8.0) / 4.0
    middle = (w[:-1] - 1.0) ** 2 * (1.0 + 10.0 * np.sin(math.pi * w[:-1] + 1.0) ** 2)
    last = (w[-1] - 1.0) ** 2 * (1.0 + math.sin(2.0 * math.pi * w[-1]) ** 2)
    return math.sin(math.pi * w[0]) ** 2 + float(middle.sum()) + float(last)


def quadratic(x: Vector) -> float:
    """A bowl of five coordinates of unequal weight: the others do not matter."""
    gap = x[:5] - np.array([0.2, 0.7, 0.35, 0.9, 0.55])
    return float((gap * gap) @ np.array([1.0, 2.0, 4.0, 0.5, 1.0]))


FUNCTIONS: dict[str, tuple[Callable[[Vector], float], int]] = {
    "hartmann6_in_20": (hartmann, 20),
    "hartmann6_in_50": (hartmann, 50),
    "quadratic5_in_30": (quadratic, 30),
    "ackley_20": (ackley, 20),
    "levy_30": (levy, 30),
}


def search(name: str, method: str, seed: int, trials: int) -> list[float]:
    """Returns the best value after each trial."""
    function, d = FUNCTIONS[name]
    names = [f"x{j:02d}" for j in range(d)]
    peer = make_method(method, Space({n: uniform(0.0, 1.0) for n in names}), seed)
    best, out = math.inf, []
    for _ in range(trials):
        config = peer.ask()
        value = function(_vector(config, names))
        peer.tell(config, -value)
        best = min(best, value)
        out.append(best)
    return out


def _vector(config: Mapping[str, Any], names: list[str]) -> Vector:
    return np.array([config[name] for name in names])


def table(methods: list[str], trials: int) -> str:
    """Returns the mean log10 of the best value by function, and the difference from ours."""
    found = {m: _last(m, trials) for m in methods}
    lines = ["| function | " + " | ".join(methods) + " |", "|---" * (1 + len(methods)) + "|"]
    for name in FUNCTIONS:
        cells = [f"{found[m].loc[name].mean():.2f}" for m in methods]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    gaps = [student((found[m] - found[OURS]).dropna().groupby("seed").mean()) for m in methods]
    cells = [f"{gap:+.2f} ± {half:.2f} ({n})" for gap, half, n in gaps]
    lines.append("| minus ours (seeds) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _last(method: str, trials: int) -> pd.Series:
    frame = pd.read_csv(FOLDER / f"{method}.csv")
    rows = frame[frame["trial"] == trials - 1].set_index(["task", "seed"])
    return np.log10(rows["best"].clip(lower=1e-6))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", default=[OURS])
    parser.add_argument("--seeds", default="0-4")
    parser.add_argument("--trials", type=int, default=TRIALS)
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed in seeds_of(options.seeds):
        for method in options.methods:
            path = FOLDER / f"{method}.csv"
            done = finished(path)
            for name in FUNCTIONS:
                if (name, seed) not in done:
                    bests = search(name, method, seed, options.trials)
                    rows = [[name, seed, i, f"{best:.7g}"] for i, best in enumerate(bests)]
                    append(path, ["task", "seed", "trial", "best"], rows)
    print(table(options.methods, options.trials))


if __name__ == "__main__":
    main()
