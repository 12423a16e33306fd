"""What holds on every backend of Keras; CI runs it on TensorFlow and on JAX."""

from __future__ import annotations

import keras
import keras_tuner
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.training.data import FitData
from kerashpo.training.preflight import check_objectives
from tests.helpers.small_models import DATA, build

LOOP = {"tensorflow": "compiled", "jax": "compiled", "torch": "plain"}


def search(folder, **bounds):
    """One bracket or two of Hyperband, in a tuner of its own."""
    tuner = kt.Hyperband(
        build, "val_loss", max_epochs=4, factor=4, seed=0, directory=folder, **bounds
    )
    tuner.search(**DATA)
    return tuner


def losses(tuner):
    rows = tuner.results.curves()
    chosen = rows[rows["metric"] == "val_loss"].sort_values(["trial", "epoch"])
    return {(int(t), int(e)): v for t, e, v in chosen[["trial", "epoch", "value"]].to_numpy()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return search(tmp_path_factory.mktemp("whole"))


def test_a_search_trains_its_plan_in_the_way_of_its_backend(whole):
    assert len(losses(whole)) == whole.plan().epochs
    loops = {trial.facts["training"] for trial in whole.results.history.trials.values()}
    assert loops == {LOOP[keras.backend.backend()]}


def test_a_search_that_was_cut_continues_exactly(whole, tmp_path):
    search(tmp_path, max_epochs_total=3)
    assert losses(search(tmp_path)) == pytest.approx(losses(whole), rel=1e-6)


def test_the_best_model_has_the_weights_of_its_best_epoch(whole):
    model = whole.get_best_models(1)[0]
    known = model.evaluate(*DATA["validation_data"], verbose=0, return_dict=True)
    assert known["loss"] == pytest.approx(whole.results.best.score, rel=1e-5)


def test_bayesian_optimisation_and_its_seed(tmp_path):
    reported = []
    for number in range(2):
        tuner = kt.BayesianOptimization(
            build,
            "val_loss",
            max_trials=3,
            num_initial_points=2,
            seed=0,
            directory=tmp_path / str(number),
        )
        tuner.search(**DATA)
        reported.append(losses(tuner))
    assert reported[1] == pytest.approx(reported[0], rel=1e-6)


def _several_outputs(hp):
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(hp.Int("units", 2, 4), "relu")(inputs)
    outputs = {name: keras.layers.Dense(1, name=name)(hidden) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse", metrics={"a": ["mae"], "b": ["mse", keras.metrics.R2Score()]})
    return model


@pytest.mark.parametrize("make", [build, _several_outputs])
def test_the_check_before_a_search_knows_what_fit_logs(make):
    x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    y = y if make is build else {"a": y, "b": y}
    data = FitData.from_fit(x=x, y=y, validation_data=(x, y), batch_size=8)
    fitted = make(keras_tuner.HyperParameters()).fit(x, y, validation_data=(x, y), verbose=0)
    with pytest.raises(kt.errors.InvalidInput, match="does not log the objective 'no'") as told:
        check_objectives(make(keras_tuner.HyperParameters()), data, [kt.Objective("no", "max")], [])
    assert set(str(told.value).split("It logs: ")[1].strip(".").split(", ")) == set(fitted.history)


def test_the_check_before_a_search_fails_as_fit_does():
    x = np.ones((8, 5), "float32")
    data = FitData.from_fit(x=x, y=np.ones((8, 3), "float32"), batch_size=8)

    def wrong(hp):
        model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
        model.compile("adam", "mse")
        return model

    with pytest.raises(Exception, match="shape"):
        check_objectives(wrong(None), data, [kt.Objective("loss", "min")], [])
