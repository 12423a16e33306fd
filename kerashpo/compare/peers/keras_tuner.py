"""KerasTuner's tuners."""

from __future__ import annotations

from typing import Any

import keras_tuner

from kerashpo.compare.peers.recorder import PeerSettings, Recorder, recorded
from kerashpo.compare.peers.tuned_fit import with_tuned_fit

_SEED_0 = 2**31 - 1
"""What stands for seed 0."""


def search(name: str, settings: PeerSettings, recorder: Recorder) -> None:
    """Searches with KerasTuner; the recorder keeps every epoch.

    Args:
        name: ``"hyperband"`` or ``"bayesian"``.
        settings: data, budget and seed of the search.
        recorder: records every build and every epoch, and ends the search by `BudgetSpent`.
    """
    task = settings.task

    hypermodel = with_tuned_fit(task, lambda build: recorded(build, recorder))
    tuner = _tuner(name, hypermodel, settings)
    epochs = {} if name == "hyperband" else {"epochs": settings.max_epochs}
    x, y = settings.split.train
    tuner.search(
        x,
        y,
        validation_data=settings.split.validation,
        batch_size=task.batch_size,
        callbacks=[recorder],
        verbose=0,
        **epochs,
    )


def _tuner(name: str, hypermodel: Any, settings: PeerSettings) -> Any:
    objective = settings.task.objective
    shared: dict[str, Any] = {
        "objective": keras_tuner.Objective(objective.name, objective.direction),
        # KerasTuner draws a seed where it is given 0.
        "seed": settings.seed or _SEED_0,
        "directory": str(settings.folder),
        "project_name": f"keras_tuner_{name}",
        "overwrite": True,
    }
    if name == "hyperband":
        return keras_tuner.Hyperband(
            hypermodel,
            max_epochs=settings.max_epochs,
            factor=settings.factor,
            hyperband_iterations=settings.allowed.rounds,
            **shared,
        )
    return keras_tuner.BayesianOptimization(
        hypermodel,
        max_trials=settings.allowed.trials,
        num_initial_points=settings.initial_points,
        **shared,
    )
