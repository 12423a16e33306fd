"""Acquisitions against quadrature in the far tails, and their slopes."""

import math

import mpmath
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


def exact_log_h(z: float) -> float:
    """log(phi(z) + z Phi(z)) in 60 digits beyond what the difference cancels."""
    with mpmath.workdps(60 + int(2 * math.log10(1 + abs(z)))):
        x = mpmath.mpf(z)
        upper = mpmath.erfc(-x / mpmath.sqrt(2)) / 2
        return float(mpmath.log(mpmath.npdf(x) + x * upper))


@pytest.mark.parametrize("exponent", [-12, -4, -1, 0, 1, 2, 3, 4, 5, 6, 7, 7.8, 7.9, 8, 10, 15])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_log_h_against_mpmath(exponent, sign):
    z = sign * 10.0**exponent
    assert log_h(np.array([z]))[0] == pytest.approx(exact_log_h(z), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("z", np.linspace(-3.0, 1.0, 17))
def test_log_h_near_its_seam_against_mpmath(z):
    assert log_h(np.array([z]))[0] == pytest.approx(exact_log_h(float(z)), rel=1e-13, abs=1e-13)


def test_log_expected_improvement_in_the_far_tails_against_mpmath():
    """A standard deviation of 1e-6 and a gap of 5: 5e6 deviations from any improvement."""
    acquisition = make_acquisition("logei", best=-1.0, beta=0.0)
    mean, deviation = np.array([4.0, 4.0, 0.0]), np.array([1e-6, 1e-2, 5.0])
    got = acquisition(mean, deviation)[0]
    exact = [math.log(s) + exact_log_h((-1.0 - m) / s) for m, s in zip(mean, deviation)]
    np.testing.assert_allclose(got, exact, rtol=1e-13)


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
    assert value == pytest.approx(norm.logcdf(0.2 - 0.01, 0.5, 0.8))


def test_ucb_is_keras_tuners_lower_bound():
    value = make_acquisition("ucb", best=0.0, beta=2.6)(np.array([1.0]), np.array([0.5]))[0]
    assert value[0] == pytest.approx(-(1.0 - 2.6 * 0.5))


def test_an_unknown_acquisition_names_the_nearest():
    with pytest.raises(InvalidInput, match="Did you mean 'logei'"):
        make_acquisition("log_ei", 0.0, 1.0)
