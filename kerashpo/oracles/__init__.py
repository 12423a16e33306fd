"""Our algorithms as `keras_tuner.Oracle`s, for any existing `keras_tuner.Tuner`.

    import keras_tuner
    import kerashpo as kt

    oracle = kt.oracles.BayesianOptimizationOracle("val_accuracy", max_trials=30, seed=0)
    tuner = keras_tuner.Tuner(oracle, hypermodel=build_model, directory="runs")

===============================  =================================================
`RandomSearchOracle`             random configurations without repeats
`GridSearchOracle`               a grid that grows with discovered parameters
`BayesianOptimizationOracle`     our Gaussian process
`SearchOracle`                   any algorithm by its name: TPE, CMA-ES, ...
`HyperbandOracle`                the paper's brackets
`ASHAOracle`                     promotes as soon as a trial is good enough
===============================  =================================================

``base`` fixes known defects of `keras_tuner.Oracle` (directions, seeds, failures, NaN);
``trial_replay`` turns its trials into a `History`; ``algorithm_oracle`` asks an algorithm under a
scheduler; ``full_training``, ``grid`` and ``multi_fidelity`` hold the oracles. An oracle saves only
the order in which trials start and end: its proposals are a function of its seed and its trials,
so that a reloaded oracle continues exactly. KerasTuner's `Tuner` reads epochs from the values of a
trial, so these oracles (and nothing else here) pass them as ``tuner/epochs``,
``tuner/initial_epoch``, ``tuner/trial_id`` and ``tuner/round``. KerasTuner's tuners report one
score per trial, and each promotion is a new trial: for exact continuation and whole learning
curves use the tuners of `kerashpo` itself.

To add an oracle: write a subclass of `AlgorithmOracle` that names an algorithm and builds a
scheduler, and add its name to the algorithm's entry in ``kerashpo/algorithms/registry.py``.
Importing this package imports keras_tuner, and with it TensorFlow.
"""

from keras_tuner import synchronized

from kerashpo.oracles.algorithm_oracle import AlgorithmOracle
from kerashpo.oracles.base import FixedOracle
from kerashpo.oracles.full_training import (
    BayesianOptimizationOracle,
    RandomSearchOracle,
    SearchOracle,
)
from kerashpo.oracles.grid import GridSearchOracle
from kerashpo.oracles.multi_fidelity import ASHAOracle, HyperbandOracle

Oracle = FixedOracle
"""The base class of an oracle with its own `populate_space`, under KerasTuner's name."""

__all__ = [
    "ASHAOracle",
    "AlgorithmOracle",
    "BayesianOptimizationOracle",
    "FixedOracle",
    "GridSearchOracle",
    "HyperbandOracle",
    "Oracle",
    "RandomSearchOracle",
    "SearchOracle",
    "synchronized",
]
