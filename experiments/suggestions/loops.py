"""Peers that run their own loop: they call a function of a box and never return.

The box is [-5, 5] to the power of d, as in BBOB: pyswarms draws its first velocities from
[0, 1] whatever the bounds are, so that a unit cube would be crossed at one step.
"""

from __future__ import annotations

import contextlib
import math
import queue
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from experiments.suggestions.peers import Peer
from kerashpo.space import Space
from kerashpo.space.cube import Cube

Vector: TypeAlias = "NDArray[np.float64]"
Evaluate: TypeAlias = "Callable[[Vector], float]"
"""The value of a point of the box, to be minimised; raises once the budget is spent."""

HALF = 5.0
ENDLESS = 10**6


class Spent(Exception):
    """The evaluations of a search are used up."""


def scipy_de(evaluate: Evaluate, dim: int, seed: int) -> None:
    """scipy's differential evolution, `best1bin`, with 4 members a dimension (at least 8)."""
    from scipy.optimize import differential_evolution

    bounds = [(-HALF, HALF)] * dim
    differential_evolution(
        evaluate, bounds, popsize=max(4, math.ceil(8 / dim)), rng=seed, polish=False, tol=0.0
    )


def dehb_de(evaluate: Evaluate, dim: int, seed: int, members: int = 20) -> None:
    """dehb's differential evolution: what that package runs where there is one fidelity.

    `rand1_bin`, 20 members, and the factor and rate of its DEHB (DE has no defaults for them).
    """
    from dehb import DE

    def fitness(x: Vector) -> dict[str, float]:
        return {"fitness": evaluate(HALF * (2.0 * np.asarray(x) - 1.0)), "cost": 1.0}

    search = DE(
        f=fitness,
        dimensions=dim,
        pop_size=members,
        mutation_factor=0.5,
        crossover_prob=0.5,
        seed=seed,
        output_path=tempfile.gettempdir(),  # nothing is written there
    )
    search.run(generations=ENDLESS)


def dehb_de_10(evaluate: Evaluate, dim: int, seed: int) -> None:
    """The same with 10 members, which suits few evaluations better."""
    dehb_de(evaluate, dim, seed, members=10)


def pyswarms(
    evaluate: Evaluate,
    dim: int,
    seed: int,
    inertia: float = 0.9,
    pulls: tuple[float, float] = (0.5, 0.3),
) -> None:
    """pyswarms' global-best swarm with its documentation's options and 10 particles."""
    import logging

    logging.disable(logging.CRITICAL)
    np.random.seed(seed)  # noqa: NPY002  # it takes no generator
    bounds = (np.full(dim, -HALF), np.full(dim, HALF))
    options = {"c1": pulls[0], "c2": pulls[1], "w": inertia}
    with contextlib.chdir(tempfile.gettempdir()):  # it opens a report.log where it is
        from pyswarms.single import GlobalBestPSO

        swarm = GlobalBestPSO(10, dim, options, bounds=bounds)
    swarm.optimize(lambda rows: np.array([evaluate(row) for row in rows]), ENDLESS, verbose=False)


def pyswarms_clerc(evaluate: Evaluate, dim: int, seed: int) -> None:
    """The same with the coefficients of Clerc and Kennedy, which ours has too."""
    pyswarms(evaluate, dim, seed, 0.729, (1.494, 1.494))


def cmaes(evaluate: Evaluate, dim: int, seed: int) -> None:
    """The library `cmaes`: its CMA from the centre with a sigma of a fifth of the range."""
    from cmaes import CMA

    bounds = np.tile([-HALF, HALF], (dim, 1))
    optimizer = CMA(np.zeros(dim), 0.2 * 2.0 * HALF, bounds=bounds, seed=seed)
    while True:
        points = [optimizer.ask() for _ in range(optimizer.population_size)]
        optimizer.tell([(point, evaluate(point)) for point in points])


LOOPS: dict[str, Callable[[Evaluate, int, int], None]] = {
    "scipy_de": scipy_de,
    "dehb_de": dehb_de,
    "dehb_de_10": dehb_de_10,
    "pyswarms": pyswarms,
    "pyswarms_clerc": pyswarms_clerc,
    "cmaes_peer": cmaes,
}


@final
class Looped(Peer):
    """A loop behind ask and tell: it runs in a thread that waits for each value.

    Its box is the unit cube of the space, discrete values as cells of equal width.
    """

    def __init__(self, space: Space, seed: int, loop: Callable[[Evaluate, int, int], None]) -> None:
        self._cube = Cube(space)
        self._points: queue.Queue[Vector] = queue.Queue()
        self._costs: queue.Queue[float] = queue.Queue()
        arguments = (self._evaluate, self._cube.dim, seed)
        threading.Thread(target=loop, args=arguments, daemon=True).start()

    def _evaluate(self, x: Vector) -> float:
        self._points.put(np.array(x, dtype=float))
        return self._costs.get()

    def ask(self) -> dict[str, Any]:
        point = self._points.get(timeout=60.0)
        row = np.clip(0.5 + point / (2.0 * HALF), 0.0, 1.0)
        return dict(self._cube.decode(self._cube.snap(row[None])[0]))

    def tell(self, config: Mapping[str, Any], value: float) -> None:
        self._costs.put(-value)
