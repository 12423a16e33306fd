"""Discovery of the space of a function that declares its parameters while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def many_layers(hp: Declaring) -> None:
    """Two to twenty layers, two parameters each, and others."""
    for i in range(hp("layers", Integer(2, 20, preset=2))):
        hp(f"units_{i}", Integer(32, 512, 32))
        hp(f"act_{i}", Choice(("relu", "sigmoid", "tanh")))
        hp("drop", Choice((0.2, 0.3, 0.4, 0.5)))
    hp("optimizer", Choice(("adam", "adadelta")))


def uneven(hp: Declaring) -> None:
    """The seventh layer has a parameter more."""
    for i in range(hp("layers", Integer(1, 20, preset=1))):
        hp(f"units_{i}", Integer(32, 512, 32))
        if i == 6:
            hp("skip", Boolean())


def backwards(hp: Declaring) -> None:
    """The layers are declared from the last one."""
    for i in reversed(range(hp("layers", Integer(1, 16, preset=1)))):
        hp(f"units_{i}", Integer(32, 512, 32))


def pairs(hp: Declaring) -> None:
    """Two layers at every other step."""
    for i in range(hp("layers", Integer(1, 17, preset=1)) // 2):
        hp(f"first_{i}", Integer(32, 512, 32))
        hp(f"second_{i}", Integer(32, 512, 32))


@pytest.mark.parametrize(
    ("build", "calls"), [(many_layers, 13), (uneven, 18), (backwards, 21), (pairs, 19)]
)
def test_of_a_long_loop_every_length_declares_what_the_space_says(build, calls):
    space, discovery = discover(build)
    domain = next(p.domain for p in space.params if p.name == "layers")
    for layers in domain.listed():
        hp = Declaring({"layers": layers})
        build(hp)
        values = {param.name: param.domain.default for param in space.params}
        active = [p.name for p in space.params if p.active({**values, "layers": layers})]
        assert sorted(active) == sorted({param.name for param in hp.declared}), layers
    assert len(discovery.calls) <= calls


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

    space, discovery = discover(build)
    domains = {param.name: param.domain for param in space.params}
    assert (domains["b"].low, domains["b"].high) == (1, 8)
    assert discovery.dependent == {"b"}


def test_choices_that_depend_on_another_value_are_joined():
    def build(hp: Declaring) -> None:
        pair = ("relu", "tanh") if hp("deep", Boolean()) else ("relu", "gelu")
        hp("activation", Choice(pair))

    space, _ = discover(build)
    domains = {param.name: param.domain for param in space.params}
    assert domains["activation"].values == ("relu", "gelu", "tanh")


def test_two_kinds_under_one_name_are_two_parameters_under_their_conditions():
    def build(hp: Declaring) -> None:
        hp("x", Integer(1, 3) if hp("deep", Boolean()) else Choice(("a", "b")))

    space, discovery = discover(build)
    kinds = {p.domain.kind: [(c.parent, c.values) for c in p.conditions] for p in space.params[1:]}
    assert kinds == {"choice": [("deep", (False,))], "int": [("deep", (True,))]}
    assert {"deep": True, "x": 2} in space and {"deep": True, "x": "a"} not in space
    assert discovery.clashes == []


def test_of_two_kinds_that_no_condition_distinguishes_the_first_holds():
    def build(hp: Declaring) -> None:
        hp("x", Integer(1, 3) if hp("rate", Float(0.0, 1.0)) > 0.7 else Choice(("a", "b")))

    space, discovery = discover(build)
    assert [p.domain.kind for p in space.params] == ["float", "choice"]
    ((first, other),) = discovery.clashes
    assert (first.domain.kind, other.domain.kind) == ("choice", "int")


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


def deep(low: int, high: int) -> Callable[[Declaring], None]:
    """A loop over layers, two parameters each, as in many scripts."""

    def build(hp: Declaring) -> None:
        for i in range(hp("layers", Integer(low, high, preset=low))):
            hp(f"units_{i}", Integer(32, 512, 32, preset=32))
            hp(f"act_{i}", Choice(("relu", "sigmoid", "tanh")))
        hp("drop", Choice((0.2, 0.3, 0.4, 0.5)))
        hp("optimizer", Choice(("adam", "adadelta", "adagrad")))

    return build


@pytest.mark.parametrize("low, high, most", [(1, 3, 16), (1, 10, 24), (2, 20, 32), (1, 50, 16)])
def test_a_deep_loop_costs_few_calls(low, high, most):
    space, discovery = discover(deep(low, high))
    assert len(space.params) == 2 * high + 3
    assert len(discovery.calls) <= most and discovery.complete


def test_many_switches_cost_a_logarithm_of_calls():
    def build(hp: Declaring) -> None:
        for i in range(32):
            if hp(f"norm_{i}", Boolean()):
                hp(f"momentum_{i}", Float(0.0, 1.0))

    space, discovery = discover(build)
    for i in range(32):
        assert conditions(space, f"momentum_{i}") == {f"norm_{i}": (True,)}
    assert len(discovery.calls) <= 10


def test_a_switch_that_another_change_hides_is_found():
    def build(hp: Declaring) -> None:
        if hp("kind", Choice(("cnn", "rnn"))) == "cnn" and hp("pool", Boolean()):
            hp("size", Integer(2, 3))

    space, _ = discover(build)
    assert conditions(space, "size") == {"pool": (True,)}
    assert conditions(space, "pool") == {"kind": ("cnn",)}


@st.composite
def programs(draw: st.DrawFn) -> list[tuple[str, Domain, tuple[str, set[Scalar]] | None]]:
    """Declarations in order, some of them under some values of an earlier one."""
    kinds = [
        Boolean(),
        Choice(("a", "b", "c")),
        Choice((1, 2, 3, 4, 5), ordered=True),
        Integer(1, 4),
        Integer(1, 20),
        Integer(1, 20, preset=1),
        Float(0.0, 1.0),
    ]
    program: list[tuple[str, Domain, tuple[str, set[Scalar]] | None]] = []
    for i in range(draw(st.integers(1, 12))):
        parents = [(name, domain) for name, domain, _ in program if domain.levels]
        condition = None
        if parents and draw(st.booleans()):
            name, domain = draw(st.sampled_from(parents))
            values = list(domain.listed())
            if len(values) > 10:
                condition = (name, set(values[draw(st.integers(1, 18)) :]))
            else:
                condition = (name, draw(st.sets(st.sampled_from(values), min_size=1)))
        program.append((f"p{i}", draw(st.sampled_from(kinds)), condition))
    return program


@given(program=programs(), seed=st.integers(0, 99))
@settings(max_examples=200, deadline=None)
def test_a_configuration_holds_what_the_function_declares_with_it(program, seed):
    def run(values: Mapping[str, Scalar]) -> dict[str, Param]:
        declared: dict[str, Param] = {}
        used: dict[str, Scalar] = {}
        for name, domain, condition in program:
            if condition is None or used.get(condition[0]) in condition[1]:
                declared[name] = Param(name, domain)
                used[name] = values.get(name, domain.default)
        return declared

    discovery = Discovery(lambda values: list(run(values).values()), max_calls=500)
    space = discovery.run()
    assert discovery.complete
    rng = np.random.default_rng(seed)
    for _ in range(20):
        config = space.sample(rng)
        assert set(config) == set(run(config))


def test_calls_are_bounded():
    build = deep(2, 20)
    calls = 0

    def probe(values: Mapping[str, Scalar]) -> list[Param]:
        nonlocal calls
        calls += 1
        hp = Declaring(values)
        build(hp)
        return hp.declared

    discovery = Discovery(probe, max_calls=6)
    assert "layers" in discovery.run().names
    assert (calls, discovery.complete) == (6, False)
    again = Discovery(probe, max_calls=6, max_seconds=None)
    assert again.run() == Discovery(probe, max_calls=6).run()


def test_seconds_are_bounded():
    build = deep(2, 20)

    def probe(values: Mapping[str, Scalar]) -> list[Param]:
        time.sleep(0.02)
        hp = Declaring(values)
        build(hp)
        return hp.declared

    began = time.monotonic()
    discovery = Discovery(probe, max_seconds=0.1)
    discovery.run()
    assert time.monotonic() - began < 2 and not discovery.complete
    assert 1 < len(discovery.calls) < 20
