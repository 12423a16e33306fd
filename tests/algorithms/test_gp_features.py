"""What the kernel sees of inactive parameters, and that it stays a kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.kernel import channels, matern, squares
from kerashpo.space import Space, choice, integer, uniform, when
from kerashpo.space.cube import Cube

NAN = np.nan
# columns: a number, a category, and a number and a category that one condition hides
LAYOUT = Features(np.array([False, True, False, True]), [-1, -1, 0, 0])


def test_two_rows_without_a_parameter_do_not_differ_in_it():
    rows = np.array([[0.2, 0.5, NAN, NAN], [0.2, 0.5, NAN, NAN]])
    assert channels(LAYOUT(rows), LAYOUT.hamming).sum() == 0.0


def test_having_a_parameter_differs_from_not_having_it_even_in_the_middle():
    rows = np.array([[0.2, 0.5, NAN, NAN], [0.2, 0.5, 0.5, 0.25]])
    distances = channels(LAYOUT(rows), LAYOUT.hamming)[:, 1]
    np.testing.assert_array_equal(distances, [0.0, 0.0, 0.0, 1.0, 1.0])


def test_pairs_agree_with_squares():
    rng = np.random.default_rng(0)
    rows = rng.random((6, 4))
    rows[:, 1] = rng.choice([0.25, 0.75], 6)
    rows[:3, 2:] = NAN
    seen, weights = LAYOUT(rows), np.array([2.0, 0.3, 5.0, 1.0, 0.7])
    stored = (weights @ channels(seen, LAYOUT.hamming)).reshape(6, 6)
    np.testing.assert_allclose(squares(seen, seen, weights, LAYOUT.hamming), stored, atol=1e-12)


@given(
    arrays(float, (12, 4), elements=st.floats(0, 1)),
    arrays(bool, 12),
    arrays(float, 5, elements=st.floats(0.01, 100)),
)
def test_the_kernel_is_positive_semidefinite_whatever_is_inactive(rows, inactive, weights):
    rows = rows.copy()
    rows[inactive, 2:] = NAN
    seen = LAYOUT(rows)
    kernel = matern(squares(seen, seen, weights, LAYOUT.hamming))
    assert np.linalg.eigvalsh(kernel).min() > -1e-7


def test_columns_under_one_condition_share_their_gate():
    space = Space(
        {
            "layers": integer(1, 3),
            **when("layers", [2, 3], {"u2": uniform(0, 1), "act": choice(["a", "b"])}),
            **when("layers", [3], {"u3": uniform(0, 1)}),
        }
    )
    features = Features.of(Cube(space))
    assert features.count == 4 + 2
    assert features.hamming.tolist() == [False, False, True, False, False, False]


def test_without_conditions_features_are_the_rows():
    rows = np.array([[0.1, 0.25]])
    features = Features(np.array([False, True]), [-1, -1])
    np.testing.assert_array_equal(features(rows), rows)
    assert pytest.approx(1.0) == matern(np.zeros(1))[0]
