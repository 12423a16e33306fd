"""KerasTuner's own tuner, training real models, with an oracle of ours inside."""

from __future__ import annotations

import keras_tuner
import pytest

import kerashpo as kt
from kerashpo import oracles
from tests.helpers.small_models import DATA, build_few, eagerly

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading:UserWarning"),
]


class Banded(keras_tuner.Hyperband):
    """KerasTuner's Hyperband tuner, which obeys the epochs in the values, with any oracle."""

    def __init__(self, oracle, **more):
        keras_tuner.Tuner.__init__(self, oracle, **more)


def build(hp):
    return eagerly(build_few(hp))


def test_a_tuner_obeys_our_epochs_and_loads_the_best_model(tmp_path):
    oracle = kt.oracles.ASHAOracle("val_accuracy", 2, 2, 2, seed=0, algorithm="bayesian")
    tuner = Banded(oracle, hypermodel=build, directory=tmp_path)
    tuner.search(**DATA | {"batch_size": 48})
    trials = list(oracle.trials.values())
    epochs = [trial.hyperparameters.values["tuner/epochs"] for trial in trials]
    assert epochs == [1, 1, 2]
    assert trials[2].hyperparameters.values["tuner/trial_id"] in oracle.trials
    model = tuner.get_best_models()[0]
    known = model.evaluate(*DATA["validation_data"], verbose=0, return_dict=True)
    assert known["accuracy"] == pytest.approx(oracle.get_best_trials()[0].score)


@pytest.mark.parametrize(("module", "package"), [("scipy", "scipy"), ("sklearn", "scikit-learn")])
def test_what_kerastuner_misses_is_named_as_it_does(module, package, monkeypatch):
    monkeypatch.setattr(f"keras_tuner.src.tuners.bayesian.{module}", None)
    with pytest.raises(ImportError, match=f"Please install {package}"):
        oracles.BayesianOptimizationOracle("val_loss")
