"""The constructors name what was called, whatever was wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo import space
from kerashpo.core.errors import InvalidSpace


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: space.uniform(3, 1), r"uniform\(3, 1\): low=3.0 is greater than high=1.0"),
        (lambda: space.uniform("a", 1), r"uniform\('a', 1\): expected numbers"),
        (lambda: space.uniform(0, 1, step=0), r"uniform\(0, 1\): step must be above 0"),
        (lambda: space.uniform(0, 1, default="x"), r"uniform\(0, 1\): expected numbers"),
        (lambda: space.loguniform(0, 1), r"loguniform\(0, 1\): sampling 'log' needs low above 0"),
        (lambda: space.reverse_log(0, 1), r"reverse_log\(0, 1\): sampling 'reverse_log' needs"),
        (lambda: space.integer(1, 5, default=9), r"integer\(1, 5\): default 9 is outside"),
        (lambda: space.integer(1, None), r"integer\(1, None\): expected numbers"),
        (lambda: space.integer("a", "b"), r"integer\('a', 'b'\): expected numbers"),
        (lambda: space.choice([]), r"choice\(\[\]\): a choice needs at least one value"),
        (lambda: space.choice(3), r"choice\(3\): expected numbers \(a choice: a list\)"),
        (lambda: space.choice("ab", default="c"), r"choice\('ab'\): default 'c' is not among"),
    ],
)
def test_a_wrong_definition(call, message):
    with pytest.raises(InvalidSpace, match=message):
        call()


def test_numbers_of_numpy_become_plain_ones():
    s = space.Space(
        {
            "n": space.integer(np.int64(1), np.int64(8), np.int32(1), default=np.int64(2)),
            "x": space.uniform(np.float32(0), np.float64(1), default=np.float32(0.5)),
            "c": space.choice(np.array([16, 32])),
        }
    )
    assert len(s.fingerprint) == 16
    assert {name: type(value) for name, value in s.default().items()} == {
        "n": int,
        "x": float,
        "c": int,
    }
