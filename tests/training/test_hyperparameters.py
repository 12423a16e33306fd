"""`HyperParameters`: keras_tuner's, strict, and the way from `build_model` to its space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import pytest

from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.problems.breast_cancer import build_model
from kerashpo.space import Space
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.training.keras_tuner_params import to_space


def model() -> keras.Model:
    made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def discover(declare: Callable[[Any], Any], **settings: Any) -> Space:
    def build(hp: Any) -> keras.Model:
        declare(hp)
        return model()

    return ModelBuilder(build, **settings).discover(0)


def test_the_labs_space_with_few_builds():
    builds = []

    def build(hp: Any) -> keras.Model:
        builds.append(hp)
        return build_model(hp)

    space = ModelBuilder(build).discover(0)
    conditions = {p.name: [(c.parent, c.values) for c in p.conditions] for p in space.params}
    assert conditions == {
        "layers": [],
        "activation": [],
        "units_0": [],
        "dropout_0": [],
        "learning_rate": [],
        "units_1": [("layers", (2, 3))],
        "dropout_1": [("layers", (2, 3))],
        "units_2": [("layers", (3,))],
        "dropout_2": [("layers", (3,))],
    }
    layer = 16 * 6
    assert space.size == 3 * 3 * (layer + layer**2 + layer**3)
    assert len(builds) <= 12


def test_conditional_scope():
    def declare(hp: Any) -> None:
        kind = hp.Choice("kind", ["dense", "conv"])
        with hp.conditional_scope("kind", ["conv"]):
            if kind == "conv":
                hp.Int("filters", 8, 64, step=8)
                with hp.conditional_scope("filters", [64]):
                    hp.Boolean("wide")

    space = discover(declare)
    conditions = {p.name: [(c.parent, c.values) for c in p.conditions] for p in space.params}
    assert conditions["filters"] == [("kind", ("conv",))]
    assert ("filters", (64,)) in conditions["wide"]
    assert {"kind": "dense"} in space
    assert {"kind": "conv", "filters": 64, "wide": True} in space


def test_name_scope_joins_names():
    def declare(hp: Any) -> None:
        with hp.name_scope("head"):
            hp.Int("units", 1, 4)

    assert discover(declare).names == ("head/units",)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda hp: hp.Int("i", 1, 5, default=99), "'i'.*99.*outside"),
        (lambda hp: hp.Int("i", 1, 5, default="x"), "'i'.*default must be a number.*'x'"),
        (lambda hp: hp.Float("f", 0.0, 1.0, default=-1.0), "'f'.*-1.0.*outside"),
        (lambda hp: hp.Int("i", 0, 10, step=0), "'i'.*step"),
        (lambda hp: hp.Float("f", 0.0, 1.0, step=0.0), "'f'.*step"),
        (lambda hp: hp.Int("i", 0, 10, step=-2), "'i'.*step"),
        (lambda hp: hp.Choice("c", ["a", "b"], default="z"), "'c'.*z"),
        (lambda hp: hp.Choice("c", []), "'c'"),
        (lambda hp: hp.Choice("c", ["a", 1]), "'c'"),
        (lambda hp: hp.Int("i", 5, 1), "'i'"),
        (lambda hp: hp.Float("f", 0.0, 1.0, sampling="log"), "'f'"),
        (lambda hp: hp.Float("f", 0.1, 1.0, sampling="linaer"), "'f'"),
        (lambda hp: hp.Boolean("b", default="yes"), "'b'.*yes"),
    ],
)
def test_contradictions_name_the_parameter(declare, message):
    with pytest.raises(InvalidSpace, match=message):
        discover(declare)


ODD = {
    "two kinds": (
        lambda hp: (hp.Int("i", 1, 5), hp.Choice("i", ["a", "b"])),
        "'i' is declared twice .*first kind=int.* then kind=choice, values=.'a', 'b'",
        [1, 1],
    ),
    "two ranges": (
        lambda hp: (hp.Int("i", 1, 5), hp.Int("i", 3, 6)),
        "'i' is declared twice .*low=1, high=5.*low=3, high=6",
        [1, 1],
    ),
    "a default between steps": (
        lambda hp: (hp.Int("i", 32, 512, step=32, default=50),),
        "'i': default 50 is not among .* nearest is 64",
        [50],
    ),
    "a float between steps": (
        lambda hp: (hp.Float("f", 0.0, 1.0, step=0.25, default=0.3),),
        "'f': default 0.3 is not among .* nearest is 0.25",
        [0.3],
    ),
    "steps short of the end": (
        lambda hp: (hp.Int("i", 10, 100, step=32),),
        "'i': the step of 32 does not divide .* largest value is 74",
        [10],
    ),
    "factors short of the end": (
        lambda hp: (hp.Int("i", 1, 10, step=2, sampling="log"),),
        "'i': the factor of 2 does not divide .* largest value is 8",
        [1],
    ),
    "a choice twice": (
        lambda hp: (hp.Choice("c", ["a", "b", "a"]),),
        "'c': the value 'a' appears twice",
        ["a"],
    ),
}
odd = pytest.mark.parametrize(("declare", "message", "values"), ODD.values(), ids=ODD)


@odd
def test_definitions_that_kerastuner_takes_are_taken_as_there_with_one_warning(
    declare, message, values
):
    theirs = keras_tuner.HyperParameters()
    assert list(declare(theirs)) == values
    ours = HyperParameters()
    with pytest.warns(UserWarning, match=message):
        assert list(declare(ours)) == values
    assert list(declare(ours)) == values  # without another warning
    with pytest.warns(UserWarning, match=message) as caught:
        space = discover(declare)
    assert len(caught) == 1
    assert list(space.default().values()) == values[:1]
    assert caught[0].filename == __file__


@odd
def test_strict_definitions_are_errors(declare, message, values):
    with pytest.raises(InvalidSpace, match=message):
        discover(declare, strict=True)
    with pytest.raises(InvalidSpace, match=message):
        declare(HyperParameters(strict=True))


def test_the_end_that_the_steps_do_not_reach_is_never_proposed():
    with pytest.warns(UserWarning, match="does not divide"):
        space = discover(lambda hp: hp.Int("i", 10, 100, step=32))
    assert [config["i"] for config in space.configs()] == [10, 42, 74]


def test_a_choice_that_stands_twice_counts_once():
    with pytest.warns(UserWarning, match="appears twice"):
        space = discover(lambda hp: hp.Choice("c", ["a", "b", "a"]))
    assert [config["c"] for config in space.configs()] == ["a", "b"]


def test_definitions_that_are_overridden_are_not_warned_of():
    mine = HyperParameters()
    mine.Int("i", 1, 5)
    space = discover(lambda hp: hp.Int("i", 10, 100, step=32), overrides=to_space(mine))
    assert [config["i"] for config in space.configs()] == [1, 2, 3, 4, 5]


def test_of_two_kinds_in_two_branches_each_has_its_branch():
    space = discover(
        lambda hp: hp.Int("x", 1, 3) if hp.Boolean("deep") else hp.Choice("x", ["a", "b"])
    )
    assert {"deep": True, "x": 2} in space and {"deep": False, "x": "a"} in space
    assert space.size == 5


def test_two_kinds_that_exist_together_are_reported_once_and_the_first_is_tuned():
    def declare(hp: Any) -> None:
        if hp.Float("rate", 0.0, 1.0) > 0.5:
            hp.Choice("x", ["a", "b"])
        else:
            hp.Int("x", 1, 3)

    with pytest.warns(UserWarning, match="'x' is declared in two ways that cannot be joined"):
        space = discover(declare)
    assert [p.domain.kind for p in space.params] == ["float", "int"]
    with pytest.raises(InvalidSpace, match="'x' is declared in two ways"):
        discover(declare, strict=True)


@pytest.mark.parametrize("read", [lambda hp, name: hp[name], lambda hp, name: hp.get(name)])
def test_what_is_declared_before_can_be_read_alone(read):
    mine = HyperParameters()
    mine.Int("layers", 1, 3)
    mine.Choice("units", [4, 8])
    mine.Boolean("never")

    def declare(hp: Any) -> None:
        for i in range(read(hp, "layers")):
            hp.Boolean(f"bias_{i}")
        if read(hp, "layers") == 2:
            read(hp, "units")

    space = discover(declare, overrides=to_space(mine))
    conditions = {p.name: [(c.parent, c.values) for c in p.conditions] for p in space.params}
    assert conditions == {
        "never": [],
        "layers": [],
        "units": [("layers", (2,))],
        "bias_0": [],
        "bias_1": [("layers", (2, 3))],
        "bias_2": [("layers", (3,))],
    }


def test_conditions_on_a_parameter_inside_a_condition_on_it():
    """keras-tuner issue 738."""

    def declare(hp: Any) -> int:
        count = hp.Int("conv", 0, 3)
        with hp.conditional_scope("conv", [1, 2, 3]):
            if count:
                hp.Choice("pool", [2, 3])
            for i in range(count):
                with hp.conditional_scope("conv", list(range(i + 1, 4))):
                    hp.Int(f"filters_{i}", 4, 16, step=4)
        return count

    space = discover(declare)
    assert {"conv": 0} in space
    assert {"conv": 2, "pool": 3, "filters_0": 4, "filters_1": 16} in space
    assert space.size == 1 + 2 * (4 + 4**2 + 4**3)
    hp = HyperParameters.with_values(space, {"conv": 1, "pool": 2, "filters_0": 8})
    assert declare(hp) == 1 and hp.get("filters_0") == 8 and hp.changed == {}


def test_a_condition_on_what_is_not_declared():
    def declare(hp: Any) -> None:
        with hp.conditional_scope("kind", ["a"]):
            hp.Int("i", 1, 2)

    with pytest.raises(InvalidSpace, match="`HyperParameter` named: kind not defined"):
        discover(declare)


def test_a_repeated_equal_declaration_is_one_parameter():
    assert discover(lambda hp: (hp.Int("i", 1, 5), hp.Int("i", 1, 5))).names == ("i",)


def test_it_is_keras_tuners():
    hp = HyperParameters()
    assert isinstance(hp, keras_tuner.HyperParameters)
    assert hp.Int("units", 32, 64) == 32
    assert hp.get("units") == 32
    assert "units" in hp


def test_copy_keeps_class_values_and_manners():
    hp = HyperParameters()
    hp.Int("units", 32, 64)
    hp.values["units"] = 48
    hp.bind(allow_new=False)
    twin = hp.copy()
    assert type(twin) is HyperParameters
    assert twin.values == {"units": 48}
    twin.values["units"] = 64
    assert hp.values["units"] == 48
    with pytest.raises(InvalidSpace, match="allow_new_entries"):
        twin.Int("other", 1, 2)


class Still(keras_tuner.HyperModel):
    def build(self, hp):
        return hp.Int("width", 3, 9), hp.Int("depth", 1, 5)


@pytest.mark.parametrize("declared", [(), ("depth",)])
def test_what_is_not_tunable_keeps_its_default_unless_it_is_declared_before(declared):
    overrides = HyperParameters()
    for name in declared:
        overrides.Int(name, 2, 5)
    inner = Still(tunable=False)
    maker = ModelBuilder(
        lambda hp: (hp.Boolean("own"), inner.build(hp)), to_space(overrides), form="anything"
    )
    space = maker.discover(0)
    assert {*space.names} == {"own", *declared}
    config = {"own": True, **dict.fromkeys(declared, 4)}
    (_, built), hp = maker.make(config, space, 0, 3)
    assert built == (3, 4 if declared else 1)
    assert hp.changed == {}


def test_with_values_hands_out_a_configuration():
    space = discover(lambda hp: (hp.Int("units", 32, 64), hp.Choice("act", ["relu", "tanh"])))
    hp = HyperParameters.with_values(space, {"units": 50, "act": "tanh"})
    assert (hp.Int("units", 32, 64), hp.Choice("act", ["relu", "tanh"])) == (50, "tanh")
    assert hp.changed == {}
    assert [p.name for p in hp.space] == ["units", "act"]


def test_a_value_outside_a_narrower_bound_is_brought_into_it():
    space = discover(lambda hp: hp.Int("b", 1, hp.Int("a", 2, 8)))
    hp = HyperParameters.with_values(space, {"a": 3, "b": 7})
    assert hp.Int("b", 1, hp.Int("a", 2, 8)) == 3
    assert hp.changed == {"b": 3}


def test_a_value_is_brought_onto_the_steps_of_its_branch():
    def declare(hp: Any) -> Any:
        return hp.Int("b", 0, 20, step=5 if hp.Boolean("coarse") else 2)

    space = discover(declare)
    wide = next(p.domain for p in space.params if p.name == "b")
    assert {0, 2, 5, 10, 18, 20} <= set(wide.listed())
    for coarse, value, trained in ((True, 8, 10), (True, 5, 5), (False, 8, 8), (False, 9, 8)):
        hp = HyperParameters.with_values(space, {"coarse": coarse, "b": value})
        assert declare(hp) == trained
        assert hp.changed == ({} if value == trained else {"b": trained})


def test_what_is_trained_is_known_before_the_trial():
    built = []

    def declare(hp: Any) -> None:
        b = hp.Int("b", 1, hp.Int("a", 2, 8))
        pair = ["relu", "tanh"] if b > 4 else ["relu", "gelu"]
        hp.Choice("act", pair)
        built.append(b)

    def build(hp: Any) -> keras.Model:
        declare(hp)
        return model()

    maker = ModelBuilder(build)
    space = maker.discover(0)
    assert maker.dependent == {"b", "act"}
    built.clear()
    for config, trained in (
        ({"a": 3, "b": 7, "act": "relu"}, {"a": 3, "b": 3, "act": "relu"}),
        ({"a": 3, "b": 7, "act": "tanh"}, {"a": 3, "b": 3, "act": "relu"}),
        ({"a": 7, "b": 7, "act": "tanh"}, {"a": 7, "b": 7, "act": "tanh"}),
    ):
        assert maker.project(config, space) == trained
        assert maker.project(trained, space) == trained
        _, hp = maker.make(trained, space, 0, 0)
        assert hp.changed == {}
    assert len(built) == 3  # by make: a projection ends when all is declared


def test_a_projection_changes_what_exists_with_it():
    def declare(hp: Any) -> None:
        if hp.Int("b", 1, hp.Int("a", 1, 3)) == 3:
            hp.Boolean("third")

    def build(hp: Any) -> keras.Model:
        declare(hp)
        return model()

    maker = ModelBuilder(build)
    space = maker.discover(0)
    assert maker.project({"a": 1, "b": 3, "third": True}, space) == {"a": 1, "b": 1}


def test_a_model_that_fails_to_build_is_projected_as_it_is():
    def build(hp: Any) -> keras.Model:
        if hp.Int("b", 1, hp.Int("a", 1, 3)) == 3:
            raise RuntimeError("cannot be built")
        return model()

    maker = ModelBuilder(build)
    space = maker.discover(0)
    for config in ({"a": 3, "b": 3}, {"a": 1, "b": 3}):
        assert maker.project(config, space)["a"] == config["a"]


def test_hyperparameters_win_over_build_model():
    mine = HyperParameters()
    mine.Int("units", 100, 200, step=50)
    mine.Fixed("extra", 1)
    space = discover(
        lambda hp: (hp.Int("units", 32, 64), hp.Boolean("bias")), overrides=to_space(mine)
    )
    domains = {p.name: p.domain for p in space.params}
    assert (domains["units"].low, domains["units"].high) == (100, 200)
    assert set(space.names) == {"extra", "units", "bias"}


def test_new_entries_may_be_fixed_or_refused():
    mine = keras_tuner.HyperParameters()
    mine.Int("units", 100, 200)

    def declare(hp: Any) -> None:
        hp.Int("units", 32, 64)
        hp.Int("depth", 1, 5, default=2)

    fixed = discover(declare, overrides=to_space(mine), tune_new=False)
    assert {p.name: p.domain.levels for p in fixed.params} == {"units": 101, "depth": 1}
    assert fixed.default()["depth"] == 2
    with pytest.raises(InvalidSpace, match="'depth'.*allow_new_entries"):
        discover(declare, overrides=to_space(mine), allow_new=False)


def test_only_hyperparameters_are_taken_as_such():
    with pytest.raises(InvalidSpace, match="must be a HyperParameters.*{'units': 3}"):
        to_space({"units": 3})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda hp: None, "returned None.*return model"),
        (lambda hp: 3, "must return a compiled keras.Model.*3.*int"),
        (lambda hp: keras.Sequential([keras.Input((2,))]), "not compiled.*model.compile"),
    ],
)
def test_build_model_must_return_a_compiled_model(build, message):
    with pytest.raises(InvalidInput, match=message):
        ModelBuilder(build).discover(0)


def test_what_build_model_raises_is_its_own_error():
    def build(hp: Any) -> keras.Model:
        raise KeyError("no such layer")

    with pytest.raises(KeyError, match="no such layer"):
        ModelBuilder(build).discover(0)


def test_neither_function_nor_hypermodel():
    with pytest.raises(InvalidInput, match="build_model\\(hp\\).*Received: 7"):
        ModelBuilder(7)


def test_a_value_that_the_user_sets_is_used_as_in_kerastuner():
    """Scripts take the best hyperparameters, change a value, and build."""

    def declared(hp: Any) -> list[Any]:
        return [hp.Choice("rate", [0.1, 0.01]), hp.Int("units", 8, 64, step=8), hp.get("units")]

    space = discover(declared)
    for hp in (HyperParameters.with_values(space, space.default()), HyperParameters()):
        hp.values |= {"rate": 0.5, "units": 100}
        assert declared(hp) == declared(hp.copy()) == [0.5, 100, 100]
        assert (hp.values, hp.changed) == ({"rate": 0.5, "units": 100}, {})
