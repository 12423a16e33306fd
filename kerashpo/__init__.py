"""kerashpo: hyperparameter search for Keras, with KerasTuner's vocabulary.

    import kerashpo as kt

    tuner = kt.Hyperband(build_model, objective="val_accuracy", max_epochs=50, seed=0)
    tuner.search(x, y, validation_data=(xv, yv))
    tuner.results.best

The public names; each is imported on first use, so that ``import kerashpo`` takes almost no
time:

- tuners: `Recommended`, `Hyperband`, `ASHA`, `BayesianOptimization`, `RandomSearch`, `GridSearch`,
  `Search` for any algorithm by its name, `NSGA2` for several objectives, `PBT` for populations
- for a model: `HyperModel`, `HyperParameters`, `Objective`
- base classes, and estimators of scikit-learn: `Tuner`, `SklearnTuner`
- a search as an estimator of scikit-learn: `SearchCV`
- ready-made hypermodels, KerasTuner's: `kerashpo.applications`; its other module paths, such as
  ``kerashpo.engine.trial``: `kerashpo.keras_tuner_paths`
- for a `keras_tuner.Tuner`: `kerashpo.oracles`, and `Oracle` and `synchronized` to write an oracle
- exceptions: `kerashpo.errors`, KerasTuner's own among them
- to log a search elsewhere: `kerashpo.callbacks`; several searches in one figure:
  `kerashpo.plots.compare`
- executors: `kerashpo.executors`
- the command ``kerashpo``: ``cli``, with the parser of ``command_parser``; ``kerastuner`` is the
  old name of KerasTuner's package
- for the comparison: `Task`, and `kerashpo.problems`
- what worked on similar data: `kerashpo.experience`
- ready spaces with builders of their estimators: `kerashpo.spaces.sklearn`
- of the package itself: ``model_cost`` (FLOPs and latency, for `kerashpo.objectives`) and
  ``quiet_import`` (TensorFlow without its notices)
- without Keras: `Space` and `kerashpo.space`, `optimize`, `simulate`, `open_study`
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerashpo import keras_tuner_paths

if TYPE_CHECKING:
    from keras_tuner import HyperModel as HyperModel

    from kerashpo import callbacks as callbacks
    from kerashpo import errors as errors
    from kerashpo import executors as executors
    from kerashpo import experience as experience
    from kerashpo import objectives as objectives
    from kerashpo import oracles as oracles
    from kerashpo import plots as plots
    from kerashpo import problems as problems
    from kerashpo import space as space
    from kerashpo import spaces as spaces
    from kerashpo import tuners as tuners
    from kerashpo.core.records import Objective as Objective
    from kerashpo.oracles import Oracle as Oracle
    from kerashpo.oracles import synchronized as synchronized
    from kerashpo.problems.task import Task as Task
    from kerashpo.space.space import Space as Space
    from kerashpo.study.study import open_study as open_study
    from kerashpo.training.hyperparameters import HyperParameters as HyperParameters
    from kerashpo.tuners.asha import ASHA as ASHA
    from kerashpo.tuners.base import Tuner as Tuner
    from kerashpo.tuners.bayesian import BayesianOptimization as BayesianOptimization
    from kerashpo.tuners.grid import GridSearch as GridSearch
    from kerashpo.tuners.hyperband import Hyperband as Hyperband
    from kerashpo.tuners.nsga2 import NSGA2 as NSGA2
    from kerashpo.tuners.optimize import optimize as optimize
    from kerashpo.tuners.pbt import PBT as PBT
    from kerashpo.tuners.random import RandomSearch as RandomSearch
    from kerashpo.tuners.recommended import Recommended as Recommended
    from kerashpo.tuners.search import Search as Search
    from kerashpo.tuners.search_cv import SearchCV as SearchCV
    from kerashpo.tuners.simulate import simulate as simulate
    from kerashpo.tuners.sklearn import SklearnTuner as SklearnTuner

__version__ = "0.1.0"

_MENU = {
    "ASHA": "kerashpo.tuners.asha",
    "BayesianOptimization": "kerashpo.tuners.bayesian",
    "GridSearch": "kerashpo.tuners.grid",
    "HyperModel": "keras_tuner",
    "HyperParameters": "kerashpo.training.hyperparameters",
    "Hyperband": "kerashpo.tuners.hyperband",
    "NSGA2": "kerashpo.tuners.nsga2",
    "Objective": "kerashpo.core.records",
    "Oracle": "kerashpo.oracles",
    "PBT": "kerashpo.tuners.pbt",
    "RandomSearch": "kerashpo.tuners.random",
    "Recommended": "kerashpo.tuners.recommended",
    "Search": "kerashpo.tuners.search",
    "SearchCV": "kerashpo.tuners.search_cv",
    "SklearnTuner": "kerashpo.tuners.sklearn",
    "Space": "kerashpo.space.space",
    "Task": "kerashpo.problems.task",
    "Tuner": "kerashpo.tuners.base",
    "open_study": "kerashpo.study.study",
    "optimize": "kerashpo.tuners.optimize",
    "simulate": "kerashpo.tuners.simulate",
    "synchronized": "kerashpo.oracles",
}
_ROOMS = {
    "applications": "kerashpo.applications",
    "callbacks": "kerashpo.callbacks",
    "engine": "kerashpo.engine",
    "errors": "kerashpo.errors",
    "executors": "kerashpo.executors",
    "experience": "kerashpo.experience",
    "objectives": "kerashpo.objectives",
    "oracles": "kerashpo.oracles",
    "problems": "kerashpo.problems",
    "plots": "kerashpo.plots",
    "space": "kerashpo.space",
    "spaces": "kerashpo.spaces",
    "tuners": "kerashpo.tuners",
}

_WITHOUT_KERAS = {
    "Objective", "Space", "Task", "callbacks", "errors", "executors", "objectives", "open_study",
    "optimize", "plots", "problems", "simulate", "space", "spaces",
}  # fmt: skip

keras_tuner_paths.register()

__all__ = [*_MENU, *_ROOMS, "__version__"]


def _quiet(name: str) -> AbstractContextManager[None]:
    """Returns what suppresses TensorFlow's start-up notices where a name brings it along."""
    if name in _WITHOUT_KERAS:
        return nullcontext()
    from kerashpo.quiet_import import without_notices

    return without_notices()


def __getattr__(name: str) -> Any:
    if name in _ROOMS or name in _MENU:
        from kerashpo.core.requirements import packages_required

        with packages_required(), _quiet(name):
            if name in _ROOMS:
                return import_module(_ROOMS[name])
            return getattr(import_module(_MENU[name]), name)
    from kerashpo.core.errors import nearest

    raise AttributeError(f"module 'kerashpo' has no attribute {name!r}.{nearest(name, __all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
