"""Acquisitions against quadrature in the far tails, and their slopes."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import norm

from kerashpo.algorithms.gp.acquisition import ACQUISITIONS, log_h, make_acquisition
from kerashpo.core.errors import InvalidInput


def log_h_by_quadrature(z: float) -> float:
    """h(z) = int_0^inf u phi(u - z) du; for z < 0 in v = -uz, with phi(z) taken out."""
    if z >= 0:
        return math.log(quad(lambda u: u * norm.pdf(u - z), 0, z + 40, points=[z])[0])
    inner = quad(lambda v: v * math.exp(-v - 0.5 * (v / z) ** 2), 0, 100)[0]
    return norm.logpdf(z) + math.log(inner) - 2 * math.log(-z)


@pytest.mark.parametrize("z", [-1e9, -1e8, -1e5, -300.0, -40.0, -5.0, -1.0, -0.3, 0.0, 2.0, 30.0])
def test_log_h_in_the_tails(z):
    assert log_h(np.array([z]))[0] == pytest.approx(log_h_by_quadrature(z), rel=1e-9, abs=1e-9)


def test_log_h_joins_its_pieces():
    for edge in (-1.0, -1 / math.sqrt(np.finfo(float).eps)):
        below, above = log_h(np.array([edge * (1 + 1e-12), edge * (1 - 1e-12)]))
        assert below == pytest.approx(above, rel=1e-9)


@pytest.mark.parametrize("name", ACQUISITIONS)
def test_slopes(name):
    acquisition = make_acquisition(name, best=-0.7, beta=1.3)
    mean, deviation = np.array([-1.0, 0.3, 4.0]), np.array([0.5, 0.2, 0.4])
    _, by_mean, by_deviation = acquisition(mean, deviation)
    for i in range(3):
        point = np.array([mean[i], deviation[i]])
        numeric = approx_fprime(point, lambda t: acquisition(t[:1], t[1:])[0][0], 1e-8)
        np.testing.assert_allclose([by_mean[i], by_deviation[i]], numeric, rtol=1e-4, atol=1e-5)


def test_expected_improvement_is_the_integral():
    acquisition = make_acquisition("ei", best=0.2, beta=0.0)
    value = acquisition(np.array([0.5]), np.array([0.8]))[0][0]
    integral = quad(lambda y: (0.2 - y) * norm.pdf(y, 0.5, 0.8), -20, 0.2)[0]
    assert value == pytest.approx(integral, rel=1e-8)


def test_probability_of_improvement_is_the_integral():
    acquisition = make_acquisition("pi", best=0.2, beta=0.0)
    value = acquisition(np.array([0.5]), np.array([0.8]))[0][0]
    assert value == pytest.approx(norm.logcdf(0.2, 0.5, 0.8))


def test_ucb_is_keras_tuners_lower_bound():
    value = make_acquisition("ucb", best=0.0, beta=2.6)(np.array([1.0]), np.array([0.5]))[0]
    assert value[0] == pytest.approx(-(1.0 - 2.6 * 0.5))


def test_an_unknown_acquisition_names_the_nearest():
    with pytest.raises(InvalidInput, match="Did you mean 'logei'"):
        make_acquisition("log_ei", 0.0, 1.0)
