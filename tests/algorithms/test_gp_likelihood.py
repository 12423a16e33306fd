"""The process against scikit-learn's, and its gradients against finite differences."""

from functools import partial

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from kerashpo.algorithms.gp.fit import fit, negative_log_likelihood, negative_log_posterior
from kerashpo.algorithms.gp.kernel import Hyper, channels
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.priors import log_prior

NOISE = 0.03
SCALE = 1.7


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def numbers(rng: np.random.Generator, n: int = 25, p: int = 4):
    x = rng.random((n, p))
    y = np.sin(5 * x[:, 0]) + x[:, 1] ** 2 + 0.1 * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std(), np.array([3.0, 0.5, 0.1, 12.0])[:p]


def reference(x, y, weights):
    kernel = ConstantKernel(SCALE) * Matern(1 / np.sqrt(weights), nu=2.5) + WhiteKernel(NOISE)
    return GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(x, y)


def test_mean_and_variance_are_scikit_learns(rng):
    x, y, weights = numbers(rng)
    new = rng.random((40, 4))
    posterior = Posterior(x, y, Hyper(weights, SCALE, NOISE), np.zeros(4, dtype=bool))
    mean, variance = posterior.predict(new)
    expected, deviation = reference(x, y, weights).predict(new, return_std=True)
    np.testing.assert_allclose(mean, expected, atol=1e-6)
    np.testing.assert_allclose(variance, deviation**2 - NOISE, atol=1e-6)


def test_the_likelihood_is_scikit_learns(rng):
    x, y, weights = numbers(rng)
    logs = np.log(np.append(weights, [SCALE, NOISE]))
    value, _ = negative_log_likelihood(logs, channels(x, np.zeros(4, dtype=bool)), y, 0.0)
    assert -value == pytest.approx(reference(x, y, weights).log_marginal_likelihood(), abs=1e-6)


def test_the_posteriors_gradient_by_hyperparameters(rng):
    x, y, weights = numbers(rng)
    x[:, 3] = rng.integers(3, size=len(x))
    pairs = channels(x, np.array([False, False, False, True]))
    logs = np.log(np.append(weights, [SCALE, NOISE]))
    _, gradient = negative_log_posterior(logs, pairs, y, 1e-6)
    numeric = approx_fprime(logs, lambda t: negative_log_posterior(t, pairs, y, 1e-6)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-4)


def test_the_priors_gradient(rng):
    logs = rng.standard_normal(5)
    numeric = approx_fprime(logs, lambda t: log_prior(t)[0], 1e-7)
    np.testing.assert_allclose(log_prior(logs)[1], numeric, rtol=1e-4, atol=1e-5)


def predicted(posterior, index, row):
    return posterior.predict(row[None])[index][0]


def test_the_gradients_of_mean_and_variance(rng):
    x, y, weights = numbers(rng)
    hamming = np.array([False, False, True, False])
    x[:, 2] = rng.integers(3, size=len(x))
    posterior = Posterior(x, y, Hyper(weights, SCALE, NOISE), hamming)
    new = rng.random((3, 4))
    new[:, 2] = [0, 1, 2]
    mean, variance, by_mean, by_variance = posterior.predict_with_gradient(new)
    np.testing.assert_allclose((mean, variance), posterior.predict(new), atol=1e-9)
    for i, row in enumerate(new):
        for index, gradient in ((0, by_mean), (1, by_variance)):
            numeric = approx_fprime(row, partial(predicted, posterior, index), 1e-7)
            numeric[2] = 0.0  # a category has no gradient
            np.testing.assert_allclose(gradient[i], numeric, atol=1e-5)


def test_extending_equals_conditioning_anew(rng):
    x, y, weights = numbers(rng)
    hyper, hamming = Hyper(weights, SCALE, NOISE), np.zeros(4, dtype=bool)
    extended = Posterior(x[:20], y[:20], hyper, hamming).with_more(x[20:], y[20:])
    new = rng.random((10, 4))
    anew = Posterior(x, y, hyper, hamming).predict(new)
    np.testing.assert_allclose(extended.predict(new), anew, atol=1e-9)


def test_believing_keeps_the_mean_and_lowers_the_variance_there(rng):
    x, y, weights = numbers(rng)
    posterior = Posterior(x, y, Hyper(weights, SCALE, NOISE), np.zeros(4, dtype=bool))
    pending = rng.random((2, 4))
    believing = posterior.believing(pending)
    np.testing.assert_allclose(believing.mean(pending), posterior.mean(pending), atol=1e-9)
    assert np.all(believing.predict(pending)[1] < NOISE)
    assert np.all(posterior.predict(pending)[1] > 2 * believing.predict(pending)[1])


def test_the_fit_finds_what_matters(rng):
    x, y, _ = numbers(rng, n=60)
    hyper = fit(x, y, np.zeros(4, dtype=bool))
    assert hyper.weights[0] > 10 * hyper.weights[2:].max()
    pairs = channels(x, np.zeros(4, dtype=bool))
    found = np.log([*hyper.weights, hyper.scale, hyper.noise - 1e-6])
    _, gradient = negative_log_posterior(found, pairs, y, 1e-6)
    assert np.abs(gradient).max() < 0.2  # a stationary point, of a value near -30
