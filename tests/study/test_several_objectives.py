"""Several objectives: the knee as the best trial, the ranking, the front that is kept, refusals."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import (
    Ended,
    JobStarted,
    Reported,
    SessionEnded,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.objective import WEIGHTED
from kerashpo.core.records import Plan, Report, Start, Status
from kerashpo.display.lines import LineDisplay
from kerashpo.display.progress import Progress
from kerashpo.display.summary import results_line, results_text
from kerashpo.i18n.texts import Texts
from kerashpo.space import Space, choice, uniform
from kerashpo.store.blobs import MemoryBlobs, best_key
from kerashpo.study.results import Results, results_html
from kerashpo.study.retention import Retention

SPACE = Space({"x": uniform(0.0, 1.0), "y": uniform(0.0, 1.0)})
TWO = [kt.Objective("f1", "min"), kt.Objective("f2", "min")]
# The front is 0, 1, 2; its ideal point (0, 0), its knee 1; 3 is dominated by 1, 4 has no f2.
ROWS = [(0.0, 10.0), (2.0, 3.0), (10.0, 0.0), (4.0, 4.0), (-1.0, math.nan)]


def study(rows, objectives=(("f1", "min"), ("f2", "min")), statuses=()):
    history = History([StudyCreated(SPACE.to_json(), objectives, 0)])
    for number, values in enumerate(rows):
        config = {"x": number / 10, "y": 0.5}
        history.apply(JobStarted(Start(number, config, 1)))
        metrics = dict(zip((name for name, _ in objectives), values))
        history.apply(Reported(Report(number, 0, 1, metrics, 1.0)))
        status = dict(statuses).get(number, Status.COMPLETED)
        history.apply(Ended(number, status, ""))
    return history


def test_the_best_trial_is_the_knee_of_the_front():
    best = Results(study(ROWS), SPACE).best
    assert (best.trial, best.score) == (1, 2.0)
    assert best.metrics == {"f1": 2.0, "f2": 3.0}


def test_the_ranking_goes_front_by_front_from_the_knee_and_ends_with_trials_without_a_value():
    history = study(ROWS)
    assert history.ranking() == [1, 0, 2, 3, 4]
    assert history.ranking([4, 3, 2, 0]) == [3, 0, 2, 4]
    assert [history.scored(n) for n in range(5)] == [True, True, True, True, False]
    assert history.front() == [0, 1, 2]


def test_a_failed_trial_is_not_on_the_front():
    history = study(ROWS, statuses=[(1, Status.FAILED)])
    assert history.best.number == 3
    assert history.front() == [0, 2, 3]


def test_the_knee_follows_the_front_as_trials_come():
    for rows in (ROWS[:1], ROWS[:2], ROWS[:3], ROWS):
        history = study(rows)
        again = History()
        for event in _events(rows):
            again.apply(event)
            _ = again.best  # asked at every event, and not only at the end
        assert again.best.number == history.best.number


def _events(rows):
    yield StudyCreated(SPACE.to_json(), (("f1", "min"), ("f2", "min")), 0)
    for number, (one, two) in enumerate(rows):
        yield JobStarted(Start(number, {"x": number / 10, "y": 0.5}, 1))
        yield Reported(Report(number, 0, 1, {"f1": one, "f2": two}, 1.0))
        yield Ended(number, Status.COMPLETED, "")


@pytest.mark.parametrize("units", [(8.0, 0.25), (1e-12, 1e12)])
def test_units_directions_and_order_do_not_change_the_ranking(units):
    rng = np.random.default_rng(0)
    rows = rng.random((30, 2))
    plain = study(rows).ranking()
    assert study(rows * units).ranking() == plain
    assert study(rows[:, ::-1], (("f2", "min"), ("f1", "min"))).ranking() == plain
    assert study(rows * (1, -1), (("f1", "min"), ("f2", "max"))).ranking() == plain


def test_what_a_rung_compares_is_of_the_best_epoch_so_far():
    history = History([StudyCreated(SPACE.to_json(), (("f1", "min"), ("f2", "max")), 0)])
    history.apply(JobStarted(Start(0, {"x": 0.1, "y": 0.5}, 3)))
    for epoch, (one, two) in enumerate([(3.0, 0.1), (1.0, 0.5), (2.0, 0.9)], start=1):
        history.apply(Reported(Report(0, 0, epoch, {"f1": one, "f2": two}, 1.0)))
    assert history.costs(0, 1) == (3.0, -0.1)
    assert history.costs(0, 3) == history.costs(0) == (1.0, -0.5)


def test_the_weights_of_the_whole_front_are_kept():
    blobs, retention = MemoryBlobs(), None
    history = History()
    for event in _events([*ROWS[:4], (3.0, 2.5)]):
        history.apply(event)
        if isinstance(event, JobStarted):
            blobs.put(best_key(event.job.trial), b"weights")
        retention = retention or Retention(blobs, 1.0)
        retention.on_event(event, history)
    kept = [n for n in range(5) if blobs.get(best_key(n)) is not None]
    assert kept == history.front() == [0, 1, 2, 4]


def fn(config):
    return {"f1": config["x"], "f2": (1 + config["y"]) * (1 - math.sqrt(config["x"]))}


def search(objective=TWO, function=fn, space=SPACE, algorithm="random", **options):
    more = {"max_trials": 12, "seed": 0, "verbose": 0, **options}
    return kt.optimize(function, space, objective=objective, algorithm=algorithm, **more)


def test_a_function_of_several_objectives():
    results = search()
    front = results.pareto()
    assert [*front.columns] == ["trial", "f1", "f2", "param_x", "param_y"]
    assert results.best.trial in {*front["trial"]}
    assert {*front["trial"]} == {*results.history.front()}


def test_the_table_of_trials_has_a_column_for_each_objective():
    trials = Results(study(ROWS), SPACE).trials()
    assert [*trials.columns[:5]] == ["trial", "status", "score", "f1", "f2"]
    assert [*trials["f1"]] == [one for one, _ in ROWS[:4]] + [-1.0]
    assert [*trials["f2"][:4]] == [two for _, two in ROWS[:4]]
    assert math.isnan(trials["f2"][4])
    single = Results(study([(1.0,)], (("f1", "min"),)), SPACE).trials()
    assert "f1" not in single


def test_an_objective_named_like_a_column_has_one_of_its_own():
    rows = Results(study(ROWS, (("f1", "min"), ("seconds", "max"))), SPACE).trials()
    assert rows["objective_seconds"][1] == 3.0
    assert rows["seconds"][1] == 1.0


def test_the_parts_of_a_weighted_sum_have_columns():
    goal = ((WEIGHTED, "min"), ("f1", "min"), ("f2", "max"))
    trials = Results(study([(5.0, 1.0, 2.0)], goal), SPACE).trials()
    assert [*trials.loc[0, ["score", "f1", "f2"]]] == [5.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("lang", "goals", "trial", "found"),
    [
        ("en", "Objectives: f1 (min), f2 (min)", "Trial 1   f1 2, f2 3 at epoch 1",
         "Pareto front of 3 trials, knee f1 2, f2 3 by trial 1"),
        ("es", "Objetivos: f1 (min), f2 (min)", "Ensayo 1   f1 2, f2 3 en la época 1",
         "frente de Pareto de 3 ensayos, codo f1 2, f2 3 del ensayo 1"),
    ],
)  # fmt: skip
def test_summaries_name_every_objective(lang, goals, trial, found):
    history, texts = study(ROWS), Texts.of(lang)
    text = results_text(history, SPACE, history.ranking()[:2], "runs", texts)
    assert goals in text
    assert trial in text
    assert found in results_line(history, texts)
    page = results_html(history, SPACE, texts)
    assert "<th>f1</th>" in page
    assert "<th>f2</th>" in page


def test_a_display_shows_all_objectives_the_front_and_its_knee():
    out = io.StringIO()
    progress = Progress("NSGA2", Plan((), 5, 5), None)
    display, history = LineDisplay(progress, out), History()
    started = [SessionStarted(0.0)]
    for event in (*_events(ROWS[:2]), *started, SessionEnded("finished", True)):
        history.apply(event)
        display.on_event(event, history)
    text = out.getvalue()
    assert "trial 1 completed: f1 2, f2 3   Pareto front of 2 trials" in text
    assert "f1 min, f2 min" in text
    assert "Pareto front of 2 trials   knee f1 0.0000, f2 10   trial 0\n" in text


@pytest.mark.parametrize(
    ("lang", "verdict"),
    [
        ("en", "The search found a Pareto front of 3 trials; its knee is f1 2, f2 3: trial 1 at"),
        ("es", "encontró un frente de Pareto de 3 ensayos; su codo es f1 2, f2 3: el ensayo 1 en"),
    ],
)
def test_the_report_begins_with_the_front_and_its_knee(lang, verdict, tmp_path):
    results = Results(study(ROWS), SPACE)
    assert verdict in results.report(tmp_path / "report.md", lang).read_text("utf-8")


def test_one_objective_in_a_list_is_the_single_search():
    alone = kt.optimize(
        fn, SPACE, metric="f1", algorithm="bayesian", max_trials=7, seed=0, verbose=0
    )
    listed = search(TWO[:1], algorithm="bayesian", max_trials=7)
    assert alone.trials().drop(columns="seconds").equals(listed.trials().drop(columns="seconds"))


def test_nan_in_one_objective_fails_the_trial():
    results = search(function=lambda config: {"f1": 1.0, "f2": math.nan}, max_trials=2)
    assert [*results.failures()["message"]] == ["f2 was nan"] * 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "cmaes"}, "'cmaes' optimises one objective.*f1, f2.*weights=.*random"),
        ({"algorithm": "de"}, "'de' optimises one objective"),
        ({"algorithm": "pso"}, "'pso' optimises one objective"),
        ({"algorithm": "policy"}, "'policy' optimises one objective"),
        ({"weights": [1.0, 2.0]}, "Have it return the weighted sum"),
        ({"direction": "max"}, "leave out metric and direction"),
        ({"objective": [*TWO, "f1_loss", TWO[0]]}, "names 'f1' more than once"),
        ({"objective": kt.Objective("f", "min", of=len)}, "none is trained here"),
        ({"objective": []}, "name at least one metric"),
    ],
)
def test_a_search_that_is_invalid_is_refused_by_name(change, message):
    def never(config):
        raise AssertionError("called")

    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        search(function=never, **change)


@pytest.mark.parametrize("value", [1.0, {"f1": 1.0}])
def test_a_function_must_return_every_objective(value):
    with pytest.raises(InvalidInput, match="must return a mapping with 'f1', 'f2'"):
        search(function=lambda config: value)


def test_tuners_refuse_what_compares_one_objective(tmp_path):
    def never(hp):
        hp.Choice("units", [1, 2])
        raise AssertionError("built")

    shared = {"objective": ["val_loss", "val_accuracy"], "directory": tmp_path}
    with pytest.raises(InvalidInput, match="'median' compares trials by one objective"):
        kt.RandomSearch(never, scheduler="median", max_trials=2, **shared)


def test_a_small_space_is_exhausted():
    space = Space({"x": choice([0.1, 0.5]), "y": choice([0.0, 1.0])})
    results = search(space=space)
    assert (len(results), results.stopped) == (4, "space exhausted")
