import dataclasses
import signal
import time
from types import SimpleNamespace

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective, Status
from kerashpo.problems.power_law import PowerLaw
from kerashpo.schedulers.registry import PAIRS
from kerashpo.space import Space, choice, uniform
from kerashpo.tuners.simulate import simulate

WITHOUT_A_MODEL = [name for name in PAIRS if name not in ("bohb", "mobster")]


def trained(results):
    return {(t.number, t.epochs, t.score) for t in results.history.trials.values()}


@pytest.mark.parametrize("tuner", WITHOUT_A_MODEL)
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 7])
def test_equal_arguments_give_equal_results_within_the_budget(tuner, workers):
    first, second = (
        simulate(PowerLaw(27), tuner=tuner, budget_epochs=200, workers=workers, seed=0)
        for _ in range(2)
    )
    assert trained(first) == trained(second)
    assert first.seconds == second.seconds
    assert 0 < first.epochs <= 200
    assert {t.status for t in first.history.trials.values()} <= {Status.STOPPED, Status.COMPLETED}


def test_seeds_differ():
    first, second = (simulate(PowerLaw(9), seed=seed) for seed in (0, 1))
    assert trained(first) != trained(second)


def test_hyperband_without_a_bound_runs_its_brackets_once():
    results = simulate(PowerLaw(81), seed=0)
    assert len(results) == 81 + 34 + 15 + 8 + 5
    assert results.epochs == 1581


def test_more_workers_take_less_virtual_time_and_train_as_much():
    one, many = (
        simulate(PowerLaw(27), tuner="asha", max_trials=300, workers=workers, seed=0)
        for workers in (1, 16)
    )
    assert one.seconds == one.epochs
    assert one.seconds / 16 <= many.seconds < one.seconds / 8


def test_maximising_equals_minimising_the_negative():
    class Mirrored:
        space, direction, max_epochs = PowerLaw().space, "max", 27

        def evaluate(self, config, epoch):
            value, seconds = PowerLaw(27).evaluate(config, epoch)
            return -value, seconds

    low = simulate(PowerLaw(27), tuner="asha", max_trials=50, seed=0)
    high = simulate(Mirrored(), tuner="asha", max_trials=50, seed=0)
    assert high.best.score == -low.best.score
    assert high.epochs == low.epochs
    assert high.best.config == low.best.config


def test_the_metric_is_called_value_and_results_are_ordinary():
    results = simulate(PowerLaw(9), tuner="asha", max_trials=10, seed=0)
    assert set(results.best.metrics) == {"value"}
    assert results.stopped == "max_trials reached"
    assert len(results.trials()) == 10
    assert results.curves()["metric"].unique().tolist() == ["value"]


def test_a_finite_space_is_a_bound_and_is_exhausted():
    problem = SimpleNamespace(
        space={"a": choice(["x", "y"]), "b": choice([1, 2, 3])},
        direction="max",
        max_epochs=9,
        evaluate=lambda config, epoch: (config["b"] * (config["a"] == "y"), float(epoch)),
    )
    results = simulate(problem, tuner="asha", seed=0)
    assert len(results) == 6
    assert results.stopped == "space exhausted"
    assert results.best.config == {"a": "y", "b": 3}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_simulation_and_is_named(number):
    def evaluate(config, epoch):
        if len(seen) == 20:
            signal.raise_signal(number)
        seen.append(epoch)
        return config["x"], float(epoch)

    seen = []
    problem = SimpleNamespace(
        space=Space({"x": uniform(0, 1)}), direction="min", max_epochs=9, evaluate=evaluate
    )
    results = simulate(problem, tuner="asha", max_trials=300, seed=0)
    assert results.stopped == "interrupted"
    assert 20 <= len(seen) < 60 and 0 < len(results) < 30


def test_a_failing_problem_fails_trials_not_the_search():
    def evaluate(config, epoch):
        if config["x"] > 0.5:
            raise ArithmeticError("diverged")
        return config["x"], float(epoch)

    problem = SimpleNamespace(
        space=Space({"x": uniform(0, 1)}), direction="min", max_epochs=9, evaluate=evaluate
    )
    results = simulate(problem, tuner="asha", max_trials=30, seed=0)
    failures = results.failures()
    assert 0 < len(failures) < 30
    assert set(failures["message"]) == {"ArithmeticError: diverged"}
    assert results.best.epoch == 1


def test_options_reach_scheduler_and_algorithm():
    results = simulate(PowerLaw(27), tuner="asha", max_trials=30, min_epochs=9, factor=2, seed=0)
    settings = results.history.settings
    assert (settings["scheduler"], settings["min_epochs"], settings["factor"]) == ("asha", 9, 2)
    assert min(trial.epochs for trial in results.history.trials.values()) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tuner": "hyperbnd"}, "Unknown tuner 'hyperbnd'. Did you mean 'hyperband'"),
        ({"algorithm": "randon"}, "Unknown algorithm 'randon'. Did you mean 'random'"),
        ({"workers": 0}, "workers must be a whole number of at least 1"),
        ({"max_epochs": 28}, "must not exceed the 27 epochs that the problem has"),
        ({"max_epochs": 0}, "max_epochs must be a whole number of at least 1"),
        ({"budget_epochs": 0}, "budget_epochs must be a whole number of at least 1"),
        ({"max_trials": -1}, "max_trials must be a whole number of at least 1"),
        ({"tuner": "asha"}, "needs a limit on an infinite space"),
        ({"tuner": "hyperband", "iterations": None}, "needs a limit on an infinite space"),
        ({"factor": 1}, "factor must be a whole number of at least 2"),
        ({"min_trials": 3}, "scheduler 'hyperband' has no option 'min_trials'"),
        ({"colour": 3}, "simulate has no argument 'colour'.*'random' and the scheduler: .*min_"),
        ({"max_trial": 3}, "simulate has no argument 'max_trial'. Did you mean 'max_trials'?"),
        ({"directory": "runs"}, "A simulated study is kept in memory"),
        ({"objective": ["value", "valu"], "max_trials": 2}, "not known whether 'value'"),
        ({"limits": {"loss": "x"}}, "limit of 'loss' must be a finite number"),
        ({"limits": {Objective("size", "min", len): 3}}, "return its value from evaluate"),
        ({"limits": {"loss": 3.0}}, "a mapping that holds value, loss. Missing: loss"),
    ],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        simulate(PowerLaw(27), seed=0, **arguments)


@dataclasses.dataclass
class Costly:
    """A curve with a second metric that grows with the epochs."""

    space = Space({"x": uniform(0, 1)})
    direction, max_epochs = "min", 9

    def evaluate(self, config, epoch):
        return {"loss": 1.0 - config["x"], "seconds": config["x"] * (epoch + 5)}, float(epoch)


def test_several_objectives_and_limits_on_the_virtual_clock():
    found = simulate(
        Costly(), tuner="asha", algorithm="nsga2", objective=["loss", "seconds"], max_trials=20,
        limits={"seconds": 4.0}, seed=0,
    )  # fmt: skip
    front = found.history.front()
    assert len(front) > 1
    for trial in found.history.trials.values():
        spent = trial.metrics_at_best()["seconds"]
        assert trial.feasible == (spent <= 4.0) and (trial.feasible or trial.number not in front)
    assert any(not trial.feasible for trial in found.history.trials.values())
    again = simulate(Costly(), objective="loss", limits={"seconds": 4.0}, max_trials=9, seed=0)
    assert again.best.metrics["seconds"] <= 4.0 and again.history.objective.name == "loss"


def test_scaling_is_studied_in_seconds():
    began = time.process_time()
    results = simulate(PowerLaw(51), tuner="asha", max_trials=2000, workers=100, seed=0)
    assert len(results) == 2000
    assert time.process_time() - began < 6  # a tenth of 20,000 trials' minute


class Falling:
    """A problem whose value is a state that every epoch shrinks."""

    space = Space({"rate": uniform(0.1, 0.9)})
    direction = "min"
    max_epochs = 9

    def evaluate(self, config, epoch):
        raise AssertionError("advance is called instead")

    def advance(self, state, config):
        state = (1.0 if state is None else state) * config["rate"]
        return state, state, 1.0


def test_a_problem_may_advance_a_state_instead():
    results = simulate(Falling(), tuner="full", algorithm="random", max_trials=3, seed=0)
    curves = results.curves()
    for trial, rate in enumerate(results.trials().sort_values("trial").param_rate):
        values = curves[curves.trial == trial].value
        assert values.tolist() == pytest.approx([rate**epoch for epoch in range(1, 10)])
