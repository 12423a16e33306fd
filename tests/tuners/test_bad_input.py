"""Bad input: each with its message, and before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import ConsecutiveFailures, InvalidInput, InvalidSpace, StudyMismatch
from tests.helpers.small_models import DATA, LABELS, ROWS, build, build_few, make, place


@pytest.mark.parametrize(
    ("tuner", "settings", "message"),
    [
        ("Hyperband", {"max_epochs": 0}, "max_epochs.*at least 1.*0"),
        ("Hyperband", {"factor": 1}, "factor.*at least 2.*1"),
        ("Hyperband", {"hyperband_iterations": 0}, "hyperband_iterations.*at least 1"),
        ("Hyperband", {"max_epochs": 2, "min_epochs": 3}, "min_epochs"),
        ("RandomSearch", {"max_trials": -1}, "max_trials.*at least 1.*-1"),
        ("RandomSearch", {"max_trials": 2.5}, "max_trials.*whole number.*2.5"),
        ("BayesianOptimization", {"num_initial_points": 0}, "num_initial_points.*at least 1"),
        ("BayesianOptimization", {"acquisition": "logie"}, "logie.*Did you mean 'logei'"),
        ("RandomSearch", {"objektive": 1}, "no argument 'objektive'.*Did you mean 'objective'"),
        ("Hyperband", {"max_epoch": 1}, "no argument 'max_epoch'.*Did you mean 'max_epochs'"),
        ("RandomSearch", {"workers": 0}, "workers must be.*at least 1.*auto.*0"),
        ("RandomSearch", {"workers": "many"}, "workers must be.*auto.*many"),
        ("RandomSearch", {"trial_timeout": 0}, "trial_timeout.*above 0.*0"),
        ("RandomSearch", {"max_worker_memory": "lots"}, "max_worker_memory.*500MB.*lots"),
        ("RandomSearch", {"deterministic": "yes"}, "deterministic.*True or False.*yes"),
        ("RandomSearch", {"executions_per_trial": 0}, "executions_per_trial.*at least 1"),
        ("RandomSearch", {"seed": 1.5}, "seed.*whole number or None.*1.5"),
        ("RandomSearch", {"fast": "yes"}, 'fast must be "auto", True or False.*yes'),
        ("RandomSearch", {"keep_in_memory": "lots"}, "keep_in_memory.*500MB.*lots"),
        ("RandomSearch", {"checkpoint_every": -1}, "checkpoint_every.*at least 0"),
        ("RandomSearch", {"max_minutes": 0}, "max_minutes.*above 0"),
        ("RandomSearch", {"max_model_size": 0}, "max_model_size.*at least 1"),
        ("RandomSearch", {"project_name": "../up"}, "project_name.*within directory"),
        ("RandomSearch", {"project_name": "a/../../up"}, "project_name.*within directory"),
        ("RandomSearch", {"project_name": "/etc/up"}, "project_name.*within directory.*/etc/up"),
        ("RandomSearch", {"project_name": "C:\\up"}, "project_name.*within directory"),
        ("RandomSearch", {"project_name": "up\0"}, "project_name must be the name of a folder"),
        ("RandomSearch", {"directory": "up\0"}, "directory must be the name of a folder"),
        ("RandomSearch", {"directory": 3}, "directory must be the name of a folder.*3"),
        ("RandomSearch", {"keep": "top-0"}, 'keep must be "best".*"top-10".*top-0'),
        ("RandomSearch", {"resume": "again"}, 'resume must be "exact" or "extend".*again'),
        ("RandomSearch", {"keep": 5}, 'keep must be "best".*5'),
        ("RandomSearch", {"hyperparameters": {"units": 3}}, "must be a HyperParameters"),
        ("RandomSearch", {"objective": None}, "objective is missing.*val_accuracy"),
        ("RandomSearch", {"objective": "val_magic"}, "Objective.'val_magic', 'min'."),
    ],
)
def test_an_argument_that_is_invalid(tuner, settings, message, tmp_path):
    given = place(tmp_path) | settings
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        getattr(kt, tuner)(build_few, **given).plan()


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda: None, "returned None"),
        (lambda: "model", "must return a compiled keras.Model.*'model'"),
        (lambda: keras.Sequential([keras.Input((4,))]), "not compiled"),
    ],
)
def test_what_build_model_returns(returned, message, tmp_path):
    with pytest.raises(InvalidInput, match=message):
        kt.RandomSearch(lambda hp: returned(), **place(tmp_path))


def test_build_model_that_raises(tmp_path):
    def broken(hp: Any) -> keras.Model:
        raise ZeroDivisionError("in build_model")

    with pytest.raises(ZeroDivisionError, match="in build_model"):
        kt.RandomSearch(broken, **place(tmp_path))


def test_contradictory_definitions(tmp_path):
    def twice(hp: Any) -> keras.Model:
        hp.Int("units", 1, 5)
        hp.Choice("units", ["a", "b"])
        return make()

    with pytest.raises(InvalidSpace, match="'units' is declared twice"):
        kt.RandomSearch(twice, strict=True, **place(tmp_path))
    with pytest.warns(UserWarning, match="'units' is declared twice"):
        kt.RandomSearch(twice, **place(tmp_path))


KERAS_OWN = [[], [keras.callbacks.EarlyStopping], [lambda: keras.callbacks.EarlyStopping("loss")]]


@pytest.mark.parametrize("callbacks", KERAS_OWN)
def test_an_objective_that_is_not_logged_names_those_that_are(callbacks, tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path, objective="val_acc"))
    message = "not log the objective 'val_acc'.*Did you mean 'val_accuracy'.*It logs: .*val_loss"
    with pytest.raises(InvalidInput, match=message):
        tuner.search(**DATA, callbacks=callbacks)
    assert len(tuner.results) == 0


class Scoring(keras.callbacks.Callback):
    """Logs a score of its own every few epochs, or raises."""

    def __init__(self, every: int = 1, wrong: bool = False) -> None:
        super().__init__()
        self.every, self.wrong = every, wrong

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.wrong:
            raise LookupError("not yet")
        if (epoch + 1) % self.every == 0:
            logs["my_score"] = 0.5


class Deaf(keras.callbacks.Callback):
    """Hears nothing."""


MINE = [Deaf, Scoring, lambda: keras.callbacks.LambdaCallback(on_epoch_end=lambda *callback: None)]


@pytest.mark.parametrize("own", MINE)
def test_a_callback_of_ones_own_hides_no_misspelt_objective(own, tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path, objective="val_acc"))
    with pytest.raises(InvalidInput, match="not log the objective 'val_acc'.*'val_accuracy'"):
        tuner.search(**DATA, callbacks=[own()])
    assert len(tuner.results) == 0


@pytest.mark.parametrize("every", [1, 2])
def test_an_objective_that_a_callback_logs_is_accepted(every, tmp_path):
    objective = kt.Objective("my_score", "max")
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path, objective=objective))
    tuner.search(**DATA, epochs=2, callbacks=[Scoring(every)])
    assert tuner.results.best.score == 0.5
    misspelt = kt.Objective("my_scor", "max")
    other = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path, "x", objective=misspelt))
    with pytest.raises(InvalidInput, match="'my_scor'.*Did you mean 'my_score'"):
        other.search(**DATA, epochs=2, callbacks=[Scoring(every)])


def test_a_callback_that_cannot_be_asked_refuses_nothing(tmp_path):
    objective = kt.Objective("my_score", "max")
    tuner = kt.RandomSearch(
        build_few, max_consecutive_failed_trials=1, **place(tmp_path, objective=objective)
    )
    with pytest.raises(ConsecutiveFailures, match="not yet"):
        tuner.search(**DATA, callbacks=[Scoring(wrong=True)])


@pytest.mark.filterwarnings("ignore:x is a generator")
def test_a_misspelt_objective_over_a_generator_is_found_before_anything_is_trained(tmp_path):
    def endless() -> Any:
        while True:
            yield ROWS[:16], LABELS[:16]

    received = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: received.append(epoch)
    )
    tuner = kt.RandomSearch(build_few, **place(tmp_path, objective="val_acc"))
    held = DATA["validation_data"]
    arguments = {"validation_data": held, "steps_per_epoch": 2, "epochs": 3, "verbose": 0}
    with pytest.raises(InvalidInput, match="not log the objective 'val_acc'.*'val_accuracy'"):
        tuner.search(endless(), callbacks=[callback], **arguments)
    assert received == [] and not tuner.results.history.trials


def test_a_misspelt_objective_is_found_where_only_the_validation_data_are_a_pipeline(tmp_path):
    import tensorflow as tf

    held = tf.data.Dataset.from_tensor_slices(DATA["validation_data"]).batch(8)
    tuner = kt.RandomSearch(build_few, **place(tmp_path, objective="val_acc"))
    with pytest.raises(InvalidInput, match="Did you mean 'val_accuracy'"):
        tuner.search(ROWS, LABELS, validation_data=held, verbose=0)
    assert len(tuner.results) == 0


def test_a_validation_objective_without_validation_data(tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path))
    with pytest.raises(InvalidInput, match="'val_loss'.*validation_data.*validation_split"):
        tuner.search(ROWS, LABELS, verbose=0)
    tuner.search(ROWS, LABELS, validation_split=0.25, verbose=0)
    assert tuner.results.best.score > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs.*at least 1.*0"),
        ({"epochs": 2.5}, "epochs.*whole number"),
        ({"batchsize": 8}, "Unknown argument 'batchsize'.*Did you mean 'batch_size'"),
        ({"callbacks": ["stop"]}, "callbacks must be keras callbacks"),
        ({"initial_epoch": 3}, "initial_epoch"),
        ({"validation_data": (ROWS[:3], LABELS[:2])}, "validation_data expects arrays"),
    ],
)
def test_an_argument_of_search_that_is_invalid(arguments, message, tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path))
    with pytest.raises(InvalidInput, match=message):
        tuner.search(**(DATA | arguments))


def test_data_of_the_wrong_shape_are_found_before_the_search(tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path))
    with pytest.raises(ValueError, match="incompatible"):
        tuner.search(ROWS[:, :3], LABELS, validation_split=0.2, verbose=0)
    assert len(tuner.results) == 0


def test_labels_that_are_texts_say_how_to_encode_them(tmp_path):
    names = np.where(LABELS > 0, "yes", "no")
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    with pytest.raises(InvalidInput, match=r"labels y are texts, e\.g\. '(yes|no)'.*SearchCV"):
        tuner.search(ROWS, names, validation_data=(ROWS, names), epochs=1, verbose=0)
    assert len(tuner.results) == 0


def test_an_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("in the way")
    tuner = kt.RandomSearch(build_few, **place(tmp_path / "file"))
    with pytest.raises(InvalidInput, match="Cannot write to.*directory="):
        tuner.search(**DATA)


def test_fast_true_says_what_is_in_the_way(tmp_path):
    tuner = kt.RandomSearch(
        build_few, max_trials=1, fast=True, max_consecutive_failed_trials=1, **place(tmp_path)
    )
    with pytest.raises((InvalidInput, RuntimeError), match='LambdaCallback.*Use fast="auto"'):
        each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
        tuner.search(**DATA, callbacks=[each])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    kt.RandomSearch(build_few, max_trials=1, **place(folder)).search(**DATA)
    return folder


@pytest.mark.parametrize(
    ("tuner", "builder", "settings", "difference"),
    [
        ("RandomSearch", build_few, {"seed": 1}, "seed: was 0, now 1"),
        ("RandomSearch", build_few, {"objective": "val_accuracy"}, "objective: was val_loss .min."),
        ("RandomSearch", build, {}, "parameter 'units': was .*high=12.* now .*high=24"),
        ("GridSearch", build_few, {}, "tuner: was 'RandomSearch', now 'GridSearch'"),
        ("RandomSearch", build_few, {"executions_per_trial": 2}, "runs: was None, now 2"),
    ],
)
def test_a_folder_of_another_search(tuner, builder, settings, difference, finished):
    with pytest.raises(StudyMismatch, match=f"(?s){difference}.*overwrite=True.*project_name"):
        getattr(kt, tuner)(builder, **(place(finished) | settings))


def test_a_folder_of_a_search_on_other_data(finished):
    other = DATA | {"x": DATA["x"] + 1}
    tuner = kt.RandomSearch(build_few, max_trials=2, **place(finished))
    with pytest.raises(StudyMismatch, match="data: the arrays are other ones.*random_state"):
        tuner.search(**other)
    done = kt.RandomSearch(build_few, max_trials=1, **place(finished))
    with pytest.warns(UserWarning, match="finished and its results remain valid.*data: the arrays"):
        done.search(**other)
    assert (len(done.results), done.results.stopped) == (1, "max_trials reached")
    with pytest.raises(StudyMismatch, match="epochs: was 1, now 2"):
        tuner.search(**DATA, epochs=2)


def test_a_folder_that_is_no_study_is_not_deleted(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "thesis.txt").write_text("all of it")
    with pytest.raises(InvalidInput, match="not a study of kerashpo"):
        kt.RandomSearch(build_few, overwrite=True, **place(tmp_path))
    assert (tmp_path / "study" / "thesis.txt").exists()


def test_a_search_that_nothing_bounds(tmp_path):
    def endless(hp: Any) -> keras.Model:
        hp.Float("rate", 0.0, 1.0)
        return make()

    with pytest.raises(InvalidInput, match="Nothing limits the search.*Pass max_trials"):
        kt.RandomSearch(endless, **(place(tmp_path) | {"max_trials": None}))
