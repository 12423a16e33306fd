"""Numbers as readers of either language write them."""

from __future__ import annotations

import math

import pytest

from kerashpo.i18n.numbers import count, duration, file_size, shown
from kerashpo.i18n.texts import Texts

ENGLISH, SPANISH = Texts("en"), Texts("es")


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (12, "12", "12"),
        (1797, "1,797", "1797"),
        (8046430.0, "8,046,430", "8\u00a0046\u00a0430"),
        (math.inf, "endless", "infinitas"),
    ],
)
def test_whole_numbers_are_grouped(number, english, spanish):
    assert (count(number, ENGLISH), count(number, SPANISH)) == (english, spanish)


@pytest.mark.parametrize(
    ("size", "english", "spanish"),
    [
        (0, "0 bytes", "0 bytes"),
        (999, "999 bytes", "999 bytes"),
        (1200, "1.2 kB", "1,2 kB"),
        (3_140_000, "3.1 MB", "3,1 MB"),
    ],
)
def test_sizes(size, english, spanish):
    assert (file_size(size, ENGLISH), file_size(size, SPANISH)) == (english, spanish)


@pytest.mark.parametrize(
    ("seconds", "text"), [(5.0, "5,0 s"), (300.0, "5,0 min"), (9000.0, "2,5 h"), (math.nan, "-")]
)
def test_durations(seconds, text):
    assert duration(seconds, SPANISH) == text


def test_a_missing_number_is_a_dash():
    assert (shown(None, ENGLISH), shown(math.inf, ENGLISH)) == ("-", "-")
    assert shown(0.98765, SPANISH) == "0,9877"
