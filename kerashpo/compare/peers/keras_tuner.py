"""KerasTuner's tuners."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras_tuner

from kerashpo.compare.peers.recorder import BudgetSpent, PeerSettings, Recorder


def search(name: str, terms: PeerSettings, recorder: Recorder) -> None:
    """Searches with KerasTuner; what it trains is the recorder's to keep.

    Args:
        name: ``"hyperband"`` or ``"bayesian"``.
        terms: under which conditions.
        recorder: hears every build and every epoch, and ends the search.
    """
    task = terms.task

    def build(hp: Any) -> Any:
        model = task.build(hp)
        recorder.begin(hp.values)
        return model

    tuner = _tuner(name, build, terms)
    epochs = {} if name == "hyperband" else {"epochs": terms.max_epochs}
    x, y = terms.split.train
    with contextlib.suppress(BudgetSpent):
        tuner.search(
            x,
            y,
            validation_data=terms.split.validation,
            batch_size=task.batch_size,
            callbacks=[recorder],
            verbose=0,
            **epochs,
        )


def _tuner(name: str, build: Callable[[Any], Any], terms: PeerSettings) -> Any:
    objective = terms.task.objective
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective(objective.name, objective.direction),
        "seed": terms.seed,
        "directory": str(terms.folder),
        "project_name": f"keras_tuner_{name}",
        "overwrite": True,
    }
    if name == "hyperband":
        return keras_tuner.Hyperband(
            build,
            max_epochs=terms.max_epochs,
            factor=terms.factor,
            hyperband_iterations=terms.allowed.rounds,
            **shared,
        )
    return keras_tuner.BayesianOptimization(
        build,
        max_trials=terms.allowed.trials,
        num_initial_points=terms.initial_points,
        **shared,
    )
