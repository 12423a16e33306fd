"""The tuners: KerasTuner's verbs, plans that hold, searches that repeat."""

from __future__ import annotations

import errno
import inspect
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pandas as pd
import pytest

import kerashpo as kt
from kerashpo.core.errors import ConsecutiveFailures, DiskFull, InvalidInput, StudyMismatch
from kerashpo.core.events import Reported
from kerashpo.core.records import Status
from kerashpo.store.journal import JournalStore
from tests.helpers.small_models import DATA, LABELS, ROWS, build, build_few, make, outcomes, place

TUNERS = ["Hyperband", "BayesianOptimization", "RandomSearch", "GridSearch"]
OWN = {
    "max_epochs", "factor", "hyperband_iterations", "num_initial_points", "alpha", "beta",
    "max_trials",
}  # fmt: skip


@pytest.fixture(scope="module")
def hyperband(tmp_path_factory: pytest.TempPathFactory) -> kt.Hyperband:
    """A finished search that tests only read."""
    folder = tmp_path_factory.mktemp("hyperband")
    tuner = kt.Hyperband(build, max_epochs=4, factor=2, **place(folder))
    tuner.search(**DATA)
    return tuner


@pytest.mark.parametrize("name", TUNERS)
def test_keras_tuners_arguments_are_taken(name):
    theirs = list(inspect.signature(getattr(keras_tuner, name)).parameters)
    ours = list(inspect.signature(getattr(kt, name)).parameters)
    own = [p for p in theirs if p in OWN]
    shared = ["hypermodel", "objective", *own]
    assert ours[: len(shared)] == shared
    defaults = inspect.signature(getattr(keras_tuner, name)).parameters
    mine = inspect.signature(getattr(kt, name)).parameters
    assert {p: mine[p].default for p in own} == {p: defaults[p].default for p in own}


def test_the_shared_arguments_of_keras_tuner_are_taken(tmp_path):
    tuner = kt.RandomSearch(
        build,
        objective=keras_tuner.Objective("val_accuracy", "max"),
        max_trials=1,
        seed=3,
        hyperparameters=None,
        tune_new_entries=True,
        allow_new_entries=True,
        max_retries_per_trial=1,
        max_consecutive_failed_trials=2,
        executions_per_trial=1,
        max_model_size=None,
        optimizer="sgd",
        loss="mse",
        metrics=["accuracy"],
        distribution_strategy=None,
        directory=str(tmp_path),
        project_name="p",
        overwrite=True,
    )
    tuner.search(**DATA)
    (model,) = tuner.get_best_models()
    assert (type(model.optimizer).__name__, model.loss) == ("SGD", "mse")


def test_the_plan_holds(hyperband):
    plan = hyperband.plan()
    results = hyperband.results
    assert (len(results), results.epochs) == (plan.trials, plan.epochs)
    assert results.stopped == "finished"
    assert {t.status for t in results.history.trials.values()} == {
        Status.COMPLETED,
        Status.STOPPED,
    }


def test_promoted_trials_have_no_gaps(hyperband):
    for trial in hyperband.results.history.trials.values():
        assert sorted(trial.reports[0]) == list(range(1, trial.epoch + 1))


def test_best_models_give_what_was_recorded(hyperband):
    (model,) = hyperband.get_best_models(1)
    best = hyperband.results.best
    found = model.evaluate(*DATA["validation_data"], verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(best.metrics["val_loss"], rel=1e-5)
    assert found["accuracy"] == pytest.approx(best.metrics["val_accuracy"])
    assert best.score == best.metrics["val_loss"]


def test_best_hyperparameters_build_the_same_model(hyperband):
    first, second = hyperband.get_best_hyperparameters(2)
    assert isinstance(first, keras_tuner.HyperParameters)
    assert first.values == hyperband.results.best.config
    assert second.values != first.values
    model = hyperband.hypermodel.build(first)
    assert model.layers[0].units == first.get("units")


def test_more_models_than_trials_are_the_trials(hyperband):
    assert len(hyperband.get_best_hyperparameters(1000)) == len(hyperband.results)


def test_summaries(hyperband, capsys):
    hyperband.search_space_summary()
    assert "2 parameters" in capsys.readouterr().out
    hyperband.results_summary(2)
    out = capsys.readouterr().out
    assert out.count("Trial ") == 2 and "val_loss (min)" in out


def test_tables(hyperband):
    trials, curves = hyperband.results.trials(), hyperband.results.curves()
    assert isinstance(trials, pd.DataFrame) and len(trials) == len(hyperband.results)
    assert {"trial", "status", "score", "best_epoch", "param_units", "param_rate"} <= {*trials}
    assert len(curves) == 4 * hyperband.results.epochs
    assert (curves.groupby(["trial", "metric"]).elapsed.diff().dropna() > 0).all()


def test_a_study_opens_without_the_tuner(hyperband):
    study = kt.open_study(hyperband.project_dir)
    assert outcomes(study.results) == outcomes(hyperband.results)
    assert study.results.best == hyperband.results.best


def test_an_equal_seed_gives_equal_trials_and_curves(hyperband, tmp_path):
    runs = {}
    for seed in (0, 1):
        tuner = kt.Hyperband(
            build, max_epochs=4, factor=2, **place(tmp_path, f"s{seed}", seed=seed)
        )
        tuner.search(**DATA)
        runs[seed] = outcomes(tuner.results)
    assert runs[0] == outcomes(hyperband.results)
    assert runs[0] != runs[1]


def test_searching_a_finished_study_trains_nothing(hyperband):
    before = outcomes(hyperband.results)
    again = kt.Hyperband(
        build, "val_loss", 4, 2, seed=0, directory=Path(hyperband.project_dir).parent,
        project_name="study",
    )  # fmt: skip
    assert outcomes(again.results) == before
    with pytest.warns(UserWarning, match="finished.*callbacks: was None, now .*Forbidden"):
        again.search(**DATA, callbacks=[Forbidden()])
    assert outcomes(again.results) == before


class Forbidden(keras.callbacks.Callback):
    """Fails the trial that is trained with it."""

    def on_train_begin(self, logs: Any = None) -> None:
        raise AssertionError("trained again")


@pytest.mark.parametrize("name", ["RandomSearch", "GridSearch", "BayesianOptimization"])
def test_a_small_space_is_searched_to_its_end_without_repeats(name, tmp_path):
    tuner = getattr(kt, name)(build_few, max_trials=50, **place(tmp_path))
    assert tuner.plan().trials == 6
    tuner.search(**DATA)
    configs = {tuple(t.config.items()) for t in tuner.results.history.trials.values()}
    assert len(tuner.results) == len(configs) == 6
    assert tuner.results.stopped == "space exhausted"


def test_hyperband_shrinks_to_a_small_space(tmp_path):
    tuner = kt.Hyperband(build_few, max_epochs=4, factor=2, **place(tmp_path))
    assert tuner.plan().trials == 6
    tuner.search(**DATA)
    assert (len(tuner.results), tuner.results.epochs) == (6, tuner.plan().epochs)


def test_full_tuners_know_their_epochs_once_search_does(tmp_path):
    tuner = kt.RandomSearch(build, max_trials=2, **place(tmp_path))
    assert (tuner.plan().trials, tuner.plan().epochs) == (2, None)
    tuner.search(**DATA, epochs=2)
    assert tuner.plan().epochs == tuner.results.epochs == 4


def test_more_trials_continue_where_fewer_ended(tmp_path):
    first = kt.RandomSearch(build, max_trials=1, **place(tmp_path))
    first.search(**DATA)
    second = kt.RandomSearch(build, max_trials=2, **place(tmp_path))
    second.search(**DATA)
    whole = kt.RandomSearch(build, max_trials=2, **place(tmp_path, "whole"))
    whole.search(**DATA)
    assert outcomes(second.results) == outcomes(whole.results)


def test_a_wider_search_keeps_the_earlier_trials(tmp_path):
    def wider(hp: Any) -> keras.Model:
        hp.Choice("new", ["as before", "other"])
        return make(hp.Int("units", 4, 48, step=4), hp.Float("rate", 1e-4, 1e-1, sampling="log"))

    first = kt.RandomSearch(build, max_trials=2, **place(tmp_path))
    first.search(**DATA)
    with pytest.raises(StudyMismatch, match="resume='extend'"):
        kt.RandomSearch(wider, max_trials=4, **place(tmp_path))
    second = kt.RandomSearch(wider, max_trials=4, resume="extend", **place(tmp_path))
    second.search(**DATA, epochs=2)
    trials = second.results.history.trials
    assert [trials[n].config["new"] for n in range(2)] == ["as before", "as before"]
    assert [trial.epochs for trial in trials.values()] == [1, 1, 2, 2]
    assert second.get_best_models(4)


def test_two_executions_a_trial(tmp_path):
    tuner = kt.RandomSearch(build_few, max_trials=1, executions_per_trial=2, **place(tmp_path))
    tuner.search(**DATA, epochs=2)
    (trial,) = tuner.results.history.trials.values()
    bests = [min(r.metrics["val_loss"] for r in run.values()) for run in trial.reports.values()]
    assert len(bests) == 2 and bests[0] != bests[1]
    assert trial.score == pytest.approx(sum(bests) / 2)
    assert {*tuner.results.curves()["run"]} == {0, 1}
    found = tuner.get_best_models(1)[0].evaluate(*DATA["validation_data"], verbose=0)
    assert found[0] == pytest.approx(min(bests), rel=1e-5)


def test_a_build_that_raises_for_some_values(tmp_path):
    def fragile(hp: Any) -> keras.Model:
        if hp.Int("units", 4, 12, step=4) == 8:
            print("a tale of eight units")
            raise RuntimeError("eight units")
        return make(hp.get("units"))

    tuner = kt.GridSearch(fragile, **place(tmp_path))
    tuner.search(**DATA)
    failures = tuner.results.failures()
    assert list(failures["trial"]) == [1]
    assert failures["message"][0] == "RuntimeError: eight units"
    assert "fragile" in failures["traceback"][0]
    assert failures["output"][0] == "a tale of eight units\n"
    assert (failures["kind"][0], failures["config"][0]) == ("build", {"units": 8})
    assert [t.status.value for t in tuner.results.history.trials.values()] == [
        "COMPLETED", "FAILED", "COMPLETED",
    ]  # fmt: skip
    assert len(tuner.get_best_hyperparameters(10)) == 2


def test_a_model_too_large_for_the_memory_fails_its_trial_alone(tmp_path):
    def large(hp: Any) -> keras.Model:
        if hp.Int("units", 4, 12, step=4) == 8:
            np.zeros(10**15)
        return make(hp.get("units"))

    tuner = kt.GridSearch(large, **place(tmp_path))
    tuner.search(**DATA)
    assert list(tuner.results.failures()["kind"]) == ["memory"]
    assert tuner.results.stopped == "space exhausted" and len(tuner.results) == 3


def test_a_full_disk_stops_the_search_and_more_room_lets_it_continue(tmp_path, monkeypatch):
    whole = kt.RandomSearch(build, max_trials=3, **place(tmp_path, "whole"))
    whole.search(**DATA, epochs=2)
    tuner = kt.RandomSearch(build, max_trials=3, **place(tmp_path))
    room = [2]

    def sync(handle: int) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", sync)
        with pytest.raises(DiskFull, match=r"checkpoints.*Free some space and run the same search"):
            tuner.search(**DATA, epochs=2)
    cut = kt.open_study(tmp_path / "study").history
    assert (cut.stopped, cut.failed) == ("disk full", 0)
    tuner.search(**DATA, epochs=2)
    assert outcomes(tuner.results) == outcomes(whole.results)


def test_a_callback_without_room_for_its_file_stops_the_search_and_fails_no_trial(tmp_path):
    room = []

    class Writing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1 and not room:
                raise OSError(errno.ENOSPC, "No space left on device", "epochs.log")

    def search(name: str) -> Any:
        tuner = kt.RandomSearch(build, max_trials=2, **place(tmp_path, name))
        tuner.search(**DATA, epochs=2, callbacks=[Writing()])
        return tuner.results

    with pytest.raises(DiskFull, match=r"what is trained cannot write .*epochs\.log"):
        search("study")
    cut = kt.open_study(tmp_path / "study").history
    assert (cut.stopped, cut.failed, cut.epochs) == ("disk full", 0, 1)
    room.append("some")
    assert outcomes(search("study")) == outcomes(search("whole"))


def test_a_log_that_cannot_be_written_stops_the_search_and_fails_no_trial(tmp_path, monkeypatch):
    whole = kt.RandomSearch(build, max_trials=3, **place(tmp_path, "whole"))
    whole.search(**DATA, epochs=2)
    tuner = kt.RandomSearch(build, max_trials=3, **place(tmp_path))
    append = JournalStore.append

    def broken(store: JournalStore, event: Any) -> None:
        if isinstance(event, Reported) and event.report.trial == 1:
            raise InvalidInput("Cannot write: input/output error.")
        append(store, event)

    with monkeypatch.context() as patch:
        patch.setattr(JournalStore, "append", broken)
        with pytest.raises(InvalidInput, match="input/output error"):
            tuner.search(**DATA, epochs=2)
    assert kt.open_study(tmp_path / "study").history.failed == 0
    tuner.search(**DATA, epochs=2)
    assert outcomes(tuner.results) == outcomes(whole.results)


def test_a_streak_of_failures_ends_the_search_and_keeps_what_was_done(tmp_path):
    broken = [True]

    def fragile(hp: Any) -> keras.Model:
        if hp.Int("units", 1, 30) > 1 and broken:
            raise RuntimeError("not today")
        return make(hp.get("units"))

    tuner = kt.RandomSearch(fragile, max_trials=5, **place(tmp_path))
    with pytest.raises(ConsecutiveFailures, match="3 trials failed.*not today"):
        tuner.search(**DATA)
    assert len(tuner.results) == 3
    broken.clear()
    tuner.search(**DATA)
    assert [t.status.value for t in tuner.results.history.trials.values()] == [
        *3 * ["FAILED"],
        *2 * ["COMPLETED"],
    ]


def test_retries_are_counted(tmp_path):
    tries = []

    def flaky(hp: Any) -> keras.Model:
        if hp.Int("units", 2, 30) > 2:
            tries.append(1)
            if len(tries) == 1:
                raise RuntimeError("once")
        return make(hp.get("units"))

    tuner = kt.RandomSearch(flaky, max_trials=1, max_retries_per_trial=1, **place(tmp_path))
    tries.clear()
    tuner.search(**DATA)
    (trial,) = tuner.results.history.trials.values()
    assert trial.status is Status.COMPLETED and trial.facts["retries"] == 1


def test_a_dataset_is_read_in_compiled_epochs(tmp_path):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((ROWS, LABELS)).batch(32)
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    tuner.search(data, validation_data=data, verbose=0)
    (trial,) = tuner.results.history.trials.values()
    assert trial.facts["training"] == "compiled"
    assert tuner.results.history.settings["data"] is None


def test_results_before_a_search_say_so(tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path))
    with pytest.raises(InvalidInput, match=r"call search\(x, y"):
        tuner.results  # noqa: B018


def test_overwrite_starts_again(tmp_path):
    for overwrite in (False, True):
        tuner = kt.RandomSearch(
            build_few, max_trials=1, overwrite=overwrite, **place(tmp_path, seed=int(overwrite))
        )
        tuner.search(**DATA)
        assert tuner.results.seed == int(overwrite)


def test_fit_verbose_is_keras_own(tmp_path, capsys):
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    tuner.search(**DATA, fit_verbose=2)
    assert "val_loss" in capsys.readouterr().out


def test_silence(tmp_path, capsys):
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    tuner.search(**DATA)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_plan_prints_itself_and_reports_the_time_once_it_can(tmp_path):
    tuner = kt.Hyperband(build_few, max_epochs=3, **place(tmp_path))
    assert "bracket" in str(tuner.plan())
    assert "about" not in str(tuner.plan())
    tuner.search(**DATA)
    assert "about" in str(tuner.plan())
    assert "<table" in tuner.plan()._repr_html_()
