"""`Space`: reading, conditions, completing, and messages that name the parameter."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.core.errors import InvalidSpace
from kerashpo.space import (
    Space,
    boolean,
    choice,
    fixed,
    integer,
    loguniform,
    uniform,
    when,
)
from kerashpo.space.space import key

NESTED = Space(
    {
        "model": {
            "kind": choice(["linear", "mlp"]),
            **when("kind", "mlp", {"layers": integer(1, 2), "head": {"dropout": boolean()}}),
            **when("layers", 2, {"units_2": integer(8, 32, step=8)}),
        },
        "seed": 7,
    }
)


def test_nested_names_are_joined():
    assert NESTED.names == (
        "model/kind",
        "model/layers",
        "model/head/dropout",
        "model/units_2",
        "seed",
    )


def test_size_counts_what_is_active():
    assert NESTED.size == 1 + 2 * (1 + 4) == len(list(NESTED.configs()))


def test_inactive_parameters_are_absent():
    assert NESTED.complete({"model/kind": "linear"}) == {"model/kind": "linear", "seed": 7}
    assert {"model/kind": "linear", "model/layers": 1, "seed": 7} not in NESTED
    assert {"model/kind": "mlp", "seed": 7} not in NESTED


def test_children_of_inactive_parents_are_inactive():
    config = NESTED.complete({"model/kind": "linear", "model/layers": 2})
    assert "model/units_2" not in config


def test_parents_may_be_written_after_their_children():
    space = Space({**when("o", "sgd", {"momentum": uniform(0, 1)})}, {"o": choice(["sgd", "x"])})
    assert space.names == ("o", "momentum")


def test_a_name_may_have_a_definition_for_each_branch():
    space = Space(
        {"o": choice(["sgd", "adam"])},
        when("o", "sgd", {"lr": loguniform(1e-2, 1.0)}),
        when("o", "adam", {"lr": loguniform(1e-4, 1e-2)}),
    )
    rng = np.random.default_rng(0)
    configs = [space.sample(rng) for _ in range(50)]
    assert all((c["lr"] > 1e-2) == (c["o"] == "sgd") for c in configs)


def test_branches_of_branches_are_distinguished():
    space = Space(
        {"o": choice(["x", "y"])},
        {**when("o", "x", {"p": boolean()}), **when("o", "y", {"q": boolean()})},
        when("p", True, {"a": integer(1, 2)}),
        when("q", True, {"a": integer(3, 4)}),
    )
    assert space.size == 6


def test_equal_spaces_have_equal_fingerprints():
    one, two = (Space({"lr": loguniform(1e-4, 1e-1), "n": integer(1, 3)}) for _ in range(2))
    assert one == two
    assert one.fingerprint == two.fingerprint
    assert hash(one) == hash(two)


@pytest.mark.parametrize(
    "other",
    [
        {"x": uniform(0, 2)},
        {"x": uniform(0, 1, step=0.5)},
        {"x": uniform(0, 1, default=0.1)},
        {"y": uniform(0, 1)},
        {"x": integer(0, 1)},
        {"x": uniform(0, 1), "y": 1},
    ],
)
def test_other_spaces_have_other_fingerprints(other):
    assert Space(other).fingerprint != Space({"x": uniform(0, 1)}).fingerprint


def test_choices_without_a_json_form_come_back_as_objects():
    space = Space({"shape": choice([(1, 2), (3,)])})
    assert space.realise({"shape": 1}) == {"shape": (3,)}
    assert space.complete({"shape": (3,)}) == {"shape": 1}


def test_choices_of_arrays_are_no_obstacle():
    arrays = [np.zeros(2), np.ones(2)]
    space = Space({"o": boolean(), "w": choice(arrays)}, when("o", True, {"v": choice(arrays)}))
    assert space.size == 2 + 4


def test_values_are_stored_as_their_kind():
    space = Space({"n": integer(1, 9), "x": uniform(0, 1)})
    config = space.complete({"n": np.int64(3), "x": 1})
    assert (type(config["n"]), type(config["x"])) == (int, float)
    assert space.complete({"n": 3.0})["n"] == 3


@pytest.mark.parametrize(
    "parts, message",
    [
        ([{"lr": [1, 2]}], r"Parameter 'lr': expected a definition .* received \[1, 2\]"),
        ([5], "written as a mapping .* Received: 5"),
        ([{"a": 1}, {"a": boolean()}], "'a' is declared twice"),
        ([when("optimiser", "x", {"a": 1}), {"optimizer": 1}], "'a' depends on 'optimiser'.*mean"),
        ([{"o": choice("xy")}, when("o", "z", {"a": 1})], "'a' exists where 'o' is 'z'"),
        ([{"o": choice([(1,)])}, when("o", 9, {"a": 1})], r"'a', its condition: expected one of"),
        ([when("a", True, {"a": boolean()})], "conditions of a form a circle"),
        (
            [when("a", True, {"b": boolean()}), when("b", True, {"a": boolean()})],
            "conditions of a, b form a circle",
        ),
        (
            [{"o": choice("xy")}, {"a": 1}, when("o", "x", {"a": 2})],
            "'a' is declared twice, under conditions that can hold together",
        ),
        (
            [{"o": choice("xyz")}, when("o", ("x", "y"), {"a": 1}), when("o", "y", {"a": 2})],
            "'a' is declared twice, under conditions that can hold together",
        ),
    ],
)
def test_errors_name_the_parameter(parts, message):
    with pytest.raises(InvalidSpace, match=message):
        Space(*parts)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"lrr": 0.1}, "no parameter 'lrr'. Did you mean 'lr'?"),
        ({"lr": 2.0}, r"Parameter 'lr': expected a number in \[0.0, 1.0\], received 2.0"),
        ({"n": 2.5}, "Parameter 'n': expected a whole number"),
        ({"o": "z"}, r"Parameter 'o': expected one of \['x', 'y'\], received 'z'"),
        ({"shape": (9,)}, "Parameter 'shape': expected one of"),
        ({"f": 4}, "Parameter 'f': expected the fixed value 3, received 4"),
    ],
)
def test_values_outside_name_the_parameter(values, message):
    space = Space(
        {
            "lr": uniform(0, 1),
            "n": integer(1, 3),
            "o": choice("xy"),
            "shape": choice([(1,), (2,)]),
            "f": fixed(3),
        }
    )
    with pytest.raises(InvalidSpace, match=message):
        space.complete(values)


def test_a_grid_names_what_is_continuous():
    with pytest.raises(InvalidSpace, match="but lr, x have no step"):
        next(Space({"lr": uniform(0, 1), "n": boolean(), "x": uniform(0, 1)}).configs())


def test_samples_follow_their_distributions():
    space = Space({"lr": loguniform(1e-4, 1.0), "n": integer(1, 3), "b": boolean()})
    rng = np.random.default_rng(0)
    configs = [space.sample(rng) for _ in range(3000)]
    assert np.mean([c["lr"] < 1e-2 for c in configs]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([c["n"] == 3 for c in configs]) == pytest.approx(1 / 3, abs=0.03)
    assert np.mean([c["b"] for c in configs]) == pytest.approx(0.5, abs=0.03)


def test_a_projection_leaves_only_what_is_trained_as_it_is():
    calls = []

    def lower(config):
        calls.append(config)
        return {**config, "b": min(config["a"], config["b"])}

    wide = Space({"a": integer(1, 4), "b": integer(1, 4)})
    space = wide.with_projection(lower)
    assert space == wide and space.to_json() == wide.to_json()
    assert space.project({"a": 2, "b": 4}) == {"a": 2, "b": 2}
    assert wide.project({"a": 2, "b": 4}) == {"a": 2, "b": 4}
    configs = list(space.configs())
    assert [(c["a"], c["b"]) for c in configs] == [
        (a, b) for a in range(1, 5) for b in range(1, a + 1)
    ]
    assert list(space.configs({key(c) for c in configs[1:]})) == configs[:1]
    assert len(calls) == 16  # each configuration once


def test_without_a_projection_every_configuration_is_listed():
    space = Space({"a": integer(1, 3), "b": boolean()})
    assert len(list(space.configs())) == 6
    assert len(list(space.configs({key({"a": 1, "b": True})}))) == 5
