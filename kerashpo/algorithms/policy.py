"""A search policy learned by reinforcement learning on recorded trainings.

The policy scores candidates by what is known around them, in the way of a learned acquisition
function (Volpp et al., "Meta-Learning Acquisition Functions for Transfer Learning in Bayesian
Optimization", ICLR 2020), with kernel averages of the ranks of costs in place of a Gaussian
process. Its weights were trained by REINFORCE (Williams, Machine Learning 8, 1992) in
``experiments/policy``, whose README has the table of where it helps and where it does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.evaluations import EvaluationReader, Evaluations, first_new, initial_row
from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import Space

FEATURES = 8
_UNIFORM, _LOCAL, _LEADERS = 128, 64, 5
_STEPS = (0.3, 0.1, 0.03)
_WIDE, _NARROW, _PRIOR = 0.25, 0.1, 0.1
_TRIALS = 100.0


@final
class SearchPolicy(Algorithm):
    """A learned policy: proposes the candidate that a trained network prefers.

    Candidates are uniform draws and steps away from the best trials. The network sees only ranks
    of costs and distances in the unit cube, so that it works for any space and unit.

    Args:
        space: the search space.
        seed: the study's seed.
        num_initial_points: trials with a cost before the network proposes.
        weights: the JSON file of another network, as ``experiments/policy/train.py`` writes it;
            None for the one in the package.

    Raises:
        InvalidInput: for a number out of range, or a file without such a network.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        num_initial_points: int = 4,
        weights: str | None = None,
    ) -> None:
        super().__init__(space, seed)
        self._initial = require_integer("num_initial_points", num_initial_points, 1)
        self._network = Network.load(weights)
        self._cube = Cube(space)
        self._reader = EvaluationReader(self._cube)

    def ask(self, trial: int, history: History) -> Config | Exhausted:
        seen = self._reader.read(history)
        rng = stream(self.seed, "policy", trial)
        if seen.finite.sum() < self._initial:
            start = initial_row(self._cube, trial, self.seed)
            return first_new(self._cube, seen, rng, lambda: start)
        return first_new(self._cube, seen, rng, lambda: self._preferred(seen, rng))

    def _preferred(self, seen: Evaluations, rng: np.random.Generator) -> Matrix:
        """Returns the new candidate (d,) with the highest score."""
        offered = draw_candidates(self._cube, seen.rows[seen.order], rng)
        taken = np.array([self._cube.key(row) in seen.taken for row in offered], dtype=bool)
        rows = np.vstack([seen.rows, seen.pending])
        costs = np.append(seen.costs, np.full(len(seen.pending), np.nan))
        scores = self._network.scores(features(self._cube, offered, rows, costs))
        chosen: Matrix = offered[int(np.argmax(np.where(taken, -np.inf, scores)))]
        return chosen


@final
@dataclass(frozen=True, slots=True)
class Network:
    """A small network from features to a score: tanh layers, the last one linear.

    Attributes:
        layers: pairs of weights (inputs, outputs) and biases (outputs,).
    """

    layers: tuple[tuple[Matrix, Matrix], ...]

    @classmethod
    def load(cls, path: str | None = None) -> Network:
        """Reads a network from a JSON file, by default the one in the package.

        Raises:
            InvalidInput: if the file is missing or holds no such network.
        """
        try:
            text = (
                files("kerashpo.algorithms").joinpath("policy_weights.json").read_text("utf-8")
                if path is None
                else Path(path).read_text("utf-8")
            )
            layers = [(np.array(one["weights"]), np.array(one["bias"])) for one in _layers(text)]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"weights must be the path of a JSON file of experiments/policy/train.py. "
                f"Received: {path!r} ({error})."
            ) from error
        sizes = [2 * FEATURES, *(weights.shape[-1] for weights, _ in layers)]
        shapes = [((a, b), (b,)) for a, b in zip(sizes, sizes[1:])]
        if sizes[-1] != 1 or shapes != [(w.shape, b.shape) for w, b in layers]:
            raise InvalidInput(
                f"weights: the network must take {2 * FEATURES} features and return one score. "
                f"Received layers of shapes {[weights.shape for weights, _ in layers]}."
            )
        return cls(tuple(layers))

    def scores(self, inputs: Matrix) -> Matrix:
        """Returns the scores (m,) of candidates with the given features (m, 16)."""
        found = inputs
        for weights, bias in self.layers[:-1]:
            found = np.tanh(found @ weights + bias)
        weights, bias = self.layers[-1]
        last: Matrix = (found @ weights + bias)[:, 0]
        return last


def _layers(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["layers"]
    return found


def draw_candidates(cube: Cube, ranked: Matrix, rng: np.random.Generator) -> Matrix:
    """Returns rows (192, d) of the space: uniform draws, and steps away from the best trials.

    Args:
        cube: the numeric view of the space.
        ranked: (n, d), the evaluated rows from best to worst.
        rng: the stream of the draws.
    """
    uniform = rng.random((_UNIFORM, cube.dim))
    leaders = ranked[rng.integers(min(_LEADERS, len(ranked)), size=_LOCAL)]
    steps = rng.choice(_STEPS, size=(_LOCAL, 1)) * rng.standard_normal((_LOCAL, cube.dim))
    moved = rng.random((_LOCAL, cube.dim)) < 0.5
    redrawn = rng.random((_LOCAL, cube.dim))
    stepped = np.where(cube.categorical, redrawn, np.clip(leaders + steps, 0.0, 1.0))
    return cube.snap(np.vstack([uniform, np.where(moved, stepped, leaders)]), rng)


def features(cube: Cube, candidates: Matrix, rows: Matrix, costs: Matrix) -> Matrix:
    """Returns what the network sees of each candidate, (m, 16).

    Kernel averages of the trials' normal scores with a wide and a narrow kernel, their spread, how
    densely the region is searched, the distances to the nearest and to the best trial, the score
    of the nearest trial, and of the trials within reach the best score; each of them also times the
    logarithm of the number of trials.

    Args:
        cube: the numeric view of the space.
        candidates: (m, d).
        rows: (n, d), the trials, evaluated or pending.
        costs: (n,), less is better, inf for a failure, NaN for a pending trial, which counts as
            a median one.
    """
    scores = normal_scores(costs)
    square = _squared_distances(cube, candidates, rows)
    wide, narrow = (np.exp(-square / (2.0 * h * h)) for h in (_WIDE, _NARROW))
    mass, near = wide.sum(axis=1), narrow.sum(axis=1)
    mean = wide @ scores / (mass + _PRIOR)
    spread = np.sqrt(np.maximum(wide @ scores**2 / (mass + _PRIOR) - mean**2, 0.0))
    nearest = np.argmin(square, axis=1)
    found = np.column_stack(
        [
            mean,
            narrow @ scores / (near + _PRIOR),
            spread,
            np.log(mass + _PRIOR),
            np.sqrt(square.min(axis=1)),
            np.sqrt(square[:, int(np.argmin(scores))]),
            scores[nearest],
            (wide * scores).min(axis=1),
        ]
    )
    return np.hstack([found, found * np.log(len(rows)) / np.log(_TRIALS)])


def normal_scores(costs: Matrix) -> Matrix:
    """Returns the normal scores (n,) of the ranks of costs: negative is better, pending is 0."""
    known = ~np.isnan(costs)
    ranks: NDArray[np.int64] = np.argsort(np.argsort(costs[known], kind="stable"))
    scores = np.zeros(len(costs))
    scores[known] = ndtri((ranks + 0.5) / max(int(known.sum()), 1))
    return scores


def _squared_distances(cube: Cube, a: Matrix, b: Matrix) -> Matrix:
    """Returns mean squared differences over the columns (m, n).

    Another category, or a parameter that only one of the two has, differs by 1.
    """
    gaps = a[:, None, :] - b[None, :, :]
    other = np.isnan(a)[:, None, :] != np.isnan(b)[None, :, :]
    apart = np.where(cube.categorical, np.abs(gaps) > 1e-9, gaps * gaps)
    squares: Matrix = np.where(other, 1.0, np.nan_to_num(apart)).mean(axis=2)
    return squares
