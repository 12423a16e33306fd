"""What holds on every backend of Keras; CI runs it on TensorFlow and on JAX."""

from __future__ import annotations

import keras
import pytest

import kerashpo as kt
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
