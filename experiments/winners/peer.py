"""KerasTuner's own search, with ``model.fit`` replaced by `NumpyLoop`.

Everything that KerasTuner decides is its own: oracle, trials, checkpoints of the best epoch,
reloading of promoted models, `get_best_models`. Only ``fit`` is replaced, by a loop whose values
equal its own (check.py), which makes a search ten times as fast, so that many data sets and splits
can be measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import keras_tuner

from experiments.winners.data import Split
from experiments.winners.model import BATCH, EPOCHS, builder, objective
from experiments.winners.numpy_loop import LOOP
from kerashpo.training.randomness import EpochKeys


def search(kind: str, split: Split, seed: int, trials: int) -> dict[str, Any]:
    """Searches with KerasTuner; returns the winner, what it showed and the epochs trained.

    Args:
        kind: ``"random"``, ``"bayesian"`` or ``"hyperband"``.
        split: training and validation rows; the test rows are not looked at.
        seed: of the search.
        trials: configurations, each trained for `EPOCHS` epochs; Hyperband plans its own.
    """
    metric, direction = objective(split.classes)
    counter = _Counter()
    build = builder(split)

    def made(hp: Any) -> keras.Model:
        model = build(hp)
        counter.models += 1
        model.fit = partial(LOOP.fit, model, keys=EpochKeys(seed, counter.models, 0))
        return model

    with tempfile.TemporaryDirectory() as folder:
        tuner = _tuner(
            kind,
            made,
            trials,
            objective=keras_tuner.Objective(metric, direction),
            seed=seed,
            directory=folder,
        )
        epochs = {} if kind == "hyperband" else {"epochs": EPOCHS}
        tuner.search(
            *split.train,
            validation_data=split.validation,
            batch_size=BATCH,
            callbacks=[counter],
            verbose=0,
            **epochs,
        )
        (model,) = tuner.get_best_models(1)
        best = tuner.oracle.get_best_trials(1)[0]
    values = {name: best.hyperparameters.values[name] for name in best.hyperparameters.values}
    return {
        "model": model,
        "shown": best.score,
        "best_epoch": best.best_step + 1,
        "epochs": counter.epochs,
        "values": values,
    }


class _Counter(keras.callbacks.Callback):
    """Counts trained epochs over a whole search."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = self.models = 0

    def __deepcopy__(self, memo: object) -> _Counter:
        return self

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs += 1


def _tuner(kind: str, build: Callable[[Any], keras.Model], trials: int, **shared: Any) -> Any:
    if kind == "hyperband":
        return keras_tuner.Hyperband(build, max_epochs=EPOCHS, factor=3, **shared)
    kinds = {"random": keras_tuner.RandomSearch, "bayesian": keras_tuner.BayesianOptimization}
    return kinds[kind](build, max_trials=trials, **shared)
