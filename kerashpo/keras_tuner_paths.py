"""KerasTuner's module paths below ``kerashpo``, resolved on first use.

Replace ``from keras_tuner.engine.hyperparameters import HyperParameters`` by
``from kerashpo.engine.hyperparameters import HyperParameters``; the same works for every public
path of KerasTuner 1.4 and the older ones in use, e.g. ``kerashpo.tuners.randomsearch`` or
``kerashpo.engine.multi_execution_tuner``. Nothing of KerasTuner or Keras is imported before a
name is used. ``import kerashpo.kerastuner`` adds the old spelling ``kerastuner``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, final

_HYPERPARAMETERS = "Boolean Choice Fixed Float HyperParameter Int deserialize serialize".split()
_OURS = {
    "BaseTuner": "kerashpo.tuners.base:Tuner",
    "BayesianOptimization": "kerashpo",
    "BayesianOptimizationOracle": "kerashpo.oracles",
    "GridSearch": "kerashpo",
    "GridSearchOracle": "kerashpo.oracles",
    "HyperModel": "kerashpo",
    "HyperParameters": "kerashpo",
    "Hyperband": "kerashpo",
    "HyperbandOracle": "kerashpo.oracles",
    "MultiExecutionTuner": "kerashpo.tuners.base:Tuner",
    "Objective": "kerashpo",
    "Oracle": "kerashpo",
    "RandomSearch": "kerashpo",
    "RandomSearchOracle": "kerashpo.oracles",
    "SklearnTuner": "kerashpo",
    "Tuner": "kerashpo",
    "synchronized": "kerashpo",
}
"""Names that kerashpo implements itself, with the module that defines them."""
_PATHS: dict[str, list[str]] = {
    "applications": ["HyperEfficientNet", "HyperImageAugment", "HyperResNet", "HyperXception"],
    "applications.augment": ["HyperImageAugment"],
    "applications.efficientnet": ["HyperEfficientNet"],
    "applications.resnet": ["HyperResNet"],
    "applications.xception": ["HyperXception"],
    "engine": [],
    "engine.base_tuner": ["BaseTuner"],
    "engine.hypermodel": ["HyperModel"],
    "engine.hyperparameters": [*_HYPERPARAMETERS, "HyperParameters"],
    "engine.metrics_tracking": ["infer_metric_direction"],
    "engine.multi_execution_tuner": ["MultiExecutionTuner"],
    "engine.objective": ["Objective"],
    "engine.oracle": ["Objective", "Oracle", "synchronized"],
    "engine.trial": ["Trial", "TrialStatus"],
    "engine.tuner": ["Tuner", "maybe_distribute"],
    "tuners.gridsearch": ["GridSearch", "GridSearchOracle"],
    "tuners.randomsearch": ["RandomSearch", "RandomSearchOracle"],
    "tuners.sklearn_tuner": ["SklearnTuner"],
}


@final
class _Paths(ModuleType):
    """A module whose names are imported on first use.

    Args:
        path: the module's path without the package's name.
        names: by name, ``"module"`` or ``"module:attribute"``.
        children: the last parts of the paths of its submodules.
    """

    def __init__(self, path: str, names: Mapping[str, str], children: list[str]) -> None:
        full = f"kerashpo.{path}"
        super().__init__(full, f"KerasTuner's module ``{path}``, see `kerashpo.keras_tuner_paths`.")
        self.__spec__ = ModuleSpec(full, None, is_package=bool(children))
        if children:
            self.__path__: list[str] = []
        self.__all__ = [*names, *children]
        self._names, self._children = dict(names), children

    def __getattr__(self, name: str) -> Any:
        if name in self._children:
            return sys.modules[f"{self.__name__}.{name}"]
        if name not in self._names:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module, _, attribute = self._names[name].partition(":")
        return getattr(import_module(module), attribute or name)

    def __dir__(self) -> list[str]:
        return sorted(self.__all__)


def register() -> None:
    """Registers every path as an importable module; imports nothing."""
    for path, names in _PATHS.items():
        children = [one.removeprefix(f"{path}.") for one in _PATHS if one.startswith(f"{path}.")]
        places = {name: _OURS.get(name, _theirs(path)) for name in names}
        sys.modules[f"kerashpo.{path}"] = _Paths(path, places, children)


def _theirs(path: str) -> str:
    """Returns KerasTuner's module for a path; all its ready-made models are in one."""
    return "keras_tuner.applications" if path.startswith("applications") else f"keras_tuner.{path}"
