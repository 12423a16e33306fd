"""`optimize`: any function, resumed, bounded, failing, and every argument that is wrong."""

from __future__ import annotations

import math
import signal

import numpy as np
import pytest

import kerashpo as kt
from kerashpo import space
from kerashpo.core.errors import InvalidInput, InvalidSpace, NoResult, StudyMismatch

LINE = {"x": space.uniform(-1.0, 1.0)}
THREE = {"n": space.integer(1, 3)}


def parabola(config):
    return (config["x"] - 0.25) ** 2


def search(fn=parabola, where=LINE, **kwargs):
    return kt.optimize(fn, where, **{"algorithm": "random", "max_trials": 5, "seed": 0, **kwargs})


def configs(results):
    return [trial.config for trial in results.history.trials.values()]


class Counted:
    """A function that counts its calls."""

    def __init__(self, fn=parabola):
        self.calls = 0
        self._fn = fn

    def __call__(self, config):
        self.calls += 1
        return self._fn(config)


@pytest.mark.parametrize("algorithm", ["random", "sobol", "bayesian"])
def test_it_minimises_by_default(algorithm):
    results = search(algorithm=algorithm, max_trials=12)
    scores = [trial.score for trial in results.history.trials.values()]
    assert results.best.score == min(scores) == parabola(results.best.config)
    assert len(results) == 12


def test_it_maximises():
    results = search(direction="max")
    assert results.best.score == max(t.score for t in results.history.trials.values())


def test_equal_seeds_give_equal_trials():
    assert configs(search(seed=0)) == configs(search(seed=0)) != configs(search(seed=1))


def test_no_seed_draws_one_and_stores_it():
    first = search(seed=None)
    assert configs(search(seed=first.seed)) == configs(first)


def test_an_exhausted_space_ends_early():
    results = search(lambda c: c["n"], THREE, max_trials=10)
    assert (len(results), results.stopped) == (3, "space exhausted")


def test_a_grid_is_tried_in_its_order():
    results = search(lambda c: c["n"], THREE, algorithm="grid")
    assert [config["n"] for config in configs(results)] == [1, 2, 3]


def test_the_function_gets_plain_values_and_objects():
    shapes = [(1, 2), (3,)]
    seen = []

    def fn(config):
        seen.append(config)
        return 1.0

    search(fn, {"shape": space.choice(shapes), "k": 3, "block": {"n": space.integer(1, 2)}})
    assert all(c["shape"] in shapes and c["k"] == 3 and c["block/n"] in (1, 2) for c in seen)


def test_mappings_of_metrics_are_kept():
    results = search(lambda c: {"value": parabola(c), "size": 3})
    assert results.best.metrics["size"] == 3
    assert set(results.curves()["metric"]) == {"value", "size"}


def test_a_metric_of_another_name_is_the_objective():
    results = search(lambda c: {"cost": parabola(c), "value": 0.0}, metric="cost")
    assert results.best.score == results.best.metrics["cost"] > 0


@pytest.mark.parametrize("number", [1, np.float32(0.5), np.int64(3), np.array(2.0), True])
def test_every_kind_of_number_is_a_value(number):
    assert search(lambda c: number, max_trials=1).best.score == float(number)


def test_a_function_that_fails_fails_its_trial():
    def fn(config):
        if config["x"] < 0:
            raise ValueError("no negative numbers")
        return parabola(config)

    results = search(fn, max_trials=20)
    failures = results.failures()
    assert 0 < len(failures) < 20
    assert set(failures["message"]) == {"ValueError: no negative numbers"}
    assert all("raise ValueError" in text for text in failures["traceback"])
    assert results.best.config["x"] >= 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_fails_its_trial(bad):
    results = search(lambda c: bad if c["x"] < 0 else parabola(c), max_trials=20)
    failed = results.trials().query("status == 'FAILED'")
    assert len(failed) > 0
    assert set(failed["error"]) == {f"value was {bad}"}


def test_without_any_value_there_is_no_best():
    results = search(lambda c: math.nan)
    with pytest.raises(NoResult, match=r"No trial has a finite value yet \(5 trials, 5 failed\)"):
        _ = results.best


def test_it_continues_where_it_was(tmp_path):
    fn = Counted()
    search(fn, max_trials=3, directory=tmp_path)
    results = search(fn, max_trials=8, directory=tmp_path)
    assert (fn.calls, len(results)) == (8, 8)
    assert configs(results) == configs(search(max_trials=8))


def test_a_finished_search_is_not_run_again(tmp_path):
    fn = Counted()
    first = search(fn, directory=tmp_path)
    again = search(fn, directory=tmp_path)
    assert fn.calls == 5
    assert again.best == first.best


@pytest.mark.parametrize("algorithm", ["sobol", "bayesian"])
def test_interrupted_searches_propose_what_whole_ones_do(tmp_path, algorithm):
    for trials in (2, 4, 9):
        parts = search(algorithm=algorithm, max_trials=trials, directory=tmp_path)
    assert configs(parts) == configs(search(algorithm=algorithm, max_trials=9))


def test_the_folder_opens_without_the_function(tmp_path):
    best = search(directory=tmp_path).best
    assert kt.open_study(tmp_path).results.best == best


def test_choices_of_functions_resume(tmp_path):
    where = {"f": space.choice([math.sin, lambda x: x])}
    for trials in (1, 2):
        results = search(lambda c: c["f"](1.0), where, max_trials=trials, directory=tmp_path)
    assert len(results) == 2


def test_another_search_in_the_folder_is_refused(tmp_path):
    search(directory=tmp_path)
    with pytest.raises(StudyMismatch) as caught:
        search(directory=tmp_path, direction="max", algorithm="sobol", seed=1)
    assert [line.split(":")[0] for line in caught.value.differences] == [
        "objective",
        "seed",
        "algorithm",
    ]


def test_minutes_bound_the_search():
    results = search(max_trials=10**6, max_minutes=0.05 / 60)
    assert results.stopped == "max_minutes reached"
    assert 0 < results.seconds < 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_search_after_the_trial_and_is_named(number, tmp_path):
    def interrupted(config):
        if function.calls == 3:
            signal.raise_signal(number)
        return parabola(config)

    function = Counted(interrupted)
    results = search(function, directory=tmp_path)
    assert (results.stopped, len(results)) == ("interrupted", 3)
    whole = search(function, directory=tmp_path)
    assert whole.stopped == "max_trials reached"
    assert configs(whole) == configs(search())


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"fn": 3}, "fn must be a function of one configuration. Received: 3"),
        ({"where": 3}, "A space is written as a mapping"),
        ({"where": {"x": [0, 1]}}, "Parameter 'x': expected a definition"),
        ({"algorithm": "randm"}, "Unknown algorithm 'randm'. Did you mean 'random'?"),
        ({"max_trials": 0}, "max_trials must be a whole number of at least 1. Received: 0"),
        ({"max_trials": 2.5}, "max_trials must be a whole number .*Received: 2.5"),
        ({"max_trials": -1}, "max_trials .*Received: -1"),
        ({"direction": "up"}, "direction must be 'min' or 'max'. Received: 'up'"),
        ({"seed": "zero"}, "seed must be a whole number.*Received: 'zero'"),
        ({"max_minutes": 0}, "max_minutes must be a finite number above 0.*Received: 0"),
        ({"max_minutes": math.nan}, "max_minutes .*Received: nan"),
        ({"max_minutes": "5"}, "max_minutes .*Received: '5'"),
        ({"alpha": 1}, "optimize has no argument 'alpha'.*of the algorithm 'random': enqueue"),
        ({"max_trial": 1}, "no argument 'max_trial'. Did you mean 'max_trials'?"),
        ({"project_name": "lab"}, "directory is the study's own folder: directory='runs/name'"),
        ({"algorithm": "bayesian", "acquisitin": "ei"}, "no argument.*Did you mean 'acquisition'"),
        ({"algorithm": "grid"}, "A grid needs finite domains, but x has no step"),
    ],
)
def test_a_wrong_argument_is_reported_before_anything_is_called(tmp_path, kwargs, message):
    fn = Counted()
    with pytest.raises(InvalidInput, match=message):
        search(**{"fn": fn, "directory": tmp_path / "study", **kwargs})
    assert fn.calls == 0
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    "value, message",
    [
        (None, "a number or a mapping of numbers. Received: None"),
        ("low", "Received: 'low'"),
        (1j, "Received: 1j"),
        (np.array([1.0, 2.0]), "Received: array"),
        ({"loss": 1.0}, "a mapping with 'value'. Received a mapping with: 'loss'"),
        ({}, "Received a mapping with: nothing"),
    ],
)
def test_a_function_that_returns_no_number_ends_the_search(value, message):
    with pytest.raises(InvalidInput, match=message):
        search(lambda c: value)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match="Cannot write to"):
        search(directory=tmp_path / "file")


def test_errors_of_spaces_are_errors_of_input():
    assert issubclass(InvalidSpace, InvalidInput)
    assert issubclass(InvalidInput, ValueError)


def test_overwrite_starts_again(tmp_path):
    where = {"directory": tmp_path / "study", "max_trials": 3, "algorithm": "random"}
    params = {"x": space.uniform(0, 1)}
    first = kt.optimize(lambda c: c["x"], params, seed=0, **where)
    again = kt.optimize(lambda c: c["x"], params, seed=1, overwrite=True, **where)
    assert again.seed == 1
    assert again.best.config != first.best.config
