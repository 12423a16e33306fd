"""Drives an oracle as a KerasTuner tuner does, without training."""

from __future__ import annotations

import keras_tuner

STOP = 500


def space(*, continuous=False):
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b", "c"])
    hp.Int("units", 1, 6)
    if continuous:
        hp.Float("rate", 1e-4, 1e-1, sampling="log")
    return hp


def value_of(values):
    score = values.get("units", 0) + {"a": 0.0, "b": 0.3, "c": 0.1}[values.get("kind", "a")]
    return score + values.get("rate", 0.0) + 0.001 * values.get("tuner/epochs", 0)


def place(oracle, folder):
    oracle._set_project_dir(str(folder), "oracle")
    oracle.verbose = 0
    return oracle


def end(oracle, trial, score, status="COMPLETED"):
    if score is not None:
        oracle.update_trial(trial.trial_id, {"score": score})
    trial.status = status
    oracle.end_trial(trial)


def drive(oracle, trials=STOP, tuner_id="tuner0", score=value_of):
    """Runs trials one after another; returns the values of those that were started."""
    values = []
    for _ in range(trials):
        trial = oracle.create_trial(tuner_id)
        if trial.status == "STOPPED":
            break
        assert trial.status == "RUNNING"
        values.append(dict(trial.hyperparameters.values))
        end(oracle, trial, score(trial.hyperparameters.values))
    return values
