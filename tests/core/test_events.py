"""Events as text: what is written comes back, what is broken is reported."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.core.events import Configured, JobStarted, Reported, decode, encode, trial_of
from kerashpo.core.records import Report, Start
from kerashpo.testing.stores import EVENTS

numbers = st.floats(allow_nan=False)
names = st.text(min_size=1, max_size=8)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back(event):
    assert decode(encode(event)) == event


@given(st.dictionaries(names, numbers, max_size=4), numbers, st.integers(1, 10**6))
def test_every_report_comes_back(metrics, seconds, epoch):
    event = Reported(Report(3, 1, epoch, metrics, seconds), at=0.5)
    assert decode(encode(event)) == event


@given(st.dictionaries(names, st.none() | st.booleans() | st.integers() | numbers | st.text()))
def test_every_configuration_comes_back(config):
    event = JobStarted(Start(0, config, 3), at=0.5)
    assert decode(encode(event)) == event


def test_numbers_of_numpy_are_written_as_numbers():
    report = Report(0, 0, 1, {"loss": np.float32(0.5), "n": np.int64(3)}, 1.0)
    text = encode(Reported(report, at=np.float64(1.0)))
    assert json.loads(text)["metrics"] == {"loss": 0.5, "n": 3}


def test_what_json_cannot_write_is_an_error():
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        encode(Configured(0, {"units": object()}))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_strict_json(value):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = encode(Reported(Report(0, 0, 1, {"loss": value}, 1.0)))
    json.loads(text, parse_constant=refuse)
    assert str(decode(text).report.metrics["loss"]) == str(value)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_cut_text_is_a_value_error(event):
    with pytest.raises(ValueError):
        decode(encode(event)[:-1])


@pytest.mark.parametrize(
    "kind, rest",
    [("report", '"at":1'), ("job", '"job":"start"'), ("ended", '"at":1'), ("reached", '"a":1')],
)
def test_a_broken_event_names_its_kind(kind, rest):
    with pytest.raises(ValueError, match=f"broken event '{kind}'"):
        decode(f'{{"kind":"{kind}",{rest}}}')


@pytest.mark.parametrize("text", ["[]", "{}", '{"kind":"new"}', '{"kind":[]}'])
def test_an_unknown_event_is_reported(text):
    with pytest.raises(ValueError, match="unknown event"):
        decode(text)


def test_only_events_of_the_study_have_no_trial():
    without = " ".join(sorted(type(e).__name__ for e in EVENTS if trial_of(e) is None))
    assert without == (
        "AlgorithmExhausted Extended FleetChanged SessionEnded SessionStarted SessionStarted "
        "StudyCreated"
    )
