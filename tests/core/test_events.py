"""Events as text: what is written comes back, what is broken is told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.core.events import JobStarted, Reported, decode, encode, trial_of
from kerashpo.core.records import Report, Start
from kerashpo.testing.stores import EVENTS

numbers = st.floats(allow_nan=False)
names = st.text(min_size=1, max_size=8)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back(event):
    assert decode(*encode(event)) == event


@given(st.dictionaries(names, numbers, max_size=4), numbers, st.integers(1, 10**6))
def test_every_report_comes_back(metrics, seconds, epoch):
    event = Reported(Report(3, 1, epoch, metrics, seconds), at=0.5)
    assert decode(*encode(event)) == event


@given(st.dictionaries(names, st.none() | st.booleans() | st.integers() | numbers | st.text()))
def test_every_configuration_comes_back(config):
    event = JobStarted(Start(0, config, 3), at=0.5)
    assert decode(*encode(event)) == event


def test_numbers_of_numpy_are_written_as_numbers():
    report = Report(0, 0, 1, {"loss": np.float32(0.5), "n": np.int64(3)}, 1.0)
    _, text = encode(Reported(report, at=np.float64(1.0)))
    assert json.loads(text)[-1] == {"loss": 0.5, "n": 3}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_cut_text_is_a_value_error(event):
    kind, text = encode(event)
    with pytest.raises(ValueError):
        decode(kind, text[:-1])


@pytest.mark.parametrize(
    "kind, text",
    [("report", "[1, 2]"), ("job", "{}"), ("ended", '{"at": 1}'), ("reached", "[]"), ("new", "{}")],
)
def test_a_broken_body_names_its_kind(kind, text):
    with pytest.raises(ValueError, match=repr(kind)):
        decode(kind, text)


def test_only_events_of_the_study_have_no_trial():
    without = {type(event).__name__ for event in EVENTS if trial_of(event) is None}
    assert without == {"StudyCreated", "SessionStarted", "SessionEnded", "Extended"}
