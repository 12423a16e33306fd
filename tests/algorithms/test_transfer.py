"""Transfer from earlier studies: ranks, weights, and what they are worth."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.earlier_studies import EarlierStudy, read_sources
from kerashpo.algorithms.gp.acquisition import make_acquisition
from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.fit import FLOOR
from kerashpo.algorithms.gp.kernel import Matern32
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.promise import Ensemble, EnsemblePromise
from kerashpo.algorithms.gp.subset import model
from kerashpo.algorithms.observations import Observations
from kerashpo.algorithms.registry import make_algorithm
from kerashpo.algorithms.surrogate import Surrogate
from kerashpo.algorithms.transfer import Transfer, misranked, rank_weights
from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Exhausted, Objective
from kerashpo.space import Space, choice
from kerashpo.space.cube import Cube
from tests.algorithms.test_bayesian_options import PLANE, bowl, empty, filled, search

COST = Objective("value", "min")
FEATURES = Features.of(Cube(PLANE), True, Matern32())


def process(seed: int, n: int = 12) -> Posterior:
    rng = np.random.default_rng(seed)
    rows = rng.random((n, 2))
    targets = rng.standard_normal(n)
    return model(FEATURES(rows), targets, FEATURES.layout, 1e-2)


def pairs(f, n=25, seed=0):
    rng = np.random.default_rng(seed)
    configs = [PLANE.sample(rng) for _ in range(n)]
    return tuple((config, f(config)) for config in configs)


def test_leave_one_out_predictions_are_those_of_the_other_observations():
    whole = process(0)
    mean, variance = whole.leave_one_out()
    for i in range(len(whole.targets)):
        rest = np.arange(len(whole.targets)) != i
        without = Posterior(whole.features[rest], whole.targets[rest], whole.hyper, FEATURES.layout)
        one, spread = without.predict(whole.features[[i]])
        assert mean[i] == pytest.approx(one[0], abs=1e-8)
        assert variance[i] == pytest.approx(spread[0] + whole.hyper.noise)


def test_the_joint_distribution_agrees_with_single_predictions():
    one = process(1)
    rows = FEATURES(np.random.default_rng(2).random((5, 2)))
    mean, covariance = one.joint(rows)
    alone, variance = one.predict(rows)
    np.testing.assert_allclose(mean, alone)
    np.testing.assert_allclose(np.diagonal(covariance), variance, atol=1e-10)
    # Conditioned on its own mean at the second point, the first one's variance falls by theirs.
    given = one.believing(rows[[1]]).predict(rows[[0]])[1][0]
    expected = variance[0] - covariance[0, 1] ** 2 / (variance[1] + one.hyper.noise)
    assert given == pytest.approx(expected)


def test_pairs_that_are_ranked_the_other_way_are_counted():
    targets = np.array([1.0, 2.0, 3.0])
    draws = np.array([[0.0, 5.0, 9.0], [9.0, 5.0, 0.0], [0.0, 9.0, 5.0], [4.0, 4.0, 4.0]])
    assert misranked(draws, targets).tolist() == [0, 3, 1, 0]


def test_weights_are_shares_of_the_draws_and_ties_are_shared():
    losses = np.array([[0, 2, 1, 3], [0, 1, 1, 0], [1, 2, 0, 0]])
    np.testing.assert_allclose(rank_weights(losses), [1 / 8, 4 / 8, 3 / 8])
    misleading = np.array([[0, 9, 9, 9], [1, 2, 2, 1]])
    np.testing.assert_allclose(rank_weights(misleading), [0.0, 1.0])


def test_sources_that_rank_the_new_trials_well_weigh_more():
    good = EarlierStudy(pairs(lambda c: 50 * bowl(c) + 7, seed=1))
    upside_down = EarlierStudy(pairs(lambda c: -bowl(c), seed=2))
    transfer = Transfer(Cube(PLANE), [upside_down, good], FLOOR, ModelSettings())
    history = filled(6)
    observations = Observations(Cube(PLANE))
    observations.update(history)
    own = Surrogate.of(Cube(PLANE), observations.read(history), FLOOR, ModelSettings())
    weights = transfer.weights(own, COST, np.random.default_rng(0))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[1] > 0.5 and weights[0] == 0.0
    few = transfer.weights(None, COST, np.random.default_rng(0))
    np.testing.assert_allclose(few, [0.5, 0.5, 0.0])


def test_the_gradient_of_the_ensemble_is_that_of_its_acquisition():
    parts = ((FEATURES, process(0), 0.3), (FEATURES, process(1), 0.7))
    promise = EnsemblePromise(Ensemble(parts), make_acquisition("logei", -1.0, 2.0))
    rows, step = np.random.default_rng(3).random((4, 2)), 1e-6
    value, gradient = promise.score_and_gradient(rows)
    np.testing.assert_allclose(value, promise.score(rows))
    for j, move in enumerate(step * np.eye(2)):
        slope = (promise.score(rows + move) - promise.score(rows - move)) / (2 * step)
        np.testing.assert_allclose(gradient[:, j], slope, rtol=1e-4, atol=1e-6)


def test_the_best_of_each_source_come_first_under_any_algorithm():
    sources = [EarlierStudy(pairs(bowl, seed=1)), EarlierStudy(pairs(lambda c: -bowl(c), seed=2))]
    best = [dict(one.starts([COST])[0]) for one in sources]
    for name in ("bayesian", "tpe", "random", "auto"):
        options = {"warm_start": sources, "enqueue": [{"x": 0.5, "y": 0.5}]}
        history = search(make_algorithm(name, PLANE, 0, options), empty(), 4)
        configs = [dict(trial.config) for trial in history.trials.values()]
        assert configs[:3] == [{"x": 0.5, "y": 0.5}, *best], name


def test_the_start_that_the_other_sources_disagree_with_comes_last():
    wrong = EarlierStudy(pairs(lambda c: -bowl(c), 25, 3))
    right = [EarlierStudy(pairs(bowl, 25, seed)) for seed in (1, 2)]
    transfer = Transfer(Cube(PLANE), [wrong, *right], FLOOR, ModelSettings())
    assert transfer.bests(COST)[-1] == wrong.starts([COST])[0]
    two = Transfer(Cube(PLANE), [wrong, right[0]], FLOOR, ModelSettings())
    assert two.bests(COST) == [wrong.starts([COST])[0], right[0].starts([COST])[0]]


def test_a_copy_of_the_same_study_leads_to_its_best_at_once():
    earlier = filled(20)
    history = search(BayesianOptimization(PLANE, 1, warm_start=earlier), empty(), 3)
    assert history.trials[0].score == earlier.best.score
    assert history.best.score <= earlier.best.score


def test_one_misleading_source_among_three_costs_little():
    right = [EarlierStudy(pairs(bowl, 25, seed)) for seed in (1, 2)]
    wrong = EarlierStudy(pairs(lambda c: -bowl(c), 25, 3))
    found, cold = [], []
    for seed in range(2):
        warm = BayesianOptimization(PLANE, seed, warm_start=[wrong, *right])
        found.append(search(warm, empty(), 8).best.score)
        cold.append(search(BayesianOptimization(PLANE, seed), empty(), 8).best.score)
    assert np.mean(found) < np.mean(cold)


def test_a_finite_space_is_tried_to_its_end_after_a_warm_start():
    space = Space({"a": choice([1, 2]), "b": choice(["u", "v"])})
    source = EarlierStudy((({"a": 1, "b": "u"}, 1.0), ({"a": 2, "b": "v"}, 0.0)))
    algorithm = BayesianOptimization(space, 0, warm_start=[source])
    history = search(algorithm, empty(space), 4, lambda c: c["a"])
    assert len(history.trials) == 4
    assert isinstance(algorithm.ask(4, history), Exhausted)


def test_values_without_a_number_are_left_out_and_foreign_ones_refused():
    kept = read_sources([({"x": 0.1, "y": 0.2}, 1.0), ({"x": 0.3}, float("nan"))], PLANE)
    assert [len(one.pairs) for one in kept] == [1]
    assert read_sources([({"x": 0.3}, float("inf"))], PLANE) == ()
    with pytest.raises(InvalidSpace, match="'z'"):
        read_sources([({"z": 0.3}, 1.0)], PLANE)
    assert EarlierStudy((({"x": 0.1}, 1.0),), "here").get_config() == {"pairs": [[{"x": 0.1}, 1.0]]}
