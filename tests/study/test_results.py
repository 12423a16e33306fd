"""`Results`: the same answers from memory and from the log."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

import kerashpo as kt
from kerashpo.core.events import Ended, JobStarted, Reported, SessionEnded, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Report, Start, Status
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.successive_halving import Halving
from kerashpo.space import Space, choice, uniform, when
from kerashpo.study.loop import Limits
from kerashpo.study.results import Results
from kerashpo.testing import CurveStudy

SPACE = Space(
    {"lr": uniform(0.1, 1.0), "o": choice(["sgd", "adam"])},
    when("o", "sgd", {"momentum": uniform(0.0, 0.9)}),
)


@pytest.fixture(scope="module")
def results():
    return Results(CurveStudy(lambda: Halving(9, 3), space=SPACE, seed=1).history())


def test_a_row_for_each_trial(results):
    frame = results.trials()
    assert list(frame.columns) == [
        *("trial", "status", "score", "best_epoch", "epochs", "seconds", "error"),
        *("param_lr", "param_o", "param_momentum"),
    ]
    assert frame["trial"].tolist() == list(range(9))
    assert frame["epochs"].sum() == results.epochs == 21


def test_inactive_parameters_are_missing(results):
    frame = results.trials()
    assert 0 < (frame["param_o"] == "adam").sum() < 9
    assert (frame["param_momentum"].isna() == (frame["param_o"] == "adam")).all()


def test_a_row_for_each_epoch_and_metric(results):
    frame = results.curves()
    assert list(frame.columns) == ["trial", "epoch", "metric", "value", "seconds", "elapsed"]
    assert len(frame) == results.epochs
    assert (frame["seconds"] == frame["epoch"]).all()
    assert frame.sort_values("elapsed")["trial"].iloc[:9].tolist() == list(range(9))


def test_the_best_is_the_best_row(results):
    frame = results.trials()
    row = frame.loc[frame["score"].idxmin()]
    best = results.best
    assert (best.trial, best.score, best.epoch) == (row["trial"], row["score"], row["best_epoch"])
    assert best.config["lr"] == row["param_lr"]
    assert best.metrics == {"value": best.score}


def test_failed_trials_have_their_error():
    def curve(config, epoch):
        raise MemoryError("out of memory")

    limits = Limits(Budget(max_trials=2))
    results = Results(CurveStudy(lambda: Full(3), curve, SPACE, limits=limits).history())
    assert results.trials()["error"].tolist() == ["MemoryError: out of memory"] * 2
    assert results.trials()["best_epoch"].isna().all()
    assert results.failures()["kind"].tolist() == ["fit", "fit"]


def test_scores_of_nan_are_missing():
    limits = Limits(Budget(max_trials=1))
    search = CurveStudy(lambda: Full(2), lambda c, e: math.nan, SPACE, limits=limits)
    frame = Results(search.history()).trials()
    assert frame["score"].isna().all()
    assert frame["epochs"].tolist() == [2]


def test_answers_follow_a_growing_history():
    log = CurveStudy(lambda: Halving(9, 3), space=SPACE).run()
    history = History(log[:1])
    results = Results(history)
    assert len(results.trials()) == len(results.curves()) == 0
    for event in log[1:]:
        history.apply(event)
    assert len(results) == 9


def test_tables_are_written(results, tmp_path):
    results.to_csv(tmp_path / "tables")
    frame = pd.read_csv(tmp_path / "tables" / "trials.csv")
    assert frame["score"].tolist() == pytest.approx(results.trials()["score"].tolist())
    assert len(pd.read_csv(tmp_path / "tables" / "curves.csv")) == results.epochs


def test_everything_is_in_one_json_file(results, tmp_path):
    results.to_json(tmp_path / "new" / "study.json")
    body = json.loads((tmp_path / "new" / "study.json").read_text())
    assert body["best"] == results.best.trial
    assert body["objectives"] == [{"name": "value", "direction": "min"}]
    trials, curves = results.trials(), results.curves()
    assert [t["score"] for t in body["trials"]] == pytest.approx(trials["score"].tolist())
    assert sum(len(t["curves"]) for t in body["trials"]) == results.epochs
    given = [
        (t["trial"], e["epoch"], e["metrics"]["value"]) for t in body["trials"] for e in t["curves"]
    ]
    of_loss = curves[curves["metric"] == "value"]
    assert given == [*zip(of_loss["trial"], of_loss["epoch"], of_loss["value"])]


def test_json_has_no_number_that_json_does_not_know(tmp_path):
    space = {"f": kt.space.choice([abs, len]), "x": kt.space.uniform(0, 1)}
    values = iter([1.0, math.nan, 2.0])
    found = kt.optimize(lambda c: next(values), space, max_trials=3, seed=0, verbose=0)
    found.to_json(tmp_path / "study.json")
    body = json.loads((tmp_path / "study.json").read_text(), parse_constant=pytest.fail)
    assert [trial["score"] for trial in body["trials"]] == [1.0, None, 2.0]
    assert {trial["config"]["f"] for trial in body["trials"]} <= {"builtins.abs", "builtins.len"}


def test_it_introduces_itself(results):
    assert repr(results).startswith("<Results: 9 trials (8 stopped, 1 completed), 21 epochs, best")
    assert "<table" in results._repr_html_()


def test_nothing_yet_is_no_error():
    empty = Results(History(CurveStudy(lambda: Halving(9, 3), space=SPACE).run()[:1]))
    assert repr(empty) == "<Results: 0 trials (none yet), 0 epochs>"
    assert empty.stopped is None


def test_a_notebook_shows_the_best_ten_and_escapes():
    space = Space({"<b>": uniform(0.0, 1.0)})
    limits = Limits(Budget(max_trials=12))
    results = Results(
        CurveStudy(lambda: Full(1), lambda c, e: c["<b>"], space, limits=limits).history()
    )
    shown = results._repr_html_()
    assert shown.count("<tr") == 11 and "2 more in results.trials()" in shown
    assert "<b>" not in shown and "&lt;b&gt;" in shown


def test_a_notebook_speaks_spanish(results):
    spanish = Results(results.history, lang="es")
    shown = spanish._repr_html_()
    assert "<th>mejor época</th>" in shown and "<td>detenido</td>" in shown
    assert f"{results.best.score:.6g}".replace(".", ",") in shown
    assert repr(spanish).startswith(
        "<Results: 9 ensayos (8 detenidos, 1 completo), 21 épocas, mejor"
    )


def test_the_best_has_no_more_digits_than_say_something(results):
    best = results.best
    assert len(f"{best.score!r}") > 8
    assert f"score={best.score:.6g}," in repr(best) and f"'lr': {best.config['lr']:.6g}" in repr(
        best
    )


def test_ties_are_said_aloud():
    history = study_of([1.0, 1.0, 1.0, 0.5], validation_samples=91)
    assert "3 of 4 trials tie at the best val_accuracy, 1.0000" in Results(history).best.note
    assert "with 91 validation rows" in repr(Results(history).best)
    assert "about 680 rows would show one point." in Results(history)._repr_html_()
    assert "empatan en el mejor val_accuracy, 1,0000" in Results(history, lang="es").best.note
    assert study_of([1.0, 1.0]).best is not None and Results(study_of([1.0, 1.0])).best.note == ""


def study_of(scores, **sizes):
    history = History([StudyCreated({"params": []}, (("val_accuracy", "max"),), 0, {}, sizes)])
    for number, score in enumerate(scores):
        history.apply(JobStarted(Start(number, {}, 1)))
        history.apply(Reported(Report(number, 0, 1, {"val_accuracy": score}, 1.0)))
        history.apply(Ended(number, Status.COMPLETED, ""))
    return history


def test_an_interrupted_search_is_partial():
    history = study_of([0.5])
    history.apply(SessionEnded("interrupted", False))
    assert "interrupted: the search is partial" in repr(Results(history))


def test_failures_are_written_too(results, tmp_path):
    results.to_csv(tmp_path)
    assert (tmp_path / "failures.csv").read_text().startswith("trial,kind,message")
