"""Equal declarations mean equal distributions: our domains against KerasTuner's own."""

from __future__ import annotations

import pytest
from keras_tuner.engine import hyperparameters as kt

from kerashpo.space.domains import Boolean, Choice, Float, Integer

PAIRS = {
    "float": (kt.Float("x", -1.0, 3.0), Float(-1.0, 3.0)),
    "float step": (kt.Float("x", 0.0, 0.5, step=0.125), Float(0.0, 0.5, 0.125)),
    "float step beside": (kt.Float("x", 0.0, 1.0, step=0.3), Float(0.0, 1.0, 0.3)),
    "float log": (kt.Float("x", 1e-4, 0.1, sampling="log"), Float(1e-4, 0.1, None, "log")),
    "float log step": (
        kt.Float("x", 1e-3, 1.0, step=10, sampling="log"),
        Float(1e-3, 1.0, 10, "log"),
    ),
    "float reverse": (
        kt.Float("x", 1.0, 10.0, sampling="reverse_log"),
        Float(1.0, 10.0, None, "reverse_log"),
    ),
    "int": (kt.Int("x", 1, 5), Integer(1, 5)),
    "int step": (kt.Int("x", 32, 512, step=32), Integer(32, 512, 32)),
    "int log": (kt.Int("x", 1, 100, sampling="log"), Integer(1, 100, None, "log")),
    "int log step": (
        kt.Int("x", 1, 1024, step=2, sampling="log"),
        Integer(1, 1024, 2, "log"),
    ),
    "choice": (kt.Choice("x", ["a", "b", "c"]), Choice(("a", "b", "c"))),
    "boolean": (kt.Boolean("x"), Boolean()),
}


@pytest.mark.parametrize("theirs, ours", PAIRS.values(), ids=PAIRS)
def test_equal_probabilities_give_equal_values(theirs, ours):
    for u in (0.0, 0.013, 0.2501, 0.4999, 0.5001, 0.77, 0.9999):
        expected = theirs.prob_to_value(u)
        assert ours.at(u) == (pytest.approx(expected) if type(expected) is float else expected)


def test_reverse_log_steps_have_the_same_values():
    theirs = kt.Float("x", 1.0, 16.0, step=2, sampling="reverse_log")
    expected = sorted(theirs.prob_to_value((i + 0.5) / 5) for i in range(5))
    assert list(Float(1.0, 16.0, 2, "reverse_log").listed()) == pytest.approx(expected)


def test_rounding_does_not_cost_the_last_step():
    theirs = kt.Float("x", 0.0, 0.5, step=0.1)
    # 0.5 // 0.1 is 4.0: KerasTuner never tries a dropout of 0.5.
    assert max(theirs.prob_to_value(u / 1000) for u in range(1000)) == pytest.approx(0.4)
    assert list(Float(0.0, 0.5, 0.1).listed()) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
