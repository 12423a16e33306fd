"""Random streams: equal keys, equal numbers; any other key, other numbers."""

from __future__ import annotations

import itertools

import pytest

from kerashpo.core.rng import fresh_seed, integer, stream

KEYS = [
    (0, "ask"),
    (0, "ask", 0),
    (0, "ask", 1),
    (0, "ask", 0, 0),
    (0, "ask", 1, 0),
    (0, "tell"),
    (1, "ask"),
    (-1, "ask"),
    (2**32, "ask"),
    (2**64, "ask"),
]


def test_equal_keys_give_equal_streams():
    assert all(stream(*key).random() == stream(*key).random() for key in KEYS)


@pytest.mark.parametrize("one, other", list(itertools.combinations(KEYS, 2)))
def test_other_keys_give_other_streams(one, other):
    assert stream(*one).random(4).tolist() != stream(*other).random(4).tolist()


def test_streams_are_uniform_over_trials():
    draws = [stream(0, "ask", trial).random() for trial in range(2000)]
    assert sum(draws) / len(draws) == pytest.approx(0.5, abs=0.03)


def test_integer_fits_libraries_that_take_31_bits():
    assert all(0 <= integer(0, "init", trial) < 2**31 for trial in range(50))


def test_fresh_seeds_differ():
    assert len({fresh_seed() for _ in range(8)}) > 1
