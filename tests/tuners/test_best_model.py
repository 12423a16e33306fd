"""The stored model of the best epoch, and a fresh one of the same configuration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from tests.helpers import small_models as small


@pytest.fixture(scope="module")
def tuner(tmp_path_factory):
    made = kt.RandomSearch(
        small.build,
        max_trials=2,
        **small.place(tmp_path_factory.mktemp("final"), objective="val_accuracy"),
    )
    made.search(**small.DATA, epochs=2)
    return made


def test_the_best_model_has_the_score(tuner):
    x, y = small.DATA["validation_data"]
    _, accuracy = tuner.results.best_model().evaluate(x, y, verbose=0)
    assert accuracy == pytest.approx(tuner.results.best.score, abs=1e-6)


def test_refitting_on_the_same_data_repeats_the_best_trial(tuner):
    best = tuner.results.best_model()
    again = tuner.results.refit_best(**small.DATA)
    for stored, fresh in zip(best.get_weights(), again.get_weights()):
        np.testing.assert_allclose(fresh, stored, rtol=1e-4, atol=1e-6)


def test_refitting_takes_epochs_and_callbacks(tuner):
    import keras

    seen = []
    reported = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    tuner.results.refit_best(small.ROWS, small.LABELS, epochs=3, callbacks=[reported])
    assert seen == [0, 1, 2]


def test_epochs_must_be_whole(tuner):
    with pytest.raises(InvalidInput, match="epochs must be a whole number of at least 1"):
        tuner.results.refit_best(small.ROWS, small.LABELS, epochs=0)


def test_a_folder_has_no_models(tuner):
    results = kt.open_study(tuner.project_dir).results
    with pytest.raises(InvalidInput, match=r"call tuner.results.best_model\(\)"):
        results.best_model()
    with pytest.raises(InvalidInput, match=r"call tuner.results.refit_best"):
        results.refit_best(small.ROWS, small.LABELS)


def test_a_tuners_report_has_an_interval_and_its_provenance(tuner):
    path = tuner.report(lang="es")
    assert path == Path(tuner.project_dir) / "report.html"
    text = path.read_text("utf-8")
    assert "de Wilson, con 16 muestras de validación" in text
    assert 'muestras de entrenamiento</td><td class="text">48' in text and "tensorflow" in text
    assert tuner.results.history.environment["cores"] >= 1


def test_nothing_was_searched_yet(tmp_path):
    fresh = kt.RandomSearch(small.build, max_trials=2, **small.place(tmp_path))
    with pytest.raises(InvalidInput, match=r"No search was run yet: call search"):
        fresh.report()


def test_an_ensemble_averages_the_stored_models_of_the_best_trials(tuner, tmp_path):
    import keras

    members = tuner.get_best_models(2)
    mean = np.mean([one.predict(small.ROWS, verbose=0) for one in members], axis=0)
    ensemble = tuner.results.ensemble()
    np.testing.assert_allclose(ensemble.predict(small.ROWS, verbose=0), mean, atol=1e-6)
    ensemble.save(tmp_path / "e.keras")
    again = keras.models.load_model(tmp_path / "e.keras")
    logs = again.evaluate(small.ROWS, small.LABELS, verbose=0, return_dict=True)
    accuracy = ((mean[:, 0] > 0.5) == small.LABELS).mean()
    assert logs["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    (best,) = tuner.get_best_models(1)
    np.testing.assert_allclose(
        tuner.results.ensemble(1).predict(small.ROWS, verbose=0),
        best.predict(small.ROWS, verbose=0),
        atol=1e-6,
    )


def test_every_fold_is_a_member(tmp_path):
    tuner = kt.RandomSearch(small.build, max_trials=2, cv=3, **small.place(tmp_path))
    tuner.search(small.ROWS, small.LABELS, epochs=1, verbose=0)
    names = [layer.name for layer in tuner.results.ensemble(1).layers]
    best = tuner.results.best.trial
    assert [f"trial_{best}_run_{run}" for run in range(3)] == [n for n in names if "run" in n]


def test_an_ensemble_that_cannot_be_had_says_why(tuner, tmp_path):
    with pytest.raises(InvalidInput, match="k must be a whole number of at least 1"):
        tuner.results.ensemble(0)
    with pytest.raises(InvalidInput, match=r"call tuner.results.ensemble\(2\)"):
        kt.open_study(tuner.project_dir).results.ensemble()
    few = kt.RandomSearch(small.build, max_trials=2, keep="best", **small.place(tmp_path))
    few.search(**small.DATA, epochs=1)
    with pytest.raises(InvalidInput, match="keep="):
        few.results.ensemble(2)
