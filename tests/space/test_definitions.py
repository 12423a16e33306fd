"""Spaces as plain mappings and files, and choices among spaces."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.space import Space, boolean, choice, integer, loguniform, uniform, when
from kerashpo.space.domains import Boolean, Choice, Fixed, Float, Integer
from kerashpo.space.formats.definitions import read_file
from kerashpo.space.params import Condition, Param

DOMAINS = [
    Float(0.0, 1.0),
    Float(1e-4, 1.0, None, "log", 0.01),
    Float(1.0, 64.0, 2.0, "log"),
    Float(1e-3, 1.0, None, "reverse_log"),
    Float(0.0, 0.5, 0.1),
    Integer(1, 4, None, "linear", 2),
    Integer(1, 64, 2, "log"),
    Integer(1, 9, None, "reverse_log"),
    Choice(("a", "b", 3)),
    Choice((8, 16, 32), True, 16),
    Choice(([1], [2, 3])),
    Choice((None, True, "x")),
    Boolean(True),
    Boolean(),
    Fixed("x"),
    Fixed(None),
]


@st.composite
def spaces(draw):
    """Random spaces with conditions on conditions, their names nested or not."""
    params = []
    for index in range(draw(st.integers(1, 7))):
        parents = [p for p in params if 0 < p.domain.levels <= 4]
        chosen = (
            draw(st.lists(st.sampled_from(parents), max_size=2, unique_by=id)) if parents else []
        )
        conditions = tuple(
            Condition(
                p.name, tuple(draw(st.sets(st.sampled_from(list(p.domain.listed())), min_size=1)))
            )
            for p in chosen
        )
        name = draw(st.sampled_from(["p{}", "net/p{}", "net/head/p{}"])).format(index)
        params.append(Param(name, draw(st.sampled_from(DOMAINS)), conditions))
    return Space.of(params)


@given(spaces())
def test_every_space_comes_back_from_its_plain_form(space):
    assert Space.from_dict(json.loads(json.dumps(space.to_dict()))) == space


NESTED = Space(
    {
        "model": choice(
            {
                "svm": {"C": loguniform(1e-3, 1e3), "kernel": choice(["rbf", "poly"])},
                "forest": {"trees": integer(10, 500), "bootstrap": boolean()},
                "none": None,
            },
            default="forest",
        )
    }
)


def test_a_choice_among_spaces_brings_the_parameters_of_the_chosen_one():
    assert NESTED.default() == {"model": "forest", "model/trees": 255, "model/bootstrap": False}
    assert NESTED.complete({"model": "svm"})["model/kernel"] == "rbf"
    assert NESTED.complete({"model": "none"}) == {"model": "none"}
    assert Space.from_dict(NESTED.to_dict()) == NESTED


def test_in_a_list_spaces_are_chosen_by_position_and_values_as_they_are():
    inner = Space({"deep": choice([[1], [2, 3]]), **when("deep", [[1]], {"rate": uniform(0, 1)})})
    space = Space({"net": choice(["linear", inner, {"again": choice([{"a": boolean()}, 7])}])})
    assert space.complete({}) == {"net": "linear"}
    assert space.complete({"net": 1}) == {"net": 1, "net/deep": 0, "net/rate": 0.5}
    assert space.complete({"net": 1, "net/deep": 1}) == {"net": 1, "net/deep": 1}
    assert space.complete({"net": 2}) == {"net": 2, "net/again": 0, "net/again/a": False}


def test_mappings_without_a_definition_stay_values():
    space = Space({"settings": choice([{"a": 1}, {"a": 2}])})
    assert space.realise(space.default()) == {"settings": {"a": 1}}


TOML = """
[space]
rate = {type = "loguniform", low = 1e-4, high = 1e-1}
loss = "mse"
[space.optimizer]
kind = {type = "choice", values = ["sgd", "adam"]}
momentum = {type = "uniform", low = 0, high = 0.9, when = {kind = "sgd"}}
[space.model]
type = "choice"
[space.model.options.svm]
C = {type = "loguniform", low = 1e-3, high = 1e3}
[space.model.options.forest]
trees = {type = "integer", low = 10, high = 500, step = 10}
"""


def test_a_file_holds_groups_conditions_and_nested_choices(tmp_path):
    (tmp_path / "study.toml").write_text(TOML)
    space = Space.from_file(tmp_path / "study.toml")
    assert space == Space(
        {
            "rate": loguniform(1e-4, 1e-1),
            "loss": "mse",
            "optimizer": {
                "kind": choice(["sgd", "adam"]),
                **when("kind", "sgd", {"momentum": uniform(0, 0.9)}),
            },
            "model": choice(
                {
                    "svm": {"C": loguniform(1e-3, 1e3)},
                    "forest": {"trees": integer(10, 500, step=10)},
                }
            ),
        }
    )
    (tmp_path / "space.json").write_text(json.dumps(space.to_dict()))
    assert Space.from_file(tmp_path / "space.json") == space


def test_a_name_under_several_conditions_is_a_list_of_definitions():
    space = Space(
        {"a": choice(["x", "y"])},
        when("a", "x", {"b": uniform(0, 1)}),
        when("a", "y", {"b": integer(1, 3)}),
    )
    assert [one["type"] for one in space.to_dict()["b"]] == ["uniform", "integer"]
    assert Space.from_dict(space.to_dict()) == space


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"a": {"type": "unifrom", "low": 0}},
            "'a': unknown type 'unifrom'. Did you mean 'uniform'",
        ),
        ({"a": {"type": "uniform", "low": 0, "hihg": 1}}, "no 'hihg'. Did you mean 'high'"),
        ({"g": {"a": {"type": "uniform", "low": 0}}}, "'g/a': a uniform needs 'high'"),
        ({"a": {"type": "loguniform", "low": 0, "high": 1}}, "'a': .*low above 0"),
        ({"a": [1, 2]}, "'a': expected a definition"),
        ({"a": {"type": "boolean", "when": "b"}}, "when must map a parent"),
        ({"a": {"type": "choice", "options": 3}}, "'a': options must be"),
        ({"a": {"type": "uniform", "low": "0", "high": 1}}, "'a': low must be a number.*'0'"),
        ({"a": {"type": "integer", "low": 0, "high": True}}, "'a': high must be a number.*True"),
        ({"a": {"type": "integer", "low": 1, "high": 9, "log": "no"}}, "log must be true or false"),
        ({"a": {"type": "boolean", "default": "false"}}, "default must be true or false"),
        ({"a": {"type": "choice", "values": "abc"}}, "'a': values must be a list.*'abc'"),
        ([1], "must be a table"),
    ],
)
def test_what_is_no_definition_is_named(body, message):
    with pytest.raises(InvalidSpace, match=message):
        Space.from_dict(body)


def test_numbers_of_numpy_are_numbers():
    body = {
        "type": "uniform",
        "low": np.float32(0.0),
        "high": np.int64(2),
        "default": np.float64(1),
    }
    assert Space.from_dict({"a": body}) == Space({"a": uniform(0, 2, default=1)})


def test_objects_have_no_plain_form():
    with pytest.raises(InvalidSpace, match="'f': its value .* has no form in a file"):
        Space({"f": choice([len, max])}).to_dict()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.yaml", "", "ends in .toml or .json"),
        ("x.toml", "a = ", "not valid TOML"),
        ("x.json", "[1]", "must hold an object"),
        ("absent.json", None, "cannot be read: No such file"),
    ],
)
def test_files_that_are_none(name, text, message, tmp_path):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput, match=message):
        Space.from_file(tmp_path / name)


def test_a_nested_choice_wants_spaces_under_its_labels():
    with pytest.raises(InvalidSpace, match="under 'b' a space was expected"):
        choice({"a": {"x": boolean()}, "b": 3})


@pytest.mark.parametrize(("name", "text"), [("s.toml", "x = 3\n"), ("s.json", '{"x": 3}')])
def test_a_byte_order_mark_of_an_editor_is_skipped(name, text, tmp_path):
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_file(tmp_path / name) == {"x": 3}


def test_a_repeated_key_is_an_error_in_json_as_in_toml(tmp_path):
    (tmp_path / "s.json").write_text('{"a": {"x": 1, "x": 2}}')
    with pytest.raises(InvalidInput, match="the key 'x' appears twice"):
        read_file(tmp_path / "s.json")
