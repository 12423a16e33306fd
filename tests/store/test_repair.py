"""Damaged journals: every whole event before the damage is kept, and so is the damaged file."""

from __future__ import annotations

import random
import shutil

import pytest

from kerashpo.core.errors import StudyBusy, StudyCorrupt
from kerashpo.core.events import Ended, JobStarted, Reached, Reported
from kerashpo.core.records import Failure, Report, Start, Status
from kerashpo.store.journal import HEADER, JournalStore, repair, whole_part
from kerashpo.store.lock import WriterLock
from kerashpo.store.open import LOG_NAME
from kerashpo.testing.stores import EVENTS


def events(count):
    """Small events, and now and then one that takes several pages."""
    rng = random.Random(0)
    yield EVENTS[0]
    for trial in range(count):
        yield JobStarted(Start(trial, {"n": trial}, 1), at=1.0)
        yield Reported(Report(trial, 0, 1, {"val_loss": rng.random()}, 1.0), at=1.0)
        if trial % 40 == 0:
            story = "line\n" * rng.randrange(4000)
            failure = Failure("fit", "boom", story)
            yield Ended(trial, Status.FAILED, "failed", failure, at=1.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A closed log of many pages, and what it holds."""
    path = tmp_path_factory.mktemp("log") / LOG_NAME
    store = JournalStore(path)
    for event in events(400):
        store.append(event)
    held = list(store.read())
    store.close()
    return path, held


def read(path):
    store = JournalStore(path, readonly=True)
    try:
        assert store.check() == ()
        return list(store.read())
    finally:
        store.close()


def lines_before(data, place):
    """How many events of a log have their whole line before a place."""
    return max(0, data[:place].count(b"\n") - 1)


def test_a_whole_log_has_only_whole_events(whole):
    path, held = whole
    assert whole_part(path.read_bytes()) == (len(held), path.stat().st_size)


def test_a_cut_log_keeps_every_line_before_the_cut(whole, tmp_path):
    path, held = whole
    data, rng = path.read_bytes(), random.Random(1)
    for number in range(20):
        cut = rng.randrange(1000, len(data))
        log = tmp_path / str(number) / LOG_NAME
        log.parent.mkdir()
        log.write_bytes(data[:cut])
        repaired = repair(log)
        kept = read(log)
        assert kept == held[: len(kept)]
        assert len(kept) == repaired.events == lines_before(data, cut)
        assert repaired.original.read_bytes() == data[:cut]


def test_a_scratched_log_keeps_every_line_before_the_scratch(whole, tmp_path):
    path, held = whole
    rng = random.Random(2)
    for number in range(20):
        data = bytearray(path.read_bytes())
        place = rng.randrange(1000, len(data))
        data[place] ^= 1 + number
        log = tmp_path / str(number) / LOG_NAME
        log.parent.mkdir()
        log.write_bytes(data)
        repaired = repair(log)
        kept = read(log)
        assert kept == held[: len(kept)]
        assert len(kept) == repaired.events == lines_before(path.read_bytes(), place)
        assert abs(repaired.events + repaired.lost - len(held)) <= 1  # a line's end may be hit
        assert repaired.original.read_bytes() == data


def test_a_damaged_header_costs_no_event(whole, tmp_path):
    path, held = whole
    for place in range(len(HEADER)):
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        log = tmp_path / f"{place}.jsonl"
        log.write_bytes(data)
        assert repair(log).events == len(held)
        assert read(log) == held


def test_what_cannot_be_saved_is_refused_and_left_alone(tmp_path):
    log = tmp_path / LOG_NAME
    data = HEADER + b'{"crc":"00000000","kind":"study"}\n' * 9
    log.write_bytes(data)
    with pytest.raises(StudyCorrupt, match=r"No event of the log .* can be saved.*overwrite=True"):
        repair(log)
    assert log.read_bytes() == data
    assert {path.name for path in tmp_path.iterdir()} == {LOG_NAME, f"{LOG_NAME}.lock"}


def test_a_log_that_is_written_to_is_not_repaired(whole, tmp_path):
    log = tmp_path / LOG_NAME
    shutil.copy(whole[0], log)
    lock = WriterLock(log)
    with pytest.raises(StudyBusy, match="another tuner of this process"):
        repair(log)
    lock.release()
    assert repair(log).events == len(whole[1])


def test_a_second_repair_keeps_both_originals(whole, tmp_path):
    log = tmp_path / LOG_NAME
    for number in (1, 2):
        log.write_bytes(whole[0].read_bytes()[:80_000])
        assert repair(log).original.name == f"{LOG_NAME}.damaged-{number}"


def test_events_of_a_trial_that_was_never_started_are_left_out(tmp_path):
    store = JournalStore(tmp_path / LOG_NAME)
    for event in (EVENTS[0], JobStarted(Start(0, {}, 1)), Reached(0), Reached(7), Reached(0)):
        store.append(event)
    store.close()
    done = repair(tmp_path / LOG_NAME)
    assert (done.events, done.lost) == (3, 2)
    assert len(read(tmp_path / LOG_NAME)) == 3
