"""Queued configurations, warm starts, schedulers that stop trials early, many trials."""

import numpy as np
import pytest

from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.dedup import draw_new
from kerashpo.algorithms.gp.subset import representatives
from kerashpo.core.errors import InvalidSpace
from kerashpo.core.events import Ended, JobStarted, Reached, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.rng import stream
from kerashpo.space import Space, uniform
from kerashpo.space.space import key

PLANE = Space({"x": uniform(0, 1), "y": uniform(0, 1)})


def bowl(config):
    return (config["x"] - 0.3) ** 2 + (config["y"] - 0.8) ** 2


def empty(space=PLANE):
    return History([StudyCreated(space.to_json(), (("value", "min"),), 0)])


def add(history, config, value, until=1):
    trial = history.next_trial
    history.apply(JobStarted(Start(trial, config, until)))
    for epoch in range(1, until + 1):
        reached = value[epoch - 1] if isinstance(value, list) else value
        history.apply(Reported(Report(trial, 0, epoch, {"value": reached}, 0.0)))
    return trial


def complete(history, config, value, until=1):
    trial = add(history, config, value, until)
    history.apply(Ended(trial, Status.COMPLETED, "completed"))


def search(algorithm, history, trials, function=bowl):
    for _ in range(trials):
        config = algorithm.ask(history.next_trial, history)
        complete(history, config, function(config))
    return history


def filled(n, seed=0):
    rng, history = np.random.default_rng(seed), empty()
    for _ in range(n):
        config = PLANE.sample(rng)
        complete(history, config, bowl(config))
    return history


def test_queued_configurations_come_first_and_are_completed():
    algorithm = BayesianOptimization(PLANE, 0, enqueue=[{"x": 0.25}])
    algorithm.enqueue({"x": 0.1, "y": 0.2})
    history = search(algorithm, empty(), 3)
    first, second, third = (history.trials[i].config for i in range(3))
    assert (first, second) == ({"x": 0.25, "y": 0.5}, {"x": 0.1, "y": 0.2})
    assert third not in (first, second)


def test_a_queued_configuration_outside_the_space_is_refused():
    with pytest.raises(InvalidSpace, match="'x'"):
        BayesianOptimization(PLANE, 0, enqueue=[{"x": 2.0}])
    with pytest.raises(InvalidSpace, match="no parameter 'z'"):
        BayesianOptimization(PLANE, 0).enqueue({"z": 0.5})


def test_a_warm_start_tries_the_earlier_best_first():
    earlier = filled(20)
    history = search(BayesianOptimization(PLANE, 1, warm_start=earlier), empty(), 1)
    assert history.trials[0].config == earlier.best.config


def test_a_warm_start_needs_fewer_trials():
    earlier = [(t.config, t.score) for t in filled(25).trials.values()]

    def similar(config):  # other units, a slightly moved optimum
        return 50 * ((config["x"] - 0.32) ** 2 + (config["y"] - 0.79) ** 2) + 7

    seeds = range(3)
    warm = [BayesianOptimization(PLANE, seed, warm_start=earlier) for seed in seeds]
    cold = [BayesianOptimization(PLANE, seed) for seed in seeds]
    ours, theirs = (
        np.mean([search(one, empty(), 6, similar).best.score - 7 for one in group])
        for group in (warm, cold)
    )
    assert ours < 0.6 * theirs


def test_a_warm_start_from_an_unlike_study_does_not_mislead_for_long():
    earlier = [(t.config, -t.score) for t in filled(25).trials.values()]  # upside down
    warm = search(BayesianOptimization(PLANE, 1, warm_start=earlier), empty(), 14)
    assert warm.best.score < 0.01


def test_lower_rungs_are_evidence():
    rng, history = np.random.default_rng(0), empty()
    for _ in range(12):
        config = PLANE.sample(rng)
        history.apply(Reached(add(history, config, 1.0 + bowl(config), until=3)))
    for _ in range(2):
        config = PLANE.sample(rng)
        curve = [1.0 + bowl(config)] * 3 + [bowl(config)] * 6
        trial = add(history, config, curve, until=9)
        history.apply(Ended(trial, Status.COMPLETED, "completed"))
    surrogate = BayesianOptimization(PLANE, 0).surrogate(history)
    points = rng.random((50, 2))
    costs = [bowl({"x": x, "y": y}) for x, y in points]
    mean, _ = surrogate.predict(points)
    # Two complete trials alone could not know; and it is read at the full training.
    assert np.corrcoef(mean, costs)[0, 1] > 0.9
    assert abs(np.mean(mean - costs)) < 0.2


def test_a_tenth_is_random_where_trials_stop_early():
    rng, history = np.random.default_rng(0), empty()
    for _ in range(12):
        config = PLANE.sample(rng)
        history.apply(Reached(add(history, config, bowl(config), until=3)))
    algorithm = BayesianOptimization(PLANE, 0)
    taken = {key(trial.config) for trial in history.trials.values()}
    drawn = [
        algorithm.ask(trial, history) == draw_new(PLANE, taken, stream(0, "ask", trial))
        for trial in range(12, 32)
    ]
    assert [trial for trial, random in enumerate(drawn, start=12) if random] == [19, 29]


def test_with_many_trials_it_still_finds_the_bottom():
    history = search(BayesianOptimization(PLANE, 0), filled(450), 3)
    assert bowl(history.trials[452].config) < 1e-3


def test_representatives_are_the_best_the_latest_and_some_of_the_rest():
    targets = np.random.default_rng(0).random(900)
    kept = representatives(targets, 90)
    assert len(kept) == 90 and np.all(np.diff(kept) > 0)
    assert set(np.argsort(targets)[:30]) <= set(kept)
    assert sum(kept >= 865) >= 25
    assert targets[kept].max() > 0.9
    assert representatives(targets, 900).tolist() == list(range(900))


def test_the_surrogate_predicts_in_the_objectives_units():
    algorithm = BayesianOptimization(PLANE, 0)
    surrogate = algorithm.surrogate(filled(40))
    mean, deviation = surrogate.predict(np.array([[0.5, 0.5]]))
    assert mean[0] == pytest.approx(0.13, abs=0.01)
    assert 0 < deviation[0] < 0.05
    assert algorithm.surrogate(empty()) is None
