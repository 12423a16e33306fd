"""Ranges that depend on other values, learnt from what trials declared."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kerashpo.core.records import Config
from kerashpo.space.domains import Boolean, Choice, Integer
from kerashpo.space.observed_ranges import ObservedRanges, depend, wider
from kerashpo.space.params import Condition, Param
from kerashpo.space.space import Space

A = Param("a", Integer(1, 3))


def declared_by(config: Config) -> list[dict[str, Any]]:
    """What code declares that reads a, then b up to a, then c up to a + b."""
    a, b = config["a"], config["b"]
    params = [A, Param("b", Integer(1, a)), Param("c", Integer(1, a + b))]
    return [param.to_json() for param in params]


SPACE = Space.of([A, Param("b", Integer(1, 3)), Param("c", Integer(1, 6))])
VALID = [
    {"a": a, "b": b, "c": c}
    for a in range(1, 4)
    for b in range(1, a + 1)
    for c in range(1, a + b + 1)
]


def test_a_proposal_becomes_the_nearest_that_is_trained():
    known = ObservedRanges([(declared_by({"a": 2, "b": 1}), {"a": 2, "b": 1, "c": 2})])
    assert known.project({"a": 2, "b": 3, "c": 6}, SPACE) == {"a": 2, "b": 2, "c": 6}
    assert known.project({"a": 2, "b": 1, "c": 6}, SPACE) == {"a": 2, "b": 1, "c": 3}
    same = {"a": 2, "b": 1, "c": 3}
    assert known.project(same, SPACE) is same


def test_what_no_trial_has_shown_is_left_as_proposed():
    known = ObservedRanges([(declared_by({"a": 2, "b": 1}), {"a": 2, "b": 1, "c": 2})])
    unknown = {"a": 1, "b": 3, "c": 6}
    assert known.project(unknown, SPACE) is unknown


@given(st.permutations(VALID), st.integers(0, len(VALID)))
def test_no_configuration_is_trained_twice(order: list[Config], count: int):
    """If the values before a range are new, no earlier trial can be the same; else it is known."""
    trained = order[:count]
    known = ObservedRanges((declared_by(config), config) for config in trained)
    for a, b, c in itertools.product(range(1, 4), range(1, 4), range(1, 7)):
        proposed = {"a": a, "b": b, "c": c}
        found = known.project(proposed, SPACE)
        really = {"a": a, "b": min(b, a)}
        really["c"] = min(c, a + really["b"])
        assert found["b"] in (b, really["b"]) and found["c"] in (c, really["c"])
        if really in trained:  # then it is recognised before it is trained again
            assert found == really


def test_a_parameter_that_becomes_active_gets_its_default():
    more = Param("more", Boolean(), (Condition("b", (2,)),))
    space = Space.of([A, Param("b", Integer(1, 3)), more])
    declared = [A.to_json(), Param("b", Integer(1, 2)).to_json(), more.to_json()]
    known = ObservedRanges([(declared, {"a": 2, "b": 1})])
    assert known.project({"a": 2, "b": 3}, space) == {"a": 2, "b": 2, "more": False}


def test_a_known_range_is_joined_with_a_wider_one():
    space = Space.of([A, Param("b", Integer(1, 2)), Param("kind", Choice(("x", "y")))])
    shown = [Param("b", Integer(1, 3)), Param("kind", Choice(("y", "z"))), Param("new", Boolean())]
    found = wider(space.to_json(), [param.to_json() for param in (A, *shown)])
    assert found == [
        Param("b", Integer(1, 3)).to_json(),
        Param("kind", Choice(("x", "y", "z"))).to_json(),
        Param("new", Boolean()).to_json(),
    ]
    assert wider(space.to_json(), [Param("b", Integer(1, 1)).to_json()]) == []


def test_definitions_under_different_conditions_are_kept():
    one = Param("b", Integer(1, 2), (Condition("a", (1,)),))
    two = Param("b", Integer(1, 5), (Condition("a", (2,)),))
    space = Space.of([A, one, two]).to_json()
    assert wider(space, [Param("b", Integer(1, 9)).to_json()]) == []
    assert not depend(space, [[A.to_json(), two.to_json()]])
    assert depend(space, [[A.to_json(), Param("b", Integer(1, 9)).to_json()]])


def test_ranges_read_from_a_log_are_the_same():
    space = json.loads(json.dumps(Space.of([A, Param("kind", Choice(("x", 1)))]).to_json()))
    declared = [A.to_json(), Param("kind", Choice(("x", 1))).to_json()]
    assert not depend(space, [declared]) and not depend(space, [json.loads(json.dumps(declared))])
    assert wider(space, declared) == []
