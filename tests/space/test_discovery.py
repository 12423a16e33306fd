"""Discovery of the space of a function that declares its parameters while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from kerashpo.core.errors import InvalidSpace
from kerashpo.core.records import Scalar
from kerashpo.space.discovery import Discovery
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer
from kerashpo.space.params import Param
from kerashpo.space.space import Space


class Declaring:
    """Hands out values by name and notes what was declared."""

    def __init__(self, values: Mapping[str, Scalar]) -> None:
        self.values = values
        self.declared: list[Param] = []

    def __call__(self, name: str, domain: Domain) -> Scalar:
        self.declared.append(Param(name, domain))
        return self.values.get(name, domain.default)


def discover(build: Callable[[Declaring], None]) -> tuple[Space, Discovery]:
    def probe(values: Mapping[str, Scalar]) -> list[Param]:
        hp = Declaring(values)
        build(hp)
        return hp.declared

    discovery = Discovery(probe)
    return discovery.run(), discovery


def conditions(space: Space, name: str) -> dict[str, tuple[Scalar, ...]]:
    (param,) = (p for p in space.params if p.name == name)
    return {condition.parent: condition.values for condition in param.conditions}


def test_parameters_of_a_loop_depend_on_its_length():
    def build(hp: Declaring) -> None:
        for i in range(hp("layers", Integer(1, 3))):
            hp(f"units_{i}", Integer(32, 512, 32))

    space, _ = discover(build)
    assert space.names == ("layers", "units_0", "units_1", "units_2")
    assert conditions(space, "units_0") == {}
    assert conditions(space, "units_1") == {"layers": (2, 3)}
    assert conditions(space, "units_2") == {"layers": (3,)}
    assert space.size == 16 + 16**2 + 16**3


def test_a_space_without_hidden_parameters_costs_few_calls():
    def build(hp: Declaring) -> None:
        for i in range(30):
            hp(f"x{i}", Choice(("a", "b")))

    space, discovery = discover(build)
    assert len(space.params) == 30
    assert len(discovery.calls) == 2


def test_conditions_nest():
    def build(hp: Declaring) -> None:
        if hp("regularise", Boolean()) and hp("kind", Choice(("l1", "l2"))) == "l2":
            hp("strength", Float(0.1, 1.0))

    space, _ = discover(build)
    assert conditions(space, "kind") == {"regularise": (True,)}
    assert conditions(space, "strength")["kind"] == ("l2",)
    assert {"regularise": False} in space
    assert {"regularise": True, "kind": "l1"} in space
    assert {"regularise": True, "kind": "l2", "strength": 0.5} in space


def test_what_only_two_flips_together_show_is_found():
    def build(hp: Declaring) -> None:
        a, b = hp("a", Boolean()), hp("b", Boolean())
        if a and b:
            hp("c", Integer(1, 3))

    space, _ = discover(build)
    assert space.names == ("a", "b", "c")
    assert {"a": True, "b": True, "c": 2} in space


def test_a_long_choice_is_flipped_through_once_it_matters():
    def build(hp: Declaring) -> None:
        if hp("n", Integer(1, 20)) > 12:
            hp("deep", Boolean())

    space, _ = discover(build)
    assert conditions(space, "deep") == {"n": tuple(range(13, 21))}


def test_under_a_continuum_a_parameter_is_free():
    """Its far end shows the parameter, but no list of values could say where it exists."""

    def build(hp: Declaring) -> None:
        if hp("rate", Float(0.0, 1.0, preset=0.0)) > 0.3:
            hp("hidden", Integer(1, 5))

    space, _ = discover(build)
    assert conditions(space, "hidden") == {}
    assert {"rate": 0.5, "hidden": 2} in space


def test_errors_away_from_the_default_are_borne():
    def build(hp: Declaring) -> None:
        if hp("kind", Choice(("safe", "broken", "deep"))) == "broken":
            raise RuntimeError("cannot be built")
        if hp.declared and hp.values.get("kind") == "deep":
            hp("depth", Integer(1, 4))

    space, discovery = discover(build)
    assert conditions(space, "depth") == {"kind": ("deep",)}
    assert {str(error) for error in discovery.errors} == {"cannot be built"}


def test_the_default_must_build():
    def build(hp: Declaring) -> None:
        raise ZeroDivisionError("always")

    with pytest.raises(ZeroDivisionError, match="always"):
        discover(build)


def test_a_bound_that_depends_on_another_value_widens():
    def build(hp: Declaring) -> None:
        hp("b", Integer(1, hp("a", Integer(2, 8, preset=4))))

    space, _ = discover(build)
    domains = {param.name: param.domain for param in space.params}
    assert (domains["b"].low, domains["b"].high) == (1, 8)


def test_choices_that_depend_on_another_value_are_joined():
    def build(hp: Declaring) -> None:
        pair = ("relu", "tanh") if hp("deep", Boolean()) else ("relu", "gelu")
        hp("activation", Choice(pair))

    space, _ = discover(build)
    domains = {param.name: param.domain for param in space.params}
    assert domains["activation"].values == ("relu", "gelu", "tanh")


def test_two_kinds_under_one_name_contradict():
    def build(hp: Declaring) -> None:
        hp("x", Integer(1, 3) if hp("deep", Boolean()) else Choice(("a", "b")))

    with pytest.raises(InvalidSpace, match="'x' is declared in two ways"):
        discover(build)


def test_contradictions_count_away_from_the_default_too():
    def build(hp: Declaring) -> None:
        if hp("deep", Boolean()):
            hp("n", Integer(5, 1))

    with pytest.raises(InvalidSpace, match="greater than"):
        discover(build)


def test_fixed_values_are_not_flipped():
    space, discovery = discover(lambda hp: hp("c", Fixed(3)))
    assert len(discovery.calls) == 1
    assert space.default() == {"c": 3}


def test_a_wider_range_keeps_its_default_on_the_steps():
    def probe(values):
        a = Param("a", Choice((1, 2)))
        low = 2 if values.get("a", 1) == 2 else 3
        return (
            [a, Param("b", Integer(low, 9, 2, preset=3))]
            if low == 3
            else [a, Param("b", Integer(low, 8, 2, preset=2))]
        )

    wide = next(p.domain for p in Discovery(probe).run().params if p.name == "b")
    assert (wide.low, wide.high) == (2, 9)
    assert wide.default in list(wide.listed())
