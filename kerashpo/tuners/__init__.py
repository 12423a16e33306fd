"""The tuners: KerasTuner's interface, assembled from algorithms, schedulers and executors.

=======================  =========================================================
`Recommended`            ASHA with a Gaussian process, and a final round by default
`Hyperband`              brackets of successive halving over random configurations
`ASHA`                   asynchronous halving: never waits for a rung to fill
`PBT`                    population-based training: values change while models train
`BayesianOptimization`   a Gaussian process proposes, every trial is trained fully
`NSGA2`                  crossover and mutation towards a Pareto front
`RandomSearch`           random configurations without repeats
`GridSearch`             every configuration of a finite space
`Search`                 any algorithm by its name, every trial is trained fully
`Tuner`                  from an oracle of KerasTuner's kind; to be subclassed
`SklearnTuner`           estimators of scikit-learn, cross-validated
`SearchCV`               a search as an estimator of scikit-learn
`optimize`               any Python function instead of a model
=======================  =========================================================

A tuner is a `Strategy` (an algorithm and a training schedule) and its options.
`kerashpo.tuners.base` holds `Tuner`, the base class of all and KerasTuner's own when it is made
from an oracle: ``planned_search`` describes its search and plan, ``inspect`` reads results,
``hooks`` are the methods that subclasses override. ``assemble`` turns options and a strategy into
the parts of a study, also for `optimize` and `simulate`; ``open_search`` opens the study;
``training_setup`` builds the runner, and ``executor`` chooses who runs it. ``run_trial`` trains a
trial inside an overridden method, and ``oracle_view`` shows the trials as KerasTuner's oracle
does.

Further modules: ``tuner_options``, ``strategy``, ``goal``, ``fit_request`` and ``search_plan``
read and hold arguments; ``builder``, ``best_model``, ``final_round`` and ``callback_files`` make
and store models; ``from_oracle`` and ``not_kept`` are for scripts of KerasTuner; ``describe``
serialises arguments for resume; ``study_file`` runs a search from a file; ``context`` chooses
among earlier studies; ``final_weights`` weighs the finalists of a final round; ``plain_goal`` and
``function_options`` read arguments without a model; ``estimator_model`` and ``estimator_targets``
check what `SearchCV` is given; ``training_notes`` says which models are compiled;
``prediction_cost`` measures the winner.

To add a tuner: a subclass of `kerashpo.tuners.base.Tuner` that passes its `Strategy` to the
constructor, and a line in the menu of ``kerashpo/__init__.py``. Importing a tuner imports Keras;
importing this package, `optimize` or `simulate` does not.
"""

import sys
from typing import Any

__all__ = [
    "ASHA",
    "NSGA2",
    "PBT",
    "BayesianOptimization",
    "GridSearch",
    "Hyperband",
    "RandomSearch",
    "Recommended",
    "Search",
    "SearchCV",
    "SklearnTuner",
    "Tuner",
]


def __getattr__(name: str) -> Any:
    """Returns ``kerashpo.tuners.Hyperband`` and its like, where KerasTuner has them too."""
    path = f"{__name__}.{name}"
    if path in sys.modules:
        return sys.modules[path]
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import kerashpo

    return getattr(kerashpo, name)
