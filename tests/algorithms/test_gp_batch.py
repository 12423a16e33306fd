"""The acquisition of a batch, against plain Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.gp.batch import BatchPromise
from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.kernel import Matern32
from kerashpo.algorithms.gp.model_settings import ModelSettings
from kerashpo.algorithms.gp.subset import model
from kerashpo.core.events import JobStarted
from kerashpo.core.records import Start
from kerashpo.space.cube import Cube
from tests.algorithms.test_bayesian_options import PLANE, filled

FEATURES = Features.of(Cube(PLANE), True, Matern32())
PENDING = np.array([[0.2, 0.3], [0.25, 0.35], [0.9, 0.9]])


@pytest.fixture(scope="module")
def observed():
    rng = np.random.default_rng(0)
    rows = rng.random((8, 2))
    targets = np.sin(5 * rows[:, 0]) + rows[:, 1] + 0.1 * rng.standard_normal(8)
    return rows, model(FEATURES(rows), targets, FEATURES.layout, 1e-3)


def promise(observed, known):
    posterior = observed[1].believing(FEATURES(PENDING))
    rng = np.random.default_rng(1)
    return BatchPromise.of(FEATURES, posterior, len(PENDING), known, rng)


def test_it_is_the_mean_improvement_over_joint_outcomes_of_the_pending(observed):
    rows, posterior = observed
    batch = promise(observed, rows)
    points = np.random.default_rng(2).random((6, 2))
    rng, found = np.random.default_rng(3), []
    for point in points:
        # Every draw conditions the process on outcomes of the pending trials, with their noise.
        mean, covariance = posterior.joint(FEATURES(PENDING))
        covariance += posterior.hyper.noise * np.eye(len(PENDING))
        gains = []
        for outcome in rng.multivariate_normal(mean, covariance, 400):
            given = posterior.with_more(FEATURES(PENDING), outcome)
            best = given.mean(FEATURES(rows)).min()
            there, variance = given.predict(FEATURES(point[None]))
            draws = there + np.sqrt(variance) * rng.standard_normal(64)
            gains.append(np.maximum(best - draws, 0.0).mean())
        found.append(np.mean(gains))
    np.testing.assert_allclose(np.exp(batch.score(points)), found, rtol=0.25, atol=0.003)


def test_the_gradient_is_that_of_the_value(observed):
    batch = promise(observed, observed[0])
    rows, step = np.random.default_rng(4).random((5, 2)), 1e-6
    value, gradient = batch.score_and_gradient(rows)
    np.testing.assert_allclose(value, batch.score(rows))
    for j, move in enumerate(step * np.eye(2)):
        slope = (batch.score(rows + move) - batch.score(rows - move)) / (2 * step)
        np.testing.assert_allclose(gradient[:, j], slope, rtol=1e-3, atol=1e-5)


def test_suggestions_of_one_moment_differ():
    algorithm = BayesianOptimization(PLANE, 0, settings=ModelSettings(draw=True))
    history = filled(8)
    for _ in range(8):
        config = algorithm.ask(history.next_trial, history)
        assert config == algorithm.ask(history.next_trial, history)
        history.apply(JobStarted(Start(history.next_trial, config, 1)))
    running = [history.trials[number].config for number in history.running]
    rows = np.array([[c["x"], c["y"]] for c in running])
    apart = np.linalg.norm(rows[:, None] - rows[None], axis=2)[np.triu_indices(8, 1)]
    assert apart.min() > 0.01
