"""Domains: values, positions, defaults, and what they refuse."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.core.errors import InvalidSpace
from kerashpo.space.constructors import integer, uniform
from kerashpo.space.definition_checks import between_steps, beyond_steps
from kerashpo.space.domain_json import from_json
from kerashpo.space.domains import (
    Boolean,
    Choice,
    Fixed,
    Float,
    Integer,
)

DOMAINS = {
    "float": Float(-1.0, 3.0),
    "float step": Float(0.0, 0.5, 0.1),
    "float step beside": Float(0.0, 1.0, 0.3),
    "float log": Float(1e-4, 1e-1, None, "log"),
    "float log step": Float(1e-3, 1.0, 10, "log"),
    "float reverse": Float(1.0, 10.0, None, "reverse_log"),
    "float reverse step": Float(1.0, 16.0, 2, "reverse_log"),
    "float single": Float(2.0, 2.0),
    "int": Integer(1, 5),
    "int step": Integer(32, 512, 32),
    "int log": Integer(1, 1024, None, "log"),
    "int log step": Integer(1, 1024, 2, "log"),
    "int reverse": Integer(1, 50, None, "reverse_log"),
    "int huge": Integer(0, 2**40),
    "choice": Choice(("a", "b", "c")),
    "choice mixed": Choice((None, 1, 0.5, "1", True)),
    "choice ordered": Choice((16, 32, 64), ordered=True),
    "choice by index": Choice(((1, 2), (3,), [4])),
    "bool": Boolean(),
    "fixed": Fixed("mse"),
}
DISCRETE = [name for name, domain in DOMAINS.items() if 0 < domain.levels < 10_000]

every = pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
discrete = pytest.mark.parametrize("domain", [DOMAINS[n] for n in DISCRETE], ids=DISCRETE)


@every
@given(u=st.floats(0, 1))
def test_every_position_is_a_value(domain, u):
    value = domain.at(u)
    assert value in domain
    assert 0 <= domain.unit(value) <= 1


@every
@given(u=st.floats(0, 1))
def test_a_value_comes_back_from_its_position(domain, u):
    value = domain.at(u)
    again = domain.at(domain.unit(value))
    assert again == pytest.approx(value, rel=1e-9) if isinstance(value, float) else again == value


@discrete
def test_every_value_is_listed_once(domain):
    values = list(domain.listed())
    assert len({(type(value), value) for value in values}) == len(values) == domain.levels
    assert all(value in domain for value in values)


@every
def test_the_default_is_a_value(domain):
    assert domain.default in domain


@every
def test_json_comes_back(domain):
    body = domain.to_json()
    again = from_json(body)
    assert again.to_json() == body
    assert again.levels == domain.levels
    assert again.default == domain.default


@pytest.mark.parametrize(
    "domain, values",
    [
        (Float(0.0, 0.5, 0.1), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (Float(0.0, 1.0, 0.3), [0.0, 0.3, 0.6, 0.9]),
        (Float(-0.3, 0.3, 0.1), [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]),
        (Float(-1e-3, 1e-3, 5e-4), [-1e-3, -5e-4, 0.0, 5e-4, 1e-3]),
        (Float(-1.1, 2.2, 1.1), [-1.1, 0.0, 1.1, 2.2]),
        (Float(0.05, 0.35, 0.15), [0.05, 0.2, 0.35]),
        (Float(1e-9, 1.0, 0.25), [1e-9, 0.250000001, 0.500000001, 0.750000001]),
        (Float(0.0, 1.0, 1 / 3), [0.0, 0.333333333333, 0.666666666667, 1.0]),
        (
            Float(-1.0, 1.0, 1 / 3),
            [-1.0, -0.666666666667, -0.333333333333, 0.0, 0.333333333333, 0.666666666667, 1.0],
        ),
        (Float(1e-3, 1.0, 10, "log"), [0.001, 0.01, 0.1, 1.0]),
        (Float(1.0, 16.0, 2, "reverse_log"), [1.0, 9.0, 13.0, 15.0, 16.0]),
        (Integer(32, 128, 32), [32, 64, 96, 128]),
        (Integer(1, 10, 4), [1, 5, 9]),
        (Integer(1, 100, 10, "log"), [1, 10, 100]),
    ],
)
def test_stepped_values(domain, values):
    assert list(domain.listed()) == values


@pytest.mark.parametrize("u", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_formulas_of_the_scales(u):
    low, high = 1e-3, 1e-1
    assert Float(low, high, None, "log").at(u) == pytest.approx(low * (high / low) ** u)
    reverse = high + low - low * (high / low) ** (1 - u)
    assert Float(low, high, None, "reverse_log").at(u) == pytest.approx(reverse)


def test_a_huge_range_keeps_its_bounds():
    domain = Integer(0, 2**53 - 1)
    assert (domain.at(0.0), domain.at(1.0)) == (0, 2**53 - 1)
    assert domain.levels == 2**53


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Float(2.0, 1.0), "low=2.0 is greater than high=1.0"),
        (lambda: Float(0.0, math.inf), "bounds must be finite"),
        (lambda: Float(math.nan, 1.0), "bounds must be finite"),
        (lambda: Float(0.0, 1.0, 0.0), "step must be above 0"),
        (lambda: Float(0.0, 1.0, -0.1), "step must be above 0"),
        (lambda: Float(1.0, 8.0, 1.0, "log"), "step must be above 1 with log"),
        (lambda: Float(0.0, 1.0, None, "log"), "needs low above 0"),
        (lambda: Float(-1.0, 1.0, None, "reverse_log"), "needs low above 0"),
        (lambda: Float(0.0, 1.0, None, "cubic"), "sampling must be one of"),
        (lambda: Float(0.0, 1.0, None, "linear", 2.0), "default 2.0 is outside"),
        (lambda: Integer(1, 5, 0), "step must be above 0"),
        (lambda: Integer(1.5, 5), "low must be a whole number, received 1.5"),
        (lambda: Integer(1, 5, None, "linear", 9), "default 9 is outside"),
        (lambda: integer(32, 512, 32, default=50), "not among the values from 32 .* nearest is 64"),
        (lambda: integer(1, 8, 2, log=True, default=3), "by a factor of 2; the nearest"),
        (lambda: uniform(0.0, 1.0, 0.25, default=0.3), "nearest is 0.25"),
        (lambda: Choice(()), "at least one value"),
        (lambda: Choice(("a", "a")), "'a' appears twice"),
        (lambda: Choice((1, 1.0)), "appears twice"),
        (lambda: Choice(("a",), preset="b"), "default 'b' is not among"),
        (lambda: from_json({"kind": "gamma"}), "unknown kind of parameter 'gamma'"),
    ],
)
def test_definitions_that_contradict_themselves(make, message):
    with pytest.raises(InvalidSpace, match=message):
        make()


@pytest.mark.parametrize(
    "domain, value",
    [
        (Float(0.0, 1.0), 1.5),
        (Float(0.0, 1.0), "0.5"),
        (Float(0.0, 1.0), True),
        (Float(0.0, 1.0), math.nan),
        (Integer(1, 5), 2.5),
        (Integer(1, 5), 6),
        (Integer(1, 5), None),
        (Choice(("a", "b")), "c"),
        (Choice((1, 2)), True),
        (Choice(((1,), (2,))), 2),
        (Boolean(), 1),
        (Fixed(3), 4),
    ],
)
def test_values_that_are_none(domain, value):
    assert value not in domain
    with pytest.raises(InvalidSpace, match="expected .*received"):
        domain.unit(value)


def test_true_and_one_are_different_choices():
    domain = Choice((1, True))
    assert domain.unit(1) != domain.unit(True)


def test_choices_without_a_json_form_are_kept_by_index():
    domain = Choice(((1, 2), (3,)), preset=(3,))
    assert (domain.default, domain.at(0.1), domain.realise(0)) == (1, 0, (1, 2))
    assert from_json(domain.to_json()).default == 1


def test_an_object_that_is_no_choice():
    with pytest.raises(InvalidSpace, match=r"expected one of \[\(1,\)\], received \(2,\)"):
        Choice(((1,),)).store((2,))


def test_choices_of_functions_are_written_alike_in_every_process():
    def one():
        return 1

    values = Choice((math.sin, one, lambda: 2, lambda: 3, object())).to_json()["values"]
    assert not any("0x" in text for text in values)
    assert len(set(values)) == 5
    assert values[0] == "math.sin"


def test_a_default_on_its_steps_is_kept_in_spite_of_rounding():
    assert Float(3.2, 6.4, 0.2, preset=3.6).default == 3.6
    assert Float(1e-4, 1.0, 10, "log", preset=0.001).default == 0.001


@given(
    low=st.integers(-999, 999),
    steps=st.integers(1, 40),
    by=st.integers(1, 999),
    digits=st.integers(0, 9),
)
def test_stepped_floats_are_the_decimals_that_were_written(low, steps, by, digits):
    def written(number):
        return float(f"{number}e-{digits}")

    domain = Float(written(low), written(low + steps * by), written(by))
    assert list(domain.listed()) == [written(low + i * by) for i in range(steps + 1)]


@given(u=st.floats(0, 1))
def test_a_value_between_two_steps_belongs_to_the_nearer_one(u):
    domain = Float(-0.3, 0.3, 0.1)
    value = -0.3 + 0.6 * u
    nearest = min(domain.listed(), key=lambda step: abs(step - value))
    assert abs(domain.at(domain.unit(value)) - value) == pytest.approx(abs(nearest - value))


def test_a_default_between_the_steps_is_a_value_as_in_kerastuner():
    domain = Integer(32, 512, 32, preset=50)
    assert domain.default == 50 and 50 in domain
    assert "nearest is 64" in between_steps(domain)
    assert between_steps(Integer(32, 512, 32, preset=64)) == ""


def test_steps_that_do_not_reach_the_upper_bound():
    assert "largest value is 74" in beyond_steps(Integer(10, 100, 32))
    assert "largest value is 0.9" in beyond_steps(Float(0.0, 1.0, 0.3))
    assert "factor of 3 does not divide" in beyond_steps(Integer(1, 8, 3, "log"))
    for whole in (
        Integer(10, 100, 30),
        Float(-0.3, 0.3, 0.1),
        Integer(1, 8, 2, "log"),
        Float(0, 1),
    ):
        assert beyond_steps(whole) == ""
