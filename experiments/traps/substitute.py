"""A pytest plugin: KerasTuner's unit tests meet our oracles instead of KerasTuner's own.

Its tests import modules by the paths of KerasTuner 1.3; those of 1.4 get the same names.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import keras_tuner

from kerashpo import oracles
from kerashpo.schedulers.brackets import hyperband_brackets

_OLD_PATHS = (
    "backend backend.config backend.keras utils engine.oracle engine.trial engine.tuner "
    "engine.base_tuner engine.hypermodel engine.hyperparameters engine.tuner_utils "
    "tuners.bayesian tuners.gridsearch tuners.hyperband tuners.randomsearch"
).split()


class Readable(oracles.HyperbandOracle):
    """Answers the tests' questions about brackets from the scheduler's own tables."""

    def _get_num_brackets(self) -> int:
        return len(self._tables())

    def _get_num_rounds(self, bracket_num: int) -> int:
        return len(self._tables()[-1 - bracket_num])

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        return self._tables()[-1 - bracket_num][round_num].trials

    def _get_epochs(self, bracket_num: int, round_num: int) -> int:
        return self._tables()[-1 - bracket_num][round_num].epochs

    def _tables(self) -> Any:
        return hyperband_brackets(self.max_epochs, self.factor)


def pytest_configure() -> None:
    """Makes the old paths, and puts our classes in the place of upstream's."""
    for path in _OLD_PATHS:
        module = importlib.import_module(f"keras_tuner.src.{path}")
        sys.modules[f"keras_tuner.{path}"] = module
        parent, _, name = f"keras_tuner.{path}".rpartition(".")
        setattr(sys.modules[parent], name, module)
    if os.environ.get("TRAPS_ORACLES", "ours") != "ours":
        return
    src = keras_tuner.src
    src.engine.oracle.Oracle = oracles.FixedOracle
    places = {
        "BayesianOptimizationOracle": (src.tuners.bayesian, oracles.BayesianOptimizationOracle),
        "HyperbandOracle": (src.tuners.hyperband, Readable),
        "RandomSearchOracle": (src.tuners.randomsearch, oracles.RandomSearchOracle),
        "GridSearchOracle": (src.tuners.gridsearch, oracles.GridSearchOracle),
    }
    for name, (module, ours) in places.items():
        setattr(module, name, ours)
        setattr(keras_tuner.oracles, name, ours)
