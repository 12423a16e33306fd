"""The Bayesian algorithm: what it proposes, and that nothing breaks it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Exhausted, Report, Start, Status
from kerashpo.space import Space, boolean, choice, integer, loguniform, uniform, when
from kerashpo.space.space import key

PLANE = Space({"x": uniform(0, 1), "y": uniform(0, 1)})
MIXED = Space(
    {
        "lr": loguniform(1e-4, 1e-1),
        "units": integer(16, 512, log=True),
        "act": choice(["relu", "tanh", "elu"]),
        "bn": boolean(),
        "layers": integer(1, 3),
        **when("layers", [2, 3], {"units2": integer(16, 64, step=16), "drop2": uniform(0, 0.5)}),
        **when("layers", [3], {"units3": integer(16, 64, step=16)}),
    }
)


def begin(space, direction="min"):
    return History([StudyCreated(space.to_json(), (("value", direction),), 0)])


def start(history, config):
    trial = history.next_trial
    history.apply(JobStarted(Start(trial, config, 1)))
    return trial


def finish(history, trial, value):
    if value is None:
        history.apply(Ended(trial, Status.FAILED, "failed"))
        return
    history.apply(Reported(Report(trial, 0, 1, {"value": value}, 0.0)))
    history.apply(Ended(trial, Status.COMPLETED, "completed"))


def run(space, function, trials, seed=0, direction="min", **options):
    history = begin(space, direction)
    algorithm = BayesianOptimization(space, seed, **options)
    for _ in range(trials):
        config = algorithm.ask(history.next_trial, history)
        if isinstance(config, Exhausted):
            break
        trial = start(history, config)
        finish(history, trial, function(config))
    return history


def configs(history):
    return [dict(trial.config) for trial in history.trials.values()]


def bowl(config):
    return (config["x"] - 0.3) ** 2 + (config["y"] - 0.8) ** 2


def test_it_finds_the_bottom_of_a_bowl():
    assert run(PLANE, bowl, 18).best.score < 1e-4


@pytest.mark.parametrize("acquisition", ["ei", "pi", "ucb"])
def test_every_acquisition_finds_it(acquisition):
    assert run(PLANE, bowl, 20, acquisition=acquisition).best.score < 0.01


def test_it_finds_the_best_of_a_mixed_conditional_space():
    def cost(config):
        depth = abs(config["layers"] - 2) + abs(config.get("units2", 0) - 48) / 48
        act = {"relu": 0.3, "tanh": 0.0, "elu": 0.2}[config["act"]]
        return abs(math.log10(config["lr"]) + 2.5) + act + depth

    best = run(MIXED, cost, 30).best
    assert best.config["layers"] == 2 and best.config["act"] == "tanh"
    assert best.score < 0.25


def test_maximising_is_minimising_the_negative():
    down = run(PLANE, bowl, 9)
    up = run(PLANE, lambda c: -bowl(c), 9, direction="max")
    assert configs(down) == configs(up)


@pytest.mark.parametrize("scale, shift", [(1024.0, 0.0), (2.0**-20, 0.0), (1.0, 8.0)])
def test_units_of_the_objective_do_not_matter(scale, shift):
    def rounded(config):
        return round(bowl(config) * 2**20) / 2**20  # so that shifting loses no digit

    moved = run(PLANE, lambda c: scale * rounded(c) + shift, 8)
    assert configs(moved) == configs(run(PLANE, rounded, 8))


def test_a_seed_repeats_and_another_one_differs():
    assert configs(run(PLANE, bowl, 8)) == configs(run(PLANE, bowl, 8))
    assert configs(run(PLANE, bowl, 8)) != configs(run(PLANE, bowl, 8, seed=1))


def test_resuming_proposes_what_the_uninterrupted_search_would_have():
    history = run(PLANE, bowl, 10)
    fresh, live = BayesianOptimization(PLANE, 0), BayesianOptimization(PLANE, 0)
    for trial in range(10):
        live.ask(trial, history)
    assert fresh.ask(10, history) == live.ask(10, history)


def test_the_order_of_simultaneous_reports_does_not_matter():
    algorithm = BayesianOptimization(PLANE, 0)
    proposals = []
    for order in ((0, 1, 2, 3, 4, 5), (3, 5, 1, 0, 4, 2)):
        history = begin(PLANE)
        rng = np.random.default_rng(0)
        points = [{"x": float(x), "y": float(y)} for x, y in rng.random((6, 2))]
        for config in points:
            start(history, config)
        for trial in order:
            finish(history, trial, bowl(points[trial]))
        proposals.append(algorithm.ask(6, history))
    assert proposals[0] == proposals[1]


def test_the_first_trial_is_the_declared_default_or_the_centre():
    space = Space({"x": uniform(0, 2), "act": choice(["a", "b", "c"]), "lr": loguniform(0.01, 1)})
    first = BayesianOptimization(space, 0).ask(0, begin(space))
    assert first == {"x": 1.0, "act": "b", "lr": pytest.approx(0.1)}


def test_a_small_space_is_exhausted_without_a_repeat():
    space = Space({"a": integer(1, 3), "b": boolean()})
    history = run(space, lambda c: float(c["a"]), 30)
    assert len(history.trials) == 6
    assert len({key(c) for c in configs(history)}) == 6
    assert isinstance(BayesianOptimization(space, 0).ask(6, history), Exhausted)


def test_thirty_of_thirty_are_distinct():
    space = Space({"a": integer(1, 8), "b": choice(list("abcdefgh"))})
    assert len({key(c) for c in configs(run(space, lambda c: c["a"], 30))}) == 30


CUBE = Space({f"x{i}": uniform(0, 1) for i in range(4)})


def half_diverges(diverged):
    return lambda config: diverged if config["x0"] > 0.5 else sum(config.values())


def test_failures_do_not_attract():
    histories = [run(CUBE, half_diverges(math.inf), 40, seed) for seed in range(3)]
    later = [config for history in histories for config in configs(history)[5:]]
    assert sum(c["x0"] > 0.5 for c in later) <= 0.2 * len(later)


@pytest.mark.parametrize("diverged", [math.nan, None])
def test_failures_are_failures_however_they_fail(diverged):
    found, expected = (run(CUBE, half_diverges(how), 12) for how in (diverged, math.inf))
    assert configs(found) == configs(expected)


def test_pending_trials_stay_apart():
    algorithm = BayesianOptimization(PLANE, 0)
    history = run(PLANE, bowl, 6)
    for _ in range(8):
        start(history, algorithm.ask(history.next_trial, history))
    points = np.array([[c["x"], c["y"]] for c in configs(history)[6:]])
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)[np.triu_indices(8, 1)]
    assert gaps.min() > 1e-3 and np.median(gaps) > 0.1


VALUES = st.sampled_from([0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, math.inf, math.nan, None])


@settings(max_examples=30, deadline=None)
@given(st.lists(VALUES, min_size=6, max_size=12), st.sampled_from([1, 2, 50]), st.booleans())
def test_nothing_that_is_reported_breaks_it(values, dim, duplicates):
    space = Space({f"x{i}": uniform(0, 1) for i in range(dim)})
    history, rng = begin(space), np.random.default_rng(0)
    same = space.sample(rng)
    for value in values:
        finish(history, start(history, same if duplicates else space.sample(rng)), value)
    assert BayesianOptimization(space, 0, num_initial_points=1).ask(99, history) in space


def test_a_space_of_fixed_values_has_one_configuration():
    history = run(Space({"a": choice([7])}), lambda c: 0.0, 5)
    assert configs(history) == [{"a": 7}]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_initial_points": 0}, "num_initial_points must be at least 1"),
        ({"alpha": -1.0}, "alpha must be at least 0"),
        ({"beta": math.nan}, "beta must be at least 0"),
        ({"acquisition": "logie"}, "Did you mean 'logei'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        BayesianOptimization(PLANE, 0, **options)
