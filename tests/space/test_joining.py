"""The union of two definitions of a parameter, and the nearest value of one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.joining import joined
from kerashpo.space.projection import nearest_value

PAIRS: dict[str, tuple[Domain, Domain]] = {
    "int": (Integer(1, 4), Integer(1, 9)),
    "int steps": (Integer(32, 512, 32), Integer(16, 64, 16)),
    "int shifted": (Integer(3, 9, 2), Integer(2, 8, 2)),
    "int scales": (Integer(1, 64, None, "log"), Integer(1, 10)),
    "int log steps": (Integer(1, 64, 2, "log"), Integer(1, 81, 3, "log")),
    "float": (Float(0.0, 1.0), Float(0.5, 2.0)),
    "float steps": (Float(0.0, 1.0, 0.25), Float(0.0, 0.9, 0.3)),
    "float same steps": (Float(0.0, 0.5, 0.1), Float(0.2, 0.9, 0.1)),
    "float scales": (Float(0.1, 1.0, None, "log"), Float(0.0, 1.0)),
    "float log steps": (Float(1e-3, 1.0, 10, "log"), Float(1e-4, 0.1, 10, "log")),
    "choice": (Choice(("relu", "tanh")), Choice(("relu", "gelu"))),
    "choice ordered": (Choice((1, 2), ordered=True), Choice((2, 4), ordered=True)),
}
pairs = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


@pairs
@given(u=st.floats(0, 1))
def test_a_union_holds_the_values_of_both(pair, u):
    for one, other in (pair, pair[::-1]):
        whole = joined(one, other)
        for domain in pair:
            value = domain.at(u)
            assert value in whole
            assert nearest_value(whole, value) == pytest.approx(value) or isinstance(value, str)


@pairs
def test_a_union_keeps_the_first_kind_and_a_default_of_its_own(pair):
    whole = joined(*pair)
    assert whole.kind == pair[0].kind
    assert whole.default in whole
    assert joined(pair[0], pair[0]) is pair[0]


def test_of_fixed_values_and_flags_the_first_stays():
    assert joined(Fixed(1), Fixed(2)) == Fixed(1)
    assert joined(Boolean(True), Boolean()) == Boolean(True)


@pairs
@given(u=st.floats(0, 1))
def test_the_nearest_value_is_one_of_the_domain(pair, u):
    whole = joined(*pair)
    for domain in pair:
        value = nearest_value(domain, whole.at(u))
        assert value in domain
        assert nearest_value(domain, value) == value


@pytest.mark.parametrize(
    "domain, value, nearest",
    [
        (Integer(1, 3), 7, 3),
        (Integer(1, 3), -2, 1),
        (Integer(1, 9), 2.7, 3),
        (Integer(0, 10, 5), 7, 5),
        (Integer(0, 10, 5), 8, 10),
        (Integer(0, 10, 5, preset=7), 7, 7),
        (Float(0.0, 1.0), 3, 1.0),
        (Float(0.0, 1.0, 0.25), 0.3, 0.25),
        (Float(-0.3, 0.3, 0.1), 0.04, 0.0),
        (Choice(("a", "b")), "b", "b"),
        (Choice(("a", "b")), "z", "a"),
        (Choice(("a", "b"), preset="b"), 3, "b"),
        (Boolean(), "yes", False),
        (Integer(1, 3), True, 2),
        (Integer(1, 3), "2", 2),
        (Fixed("mse"), "mae", "mse"),
    ],
)
def test_nearest_values(domain, value, nearest):
    found = nearest_value(domain, value)
    assert found == nearest and type(found) is type(nearest)
