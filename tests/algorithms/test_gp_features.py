"""What the kernel sees of inactive parameters, and that it stays a kernel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kerashpo.algorithms.gp.features import Features
from kerashpo.algorithms.gp.kernel import Matern52, squares
from kerashpo.space import Space, choice, integer, uniform, when
from kerashpo.space.cube import Cube

NAN = np.nan
# columns: a number, a category, and a number and a category that one condition hides
LAYOUT = Features(np.array([False, True, False, True]), [-1, -1, 0, 0], None, Matern52())
HAMMING = LAYOUT.layout.hamming
ONES = np.ones(5)


def test_two_rows_without_a_parameter_do_not_differ_in_it():
    rows = np.array([[0.2, 0.5, NAN, NAN], [0.2, 0.5, NAN, NAN]])
    seen = LAYOUT(rows)
    assert squares(seen, seen, ONES, HAMMING).max() == 0.0


def test_having_a_parameter_differs_from_not_having_it_even_in_the_middle():
    seen = LAYOUT(np.array([[0.2, 0.5, NAN, NAN], [0.2, 0.5, 0.5, 0.25]]))
    parts = [squares(seen, seen, one, HAMMING)[0, 1] for one in np.eye(5)]
    np.testing.assert_allclose(parts, [0.0, 0.0, 0.0, 1.0, 1.0], atol=1e-12)


@given(
    arrays(float, (12, 4), elements=st.floats(0, 1)),
    arrays(bool, 12),
    arrays(float, 5, elements=st.floats(0.01, 100)),
)
def test_the_kernel_is_positive_semidefinite_whatever_is_inactive(rows, inactive, weights):
    rows = rows.copy()
    rows[inactive, 2:] = NAN
    seen = LAYOUT(rows)
    kernel = Matern52().value(squares(seen, seen, weights, HAMMING))
    assert np.linalg.eigvalsh(kernel).min() > -1e-7


def test_columns_under_one_condition_share_their_gate():
    space = Space(
        {
            "layers": integer(1, 3),
            **when("layers", [2, 3], {"u2": uniform(0, 1), "act": choice(["a", "b"])}),
            **when("layers", [3], {"u3": uniform(0, 1)}),
        }
    )
    features = Features.of(Cube(space), True, Matern52())
    assert features.count == 4 + 2
    assert features.layout.hamming.tolist() == [False, False, True, False, False, False]
    assert features.layout.bent.tolist() == [True, True, False, True, False, False]


def test_without_conditions_features_are_the_rows():
    rows = np.array([[0.1, 0.25]])
    features = Features(np.array([False, True]), [-1, -1], None, Matern52())
    np.testing.assert_array_equal(features(rows), rows)


def expected_length(count, *more):
    return Features(
        np.zeros(count, dtype=bool), [-1] * count, None, Matern52(), *more
    ).layout.length


def test_lengths_are_expected_to_grow_with_the_features_up_to_ten():
    assert [expected_length(n) for n in (1, 4, 9, 11, 40)] == [1.0, 2.0, 3.0, 1.0, 1.0]
    assert expected_length(8, [False]) == 3.0  # a mark is a feature too
    assert expected_length(9, (), 0) == 1.0
