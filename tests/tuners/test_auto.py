"""``algorithm="auto"``: what it chooses, where it says so, and that a resumed search keeps it."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo.algorithms.automatic_choice import BECAUSE, CHOSEN, choose
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective
from kerashpo.executors.registry import workers_of
from tests.helpers.small_models import DATA, build_few, outcomes, place

SPACE = kt.Space({"x": kt.space.uniform(-1, 1), "y": kt.space.uniform(-1, 1)})


def bowl(config):
    return config["x"] ** 2 + config["y"] ** 2


def configs(results):
    return [dict(trial.config) for trial in results.history.trials.values()]


def search(algorithm, **more):
    given = {"max_trials": 7, "seed": 0, "verbose": 0, **more}
    return kt.optimize(bowl, SPACE, algorithm=algorithm, **given)


def test_the_choice_follows_from_space_budget_and_workers():
    assert choose(SPACE, 50, 8)[0] == "bayesian"
    assert choose(SPACE, None, 1)[0] == choose(SPACE, 1, 1)[0] == "bayesian"
    assert choose(SPACE, 50, 1, several=True)[0] == "bayesian"
    name, because = choose(SPACE, 8, 8)
    assert name == "sobol" and "before the first result" in because
    assert choose(SPACE, 50, 8) == choose(SPACE, 50, 8)
    assert workers_of(4) == workers_of(1, kt.executors.Processes(workers=4)) == 4
    assert workers_of() == workers_of("auto") == 1


def test_it_proposes_what_the_chosen_algorithm_does():
    found = search("auto")
    assert configs(found) == configs(search("bayesian"))
    environment = found.history.environment
    assert environment[CHOSEN] == "bayesian" and environment[BECAUSE]


def test_a_resumed_search_keeps_its_choice(tmp_path):
    """Also where the raised budget or more workers would have led to another one."""
    short = search("auto", max_trials=2, directory=tmp_path, workers=2)
    assert short.history.environment[CHOSEN] == "sobol"
    longer = search("auto", max_trials=5, directory=tmp_path)
    assert longer.history.environment[CHOSEN] == "sobol"
    assert configs(longer) == configs(search("sobol", max_trials=5))


def test_it_continues_a_search_of_another_algorithm(tmp_path):
    search("tpe", max_trials=3, directory=tmp_path)
    longer = search("auto", max_trials=12, directory=tmp_path)
    assert configs(longer) == configs(search("tpe", max_trials=12))


def test_plan_display_and_report_say_what_was_chosen(tmp_path, capsys):
    tuner = kt.Search(build_few, algorithm="auto", max_trials=2, **place(tmp_path), lang="es")
    assert "auto eligió bayesian: " in str(tuner.plan())
    tuner.search(**{**DATA, "verbose": 1})
    assert "auto eligió bayesian: " in capsys.readouterr().out
    report = tuner.results.report(tmp_path / "report.md").read_text(encoding="utf-8")
    assert "algoritmo que eligió auto" in report and "bayesian" in report
    again = kt.Search(build_few, algorithm="auto", max_trials=2, **place(tmp_path), lang="es")
    assert str(again.plan()).splitlines()[-1] == str(tuner.plan()).splitlines()[-1]
    search("auto", verbose=2, lang="en", max_trials=2)
    assert "auto chose bayesian: " in capsys.readouterr().out


def test_it_works_under_schedules_and_as_an_oracle(tmp_path):
    named = {}
    for algorithm in ("auto", "bayesian"):
        oracle = kt.oracles.SearchOracle("val_loss", 2, algorithm=algorithm, seed=0)
        tuner = kt.Tuner(oracle, build_few, directory=tmp_path, project_name=algorithm)
        tuner.search(**DATA)
        named[algorithm] = outcomes(tuner.results)
    assert named["auto"] == named["bayesian"]
    tuner = kt.ASHA(build_few, max_epochs=3, max_trials=3, algorithm="auto", **place(tmp_path))
    tuner.search(**DATA)
    assert len(tuner.results.trials()) == 3


def test_an_option_of_one_algorithm_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no argument 'gamma'.*'auto'"):
        search("auto", gamma=0.2, directory=tmp_path / "study")
    assert not (tmp_path / "study").exists()
    several = [Objective("a", "min"), Objective("b", "min")]
    pair = kt.optimize(
        lambda c: {"a": c["x"], "b": c["y"]}, SPACE, algorithm="auto", objective=several,
        max_trials=3, seed=0, verbose=0,
    )  # fmt: skip
    assert pair.history.environment[CHOSEN] == "bayesian"
