"""What KerasTuner's users ask for: tuned arguments of fit, folds, scores, weights, queues."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.model_selection import KFold

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.core.records import Status
from tests.helpers.small_models import DATA, LABELS, ROWS, build_few, make, outcomes, place

EVERY = [
    ("RandomSearch", {"max_trials": 2}),
    ("GridSearch", {"max_trials": 2}),
    ("BayesianOptimization", {"max_trials": 2}),
    ("Hyperband", {"max_epochs": 2, "factor": 2}),
    ("ASHA", {"max_epochs": 2, "factor": 2, "max_trials": 2}),
]


def build(hp: Any) -> keras.Model:
    return make(hp.Int("units", 4, 12, step=4))


def test_the_batch_size_is_tuned_and_stays_exact(tmp_path):
    fit_hp = {"batch_size": kt.space.choice([8, 24])}
    tuner = kt.GridSearch(lambda hp: make(), fit_hp=fit_hp, **place(tmp_path))
    tuner.search(**DATA | {"batch_size": 16}, epochs=2)
    found = outcomes(tuner.results)
    assert [config["batch_size"] for config, _, _ in found.values()] == [8, 24]
    assert tuner.results.history.trials[0].facts["training"] == "compiled"
    plain = kt.GridSearch(lambda hp: make(), **place(tmp_path, "plain"))
    plain.search(**DATA | {"batch_size": 8}, epochs=2)
    assert found[0][2] == outcomes(plain.results)[0][2]
    model = tuner.results.refit_best(**{k: v for k, v in DATA.items() if k != "batch_size"})
    assert model.evaluate(*DATA["validation_data"], verbose=0)[0] == pytest.approx(
        tuner.results.best.score, rel=1e-4
    )


def test_the_epochs_are_tuned(tmp_path):
    fit_hp = {"epochs": kt.space.integer(1, 3)}
    arguments: dict[str, Any] = {"fit_hp": fit_hp, **place(tmp_path)}
    tuner = kt.GridSearch(lambda hp: make(), **arguments)
    assert tuner.plan().trials == 3
    tuner.search(**DATA)
    trials = tuner.results.history.trials.values()
    assert [t.epoch for t in trials] == [1, 2, 3]
    assert {t.status for t in trials} == {Status.COMPLETED}
    assert tuner.results.epochs == 6 <= tuner.plan().epochs
    again = kt.GridSearch(lambda hp: make(), **arguments)
    assert outcomes(again.results) == outcomes(tuner.results)
    with pytest.raises(InvalidInput, match="tuned by fit_hp.*epochs=2"):
        again.search(**DATA, epochs=2)


@pytest.mark.parametrize(
    ("fit_hp", "message"),
    [
        ({"batchsize": kt.space.choice([8])}, "cannot tune 'batchsize'.*Did you mean 'batch_size'"),
        ({"batch_size": kt.space.choice([8.5])}, "batch_size.*whole number"),
        ({"epochs": kt.space.integer(0, 3)}, "epochs.*at least 1"),
        ([16, 32], "fit_hp must map arguments of fit"),
        ({"units": 3}, "units|cannot|must"),
    ],
)
def test_arguments_of_fit_that_cannot_be_tuned(fit_hp, message, tmp_path):
    with pytest.raises(InvalidInput, match=message):
        kt.RandomSearch(build, fit_hp=fit_hp, **place(tmp_path))


def test_a_tuner_that_plans_epochs_tunes_none(tmp_path):
    with pytest.raises(InvalidInput, match="plans the epochs itself.*'epochs'"):
        kt.Hyperband(build, fit_hp={"epochs": kt.space.integer(1, 3)}, **place(tmp_path))


def test_what_both_declare_is_refused(tmp_path):
    def twice(hp: Any) -> keras.Model:
        return make(hp.Int("batch_size", 4, 8))

    with pytest.raises(InvalidInput, match="fit_hp and build_model both declare 'batch_size'"):
        kt.RandomSearch(twice, fit_hp={"batch_size": kt.space.choice([8])}, **place(tmp_path))


@pytest.mark.parametrize(("cv", "repeats", "runs"), [(3, 2, 6), (KFold(4), None, 4)])
def test_folds_are_runs_with_curves_of_their_own(cv, repeats, runs, tmp_path):
    tuner = kt.RandomSearch(build, max_trials=1, cv=cv, repeats=repeats, **place(tmp_path))
    tuner.search(ROWS, LABELS, batch_size=16, epochs=2, verbose=0)
    (trial,) = tuner.results.history.trials.values()
    assert sorted(trial.reports) == list(range(runs))
    bests = [min(r.metrics["val_loss"] for r in run.values()) for run in trial.reports.values()]
    assert len({*bests}) == runs
    row = tuner.results.trials().iloc[0]
    assert row["score"] == pytest.approx(np.mean(bests))
    assert row["spread"] == pytest.approx(np.std(bests, ddof=1))
    assert tuner.plan().epochs == tuner.results.epochs == 2 * runs
    assert {*tuner.results.curves()["run"]} == {*range(runs)}


def test_every_sample_validates_once_and_classes_are_even():
    from kerashpo.training.data import FitData
    from kerashpo.training.folds import fold

    labels = np.repeat([0, 1], [48, 16])
    data = FitData.from_fit(np.arange(64.0)[:, None], labels, class_weight={1: 3.0})
    parts = fold(data, 4, 2, seed=0)
    assert len(parts) == 8
    for turn in (parts[:4], parts[4:]):
        assert sorted(np.concatenate([part.validation_rows for part in turn])) == list(range(64))
    for part in parts:
        assert labels[part.validation_rows].sum() == 4 and len(part.rows) == 48
        assert not {*part.rows} & {*part.validation_rows}
        # Class weights are for training alone; all folds share the arrays.
        assert {*part.weighted()[2][labels == 1]} == {3.0} and part.validation[2] is None
        assert part.x is part.validation[0] is data.x
    assert any((a.rows != b.rows).any() for a, b in zip(parts[:4], parts[4:]))


def test_folds_are_pruned_at_rungs_and_resume_exactly(tmp_path):
    def tuner(name: str, **settings: Any) -> Any:
        given = {"max_epochs": 2, "factor": 2, "cv": 2, **settings}
        return kt.Hyperband(build, **given, **place(tmp_path, name))

    whole = tuner("whole")
    whole.search(ROWS, LABELS, batch_size=16, verbose=0)
    lengths = {t.number: [len(r) for r in t.reports.values()] for t in _trials(whole)}
    assert [1, 1] in lengths.values() and [2, 2] in lengths.values()
    cut = tuner("cut", max_epochs_total=3)
    cut.search(ROWS, LABELS, batch_size=16, verbose=0)
    rest = tuner("cut")
    rest.search(ROWS, LABELS, batch_size=16, verbose=0)
    assert outcomes(rest.results) == outcomes(whole.results)


@pytest.mark.parametrize("kind", [{"cv": 3}, {"cv": 2, "repeats": 2}, {"repeats": 3}])
def test_folds_and_repetitions_are_given_up_one_by_one(kind, tmp_path):
    settings = {"max_trials": 6, "max_epochs": 2, "factor": 2, "variant": "stopping", **kind}
    data: dict[str, Any] = {"x": ROWS, "y": LABELS} if "cv" in kind else {**DATA}
    tuner = kt.ASHA(build_few, **settings, **place(tmp_path))
    tuner.search(**data | {"batch_size": 16, "verbose": 0})
    runs = kind.get("cv", 1) * kind.get("repeats", 1)
    lengths = [[len(run) for run in trial.reports.values()] for trial in _trials(tuner)]
    whole = [found for found in lengths if found == [2] * runs]
    pruned = [found for found in lengths if len(found) < runs]
    assert whole and pruned
    assert {t.status for t in _trials(tuner)} == {Status.COMPLETED, Status.STOPPED}
    assert len(tuner.results.history.best.reports) == runs
    assert len(tuner.oracle.get_best_trials(6)) == 6 - len(pruned)
    again = kt.open_study(tuner.project_dir).results
    assert outcomes(again) == outcomes(tuner.results) and again.best == tuner.results.best


def _trials(tuner: Any) -> Any:
    return tuner.results.history.trials.values()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cv": 1}, "cv must be a whole number of at least 2"),
        ({"cv": "five"}, "cv must be a whole number.*folds, or a splitter"),
        ({"repeats": 0}, "repeats must be a whole number"),
        ({"repeats": 2, "executions_per_trial": 2}, "mean the same"),
        ({"score": "first"}, "score must be"),
        ({"weights": [1, 2]}, "weights must hold a positive number"),
    ],
)
def test_invalid_arguments(settings, message, tmp_path):
    with pytest.raises(InvalidInput, match=message):
        kt.RandomSearch(build, **settings, **place(tmp_path))


def test_folds_need_arrays_and_no_validation_data(tmp_path):
    tuner = kt.RandomSearch(build, cv=3, **place(tmp_path))
    with pytest.raises(InvalidInput, match="cv expects arrays.*without"):
        tuner.search(**DATA)


@pytest.mark.parametrize("score", ["last", "mean_last_2"])
def test_the_score_that_was_asked_for(score, tmp_path):
    arguments = {"max_trials": 3, "score": score, **place(tmp_path)}
    tuner = kt.RandomSearch(build_few, **arguments)
    tuner.search(**DATA, epochs=3)
    for trial in _trials(tuner):
        values = [value for _, value in trial.curve()]
        expected = values[-1] if score == "last" else np.mean(values[-2:])
        assert trial.score == pytest.approx(expected)
    best = tuner.results.history.best
    (model,) = tuner.get_best_models()
    last = [value for _, value in best.curve()][-1]
    assert model.evaluate(*DATA["validation_data"], verbose=0)[0] == pytest.approx(last, rel=1e-5)
    again = kt.open_study(tuner.project_dir)
    assert again.results.best.score == tuner.results.best.score


def test_weights_rank_by_the_sum(tmp_path):
    objective = ["val_loss", kt.Objective("val_accuracy", "max")]
    arguments = place(tmp_path, objective=objective) | {
        "weights": {"val_loss": 1, "val_accuracy": 3}
    }
    tuner = kt.RandomSearch(build_few, max_trials=3, **arguments)
    tuner.search(**DATA, epochs=2)
    best = tuner.results.best
    sums = [
        r.metrics["val_loss"] - 3 * r.metrics["val_accuracy"]
        for trial in _trials(tuner)
        for r in trial.reports[0].values()
    ]
    assert best.score == pytest.approx(min(sums))
    front = tuner.results.pareto()
    assert [*front.columns[:3]] == ["trial", "val_loss", "val_accuracy"]
    assert best.trial in {*front["trial"]}


def test_an_objective_that_is_a_function_of_the_model(tmp_path):
    size = kt.Objective("size", "min", of=lambda model: model.count_params())
    tuner = kt.GridSearch(build, **place(tmp_path, objective=[size, "val_loss"]))
    tuner.search(**DATA)
    assert tuner.results.best.config["units"] == 4
    assert tuner.results.best.metrics["size"] == make(4).count_params()
    assert tuner.results.history.trials[0].facts["training"] == "compiled"
    assert {"size", "val_loss"} <= {*tuner.results.pareto().columns}


def test_a_function_of_the_model_that_gives_no_number(tmp_path):
    wrong = kt.Objective("size", "min", of=lambda model: "small")
    tuner = kt.RandomSearch(build, max_trials=1, **place(tmp_path, objective=wrong))
    tuner.search(**DATA)
    assert "must return a number. Received: 'small'" in tuner.results.failures()["message"][0]
    with pytest.raises(InvalidInput, match="of must be a function of the model"):
        kt.Objective("size", "min", of=3)


@pytest.mark.parametrize(("name", "settings"), EVERY)
def test_known_good_values_are_tried_first(name, settings, tmp_path):
    tuner = getattr(kt, name)(build_few, **settings, **place(tmp_path))
    tuner.enqueue({"units": 12})
    tuner.enqueue({"units": 8, "rate": 0.01})
    tuner.search(**DATA)
    configs = [dict(trial.config) for trial in _trials(tuner)]
    assert configs[:2] == [{"units": 12, "rate": 0.001}, {"units": 8, "rate": 0.01}]
    assert len({tuple(config.items()) for config in configs}) == len(configs)


def test_values_that_do_not_exist_cannot_be_enqueued(tmp_path):
    tuner = kt.RandomSearch(build_few, **place(tmp_path))
    with pytest.raises(InvalidSpace, match="no parameter 'unit'.*Did you mean 'units'"):
        tuner.enqueue({"unit": 4})


def test_a_callback_that_cannot_be_copied_comes_from_a_function(tmp_path):
    class Locked(keras.callbacks.Callback):
        def __deepcopy__(self, memo: Any) -> Any:
            raise TypeError("cannot pickle '_thread.lock' object")

    tuner = kt.RandomSearch(build, max_trials=1, **place(tmp_path))
    with pytest.raises(InvalidInput, match=r"Locked cannot be copied.*callbacks=\[lambda: Locked"):
        tuner.search(**DATA, callbacks=[Locked()])
    tuner.search(**DATA, callbacks=[lambda: Locked()])
    assert len(tuner.results) == 1
