"""One peer on one seed."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner

from kerashpo.analysis.tables import CURVE_COLUMNS
from kerashpo.compare.arguments import ComparisonOptions
from kerashpo.compare.evaluate import on_test, unwarned
from kerashpo.compare.peers.recorder import PeerSettings, Recorder, Winner
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.storage import write_rows
from kerashpo.core.errors import NoResult
from kerashpo.problems.task import Task


def run_peer(run: Run, task: Task, options: ComparisonOptions) -> Result:
    """Searches with another library and takes its winner to the test set.

    Raises:
        NoResult: if no epoch had a finite score.
    """
    terms = PeerSettings(
        task,
        task.load(run.seed),
        options.allowance(run.tuner),
        run.folder,
        run.seed,
        options.max_epochs,
        options.factor,
        options.initial_points,
    )
    run.folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(run.seed)
    recorder = Recorder(task.objective, terms.allowed.epochs)
    with unwarned():
        _search(run.tuner, terms, recorder)
    seconds = recorder.seconds
    if recorder.best is None:
        raise NoResult(f"{run.tuner} on {run.problem}, seed {run.seed}: no epoch had a score.")
    write_rows(run.curves, CURVE_COLUMNS, recorder.curves)
    with unwarned():
        model, config = rebuilt(task, recorder.best)
        scores, table = on_test(model, terms.split, task)
    return Result.of(
        run,
        task,
        trials=recorder.trials,
        epochs=recorder.epochs,
        seconds=seconds,
        validation=recorder.best.metrics,
        test=scores,
        config=config,
        confusion=table,
        steps=recorder.steps,
    )


def _search(tuner: str, terms: PeerSettings, recorder: Recorder) -> None:
    library, _, name = tuner.partition(".")
    if library == "keras_tuner":
        from kerashpo.compare.peers import keras_tuner as peer

        peer.search(name, terms, recorder)
    else:
        from kerashpo.compare.peers import optuna as other

        other.search(name, terms, recorder)


def rebuilt(task: Task, best: Winner) -> tuple[Any, dict[str, Any]]:
    """Returns the winner's model with its best weights, and the values that it asked for."""
    hp = keras_tuner.HyperParameters()
    hp.values = dict(best.values)
    model = task.build(hp)
    model.set_weights(best.weights)
    asked = {param.name for param in hp.space}
    return model, {name: value for name, value in best.values.items() if name in asked}
