"""Versions of the log: an old one is brought up to date, a row is checked."""

from __future__ import annotations

import sqlite3

import pytest

from kerashpo.core.errors import StudyCorrupt
from kerashpo.core.events import JobStarted, Reached
from kerashpo.core.records import Resume, Start
from kerashpo.store.repair import repair, salvage
from kerashpo.store.sqlite import SQLiteStore
from kerashpo.testing.stores import EVENTS


def ask(path, statement):
    database = sqlite3.connect(path, isolation_level=None)
    rows = list(database.execute(statement))
    database.close()
    return rows


@pytest.mark.parametrize(
    "damage, told",
    [
        ("UPDATE events SET body = replace(body, '1.0', '7.0') WHERE id = 2", "its checksum"),
        ("DELETE FROM events WHERE id = 2", "event 2 is missing"),
        ("UPDATE events SET crc = NULL, body = '{' WHERE id = 2", "broken event"),
    ],
)
def test_a_row_that_is_not_whole_is_told(tmp_path, damage, told):
    path = tmp_path / "study.sqlite"
    store = SQLiteStore(path)
    for trial in range(3):
        store.append(Reached(trial, at=1.0))
    store.close()
    ask(path, damage)
    store = SQLiteStore(path)
    with pytest.raises(StudyCorrupt, match=told) as caught:
        list(store.read())
    assert caught.value.repairable
    assert len(store.check()) == 1 and told in store.check()[0]
    store.close()


def test_events_of_a_trial_that_was_never_started_are_told_and_left_out(tmp_path):
    path = tmp_path / "study.sqlite"
    store = SQLiteStore(path)
    for event in (
        EVENTS[0],
        JobStarted(Start(0, {}, 1), at=1.0),
        Reached(0, at=1.0),
        Reached(7, at=1.0),
    ):
        store.append(event)
    assert store.check() == ("event 4 is about a trial that was never started",)
    store.close()
    assert (repair(path).events, len(salvage(path))) == (3, 3)
    store = SQLiteStore(path)
    assert store.check() == ()
    store.close()


def test_going_on_with_a_trial_does_not_start_it(tmp_path):
    store = SQLiteStore(tmp_path / "study.sqlite")
    store.append(JobStarted(Resume(3, 9), at=1.0))
    assert store.check() == ("event 1 is about a trial that was never started",)
    store.close()
