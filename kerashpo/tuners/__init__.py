"""KerasTuner's verbs on our engine. The only place that composes the parts.

=======================  =========================================================
`Hyperband`              brackets of successive halving over random configurations
`ASHA`                   asynchronous halving: never waits for a rung to fill
`BayesianOptimization`   a Gaussian process proposes, every trial is trained fully
`RandomSearch`           random configurations without repeats
`GridSearch`             every configuration of a finite space
`Tuner`                  what an oracle of KerasTuner's kind says; to be subclassed
`SklearnTuner`           estimators of scikit-learn, cross-validated
`optimize`               any Python function instead of a model
=======================  =========================================================

``tuner`` composes; ``answers`` reads; ``hooks`` are what subclasses override, ``owntrials`` and
``session`` call them; ``oracle`` is the view of the trials that KerasTuner's scripts ask.

To add a tuner: a subclass of `kerashpo.tuners.base.Tuner` that names its
algorithm and builds its scheduler, and a line in the menu of ``kerashpo/__init__.py``.
Importing a tuner imports Keras; importing this package or `optimize` does not.
"""

from typing import Any

_NAMES = (
    "ASHA",
    "BayesianOptimization",
    "GridSearch",
    "Hyperband",
    "RandomSearch",
    "SklearnTuner",
    "Tuner",
)


def __getattr__(name: str) -> Any:
    """Finds ``kerashpo.tuners.Hyperband`` and its like, where KerasTuner has them too."""
    if name not in _NAMES:
        raise AttributeError(f"module 'kerashpo.tuners' has no attribute {name!r}")
    import kerashpo

    return getattr(kerashpo, name)
