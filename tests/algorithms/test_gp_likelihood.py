"""The process against scikit-learn's, and its gradients against finite differences."""

from functools import partial

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from kerashpo.algorithms.gp.fit import TrainingData, fit
from kerashpo.algorithms.gp.kernel import Hyper, Layout, Matern32, Matern52
from kerashpo.algorithms.gp.posterior import Posterior
from kerashpo.algorithms.gp.priors import log_prior
from kerashpo.algorithms.gp.warp import bend

NOISE = 0.03
SCALE = 1.7


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


MIXED = Layout(
    np.array([False, False, False, True]), np.array([True, False, True, False]), Matern52()
)
BENDS = np.array([0.4, -0.3]), np.array([0.2, 0.5])


def numbers(rng, n=25, p=4):
    x = rng.random((n, p))
    y = np.sin(5 * x[:, 0]) + x[:, 1] ** 2 + 0.1 * rng.standard_normal(n)
    return x, (y - y.mean()) / y.std(), np.array([3.0, 0.5, 0.1, 12.0])[:p]


def straight(weights):
    return Hyper(weights, SCALE, NOISE, np.empty(0), np.empty(0))


KERNELS = pytest.mark.parametrize("radial, nu", [(Matern32(), 1.5), (Matern52(), 2.5)])


def reference(x, y, weights, nu):
    kernel = ConstantKernel(SCALE) * Matern(1 / np.sqrt(weights), nu=nu) + WhiteKernel(NOISE)
    return GaussianProcessRegressor(kernel, optimizer=None, alpha=0.0).fit(x, y)


@KERNELS
def test_mean_and_variance_are_scikit_learns(rng, radial, nu):
    x, y, weights = numbers(rng)
    new = rng.random((40, 4))
    mean, variance = Posterior(x, y, straight(weights), Layout.plain(4, radial)).predict(new)
    expected, deviation = reference(x, y, weights, nu).predict(new, return_std=True)
    np.testing.assert_allclose(mean, expected, atol=1e-6)
    np.testing.assert_allclose(variance, deviation**2 - NOISE, atol=1e-6)


@KERNELS
def test_the_likelihood_is_scikit_learns(rng, radial, nu):
    x, y, weights = numbers(rng)
    logs = np.log(np.append(weights, [SCALE, NOISE]))
    value, _ = TrainingData(x, y, Layout.plain(4, radial), 0.0).negative_log_likelihood(logs)
    assert -value == pytest.approx(reference(x, y, weights, nu).log_marginal_likelihood(), abs=1e-6)


def test_bending_is_what_bending_the_data_first_would_do(rng):
    x, y, weights = numbers(rng)
    hyper = Hyper(weights, SCALE, NOISE, *BENDS)
    layout = Layout(np.zeros(4, dtype=bool), MIXED.bent, Matern52())
    moved, new = x.copy(), rng.random((9, 4))
    moved[:, MIXED.bent] = bend(x[:, MIXED.bent], *BENDS)
    bent = Posterior(x, y, hyper, layout).predict(new)
    new[:, MIXED.bent] = bend(new[:, MIXED.bent], *BENDS)
    first = Posterior(moved, y, straight(weights), Layout.plain(4, Matern52())).predict(new)
    np.testing.assert_allclose(bent, first, atol=1e-12)


@KERNELS
def test_the_posteriors_gradient_by_hyperparameters(rng, radial, nu):
    x, y, weights = numbers(rng)
    x[:, 3] = rng.integers(3, size=len(x))
    evidence = TrainingData(x, y, Layout(MIXED.hamming, MIXED.bent, radial), 1e-6)
    logs = np.concatenate([np.log(weights), np.log([SCALE, NOISE]), *BENDS])
    _, gradient = evidence.negative_log_posterior(logs)
    numeric = approx_fprime(logs, lambda t: evidence.negative_log_posterior(t)[0], 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-4)


def test_the_priors_gradient(rng):
    logs = rng.standard_normal(9)
    numeric = approx_fprime(logs, lambda t: log_prior(t, 3, 1.7)[0], 1e-7)
    np.testing.assert_allclose(log_prior(logs, 3, 1.7)[1], numeric, rtol=1e-4, atol=1e-5)


def test_the_prior_expects_the_length_it_is_given():
    usual = np.append(np.full(3, -2 * np.log(1.7)), [0.0, np.log(1e-3)])
    shorter, longer = usual.copy(), usual.copy()
    shorter[0] += 2.0
    longer[0] -= 2.0
    top = log_prior(usual, 3, 1.7)[0]
    # One standard deviation of log length either way: 2 of the log weight.
    assert log_prior(shorter, 3, 1.7)[0] == pytest.approx(top - 0.5)
    assert log_prior(longer, 3, 1.7)[0] == pytest.approx(top - 0.5)


def test_the_fit_finds_three_columns_of_forty(rng):
    x = rng.random((80, 40))
    y = x[:, 0] + np.sin(4 * x[:, 1]) + (x[:, 2] - 0.4) ** 2
    y = (y - y.mean()) / y.std()
    plain = np.zeros(40, dtype=bool)
    hyper = fit(x, y, Layout(plain, plain, Matern32()))
    assert hyper.weights[:2].min() > 3 * hyper.weights[3:].max()
    new = rng.random((200, 40))
    truth = new[:, 0] + np.sin(4 * new[:, 1]) + (new[:, 2] - 0.4) ** 2
    mean = Posterior(x, y, hyper, Layout(plain, plain, Matern32())).mean(new)
    assert np.corrcoef(mean, truth)[0, 1] > 0.9


def predicted(posterior, index, row):
    return posterior.predict(row[None])[index][0]


def test_the_gradients_of_mean_and_variance(rng):
    x, y, weights = numbers(rng)
    x[:, 3] = rng.integers(3, size=len(x))
    posterior = Posterior(x, y, Hyper(weights, SCALE, NOISE, *BENDS), MIXED)
    new = rng.random((3, 4))
    new[:, 3] = [0, 1, 2]
    mean, variance, by_mean, by_variance = posterior.predict_with_gradient(new)
    np.testing.assert_allclose((mean, variance), posterior.predict(new), atol=1e-9)
    for i, row in enumerate(new):
        for index, gradient in ((0, by_mean), (1, by_variance)):
            numeric = approx_fprime(row, partial(predicted, posterior, index), 1e-7)
            numeric[3] = 0.0  # a category has no gradient
            np.testing.assert_allclose(gradient[i], numeric, atol=1e-5)


def test_extending_equals_conditioning_again(rng):
    x, y, weights = numbers(rng)
    x[:, 3] = rng.integers(3, size=len(x))
    hyper = Hyper(weights, SCALE, NOISE, *BENDS)
    extended = Posterior(x[:20], y[:20], hyper, MIXED).with_more(x[20:], y[20:])
    new = rng.random((10, 4))
    anew = Posterior(x, y, hyper, MIXED).predict(new)
    np.testing.assert_allclose(extended.predict(new), anew, atol=1e-9)


def test_believing_keeps_the_mean_and_lowers_the_variance_there(rng):
    x, y, weights = numbers(rng)
    posterior = Posterior(x, y, straight(weights), Layout.plain(4, Matern52()))
    pending = rng.random((2, 4))
    believing = posterior.believing(pending)
    np.testing.assert_allclose(believing.mean(pending), posterior.mean(pending), atol=1e-9)
    assert np.all(believing.predict(pending)[1] < NOISE)
    assert np.all(posterior.predict(pending)[1] > 2 * believing.predict(pending)[1])


def test_the_fit_finds_what_matters(rng):
    x, y, _ = numbers(rng, n=60)
    layout = Layout(np.zeros(4, dtype=bool), np.ones(4, dtype=bool), Matern32())
    hyper = fit(x, y, layout)
    assert hyper.weights[0] > 10 * hyper.weights[2:].max()
    logs = np.log([*hyper.weights, hyper.scale, hyper.noise - 1e-6])
    found = np.concatenate([logs, hyper.log_a, hyper.log_b])
    _, gradient = TrainingData(x, y, layout, 1e-6).negative_log_posterior(found)
    assert np.abs(gradient).max() < 0.2  # a stationary point, of a value near -30


def test_the_fit_straightens_a_badly_declared_scale(rng):
    x = rng.random((20, 1))
    y = np.sin(12 * x[:, 0] ** 3)
    layout = Layout(np.zeros(1, dtype=bool), np.ones(1, dtype=bool), Matern52())
    hyper = fit(x, y, layout)
    assert hyper.log_a[0] > 0.2  # stretches the end where the function turns fastest
    new = np.linspace(0, 1, 50)[:, None]
    straight_too = fit(x, y, Layout.plain(1, Matern52()))
    errors = [
        np.abs(Posterior(x, y, *how).mean(new) - np.sin(12 * new[:, 0] ** 3)).mean()
        for how in ((hyper, layout), (straight_too, Layout.plain(1, Matern52())))
    ]
    assert errors[0] < 0.7 * errors[1]


def test_bending_keeps_the_ends_and_the_order():
    x = np.linspace(0, 1, 20)[:, None]
    bent = bend(x, np.array([0.7]), np.array([-0.9]))
    np.testing.assert_allclose(bent[[0, -1], 0], [0.0, 1.0], atol=0.01)
    assert np.all(np.diff(bent[:, 0]) > 0)
