"""Cut and scratched logs: every whole event before the damage is saved."""

from __future__ import annotations

import random
import shutil

import pytest

from kerashpo.core.errors import StudyBusy, StudyCorrupt
from kerashpo.core.events import Ended, JobStarted, Reported
from kerashpo.core.records import Failure, Report, Start, Status
from kerashpo.store.lock import Lock
from kerashpo.store.repair import repair, salvage
from kerashpo.store.sqlite import SQLiteStore
from kerashpo.testing.stores import EVENTS

PAGE = 4096


def events(count):
    """Small events, and now and then one that takes several pages."""
    rng = random.Random(0)
    yield EVENTS[0]
    for trial in range(count):
        yield JobStarted(Start(trial, {"n": trial}, 1), at=1.0)
        yield Reported(Report(trial, 0, 1, {"val_loss": rng.random()}, 1.0), at=1.0)
        if trial % 40 == 0:
            story = "line\n" * rng.randrange(4000)
            yield Ended(trial, Status.FAILED, "failed", Failure("fit", "boom", story), at=1.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A closed log of many pages, and what it holds."""
    path = tmp_path_factory.mktemp("log") / "study.sqlite"
    store = SQLiteStore(path)
    for event in events(400):
        store.append(event)
    held = list(store.read())
    store.close()
    return path, held


def read(path):
    store = SQLiteStore(path, readonly=True)
    try:
        return list(store.read())
    finally:
        store.close()


def test_every_event_of_a_whole_log_is_salvaged(whole):
    path, held = whole
    assert len(salvage(path)) == len(held) > 400


def test_a_cut_log_keeps_what_came_before(whole, tmp_path):
    path, held = whole
    data, rng = path.read_bytes(), random.Random(1)
    # The first rows move once, behind the first long event, when the table outgrows its first page.
    slack = 8 * PAGE
    for number in range(20):
        cut = rng.randrange(slack, len(data))
        log = tmp_path / str(number) / "study.sqlite"
        log.parent.mkdir()
        log.write_bytes(data[:cut])
        repaired = repair(log)
        kept = read(log)
        assert kept == held[: len(kept)] and len(kept) == repaired.events
        assert len(kept) >= int(len(held) * (cut - slack) / len(data))
        assert repaired.original.read_bytes() == data[:cut]
        assert not SQLiteStore(log, readonly=True).check()


def test_a_scratched_log_keeps_what_came_before(whole, tmp_path):
    path, held = whole
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 100] = b"\xff" * 100
    log = tmp_path / "study.sqlite"
    log.write_bytes(data)
    repaired = repair(log)
    kept = read(log)
    assert kept == held[: len(kept)] and len(kept) > len(held) // 3
    assert len(kept) + repaired.lost >= len(held) - 60


def test_events_that_only_the_log_of_writes_holds_are_kept(tmp_path):
    """As a killed process leaves them: the main file holds little, and is cut besides."""
    store = SQLiteStore(tmp_path / "live" / "study.sqlite")
    for event in events(50):
        store.append(event)
    held = list(store.read())
    log = tmp_path / "cut" / "study.sqlite"
    shutil.copytree(tmp_path / "live", log.parent, ignore=shutil.ignore_patterns("*.lock"))
    store.close()
    log.write_bytes(log.read_bytes()[:100])
    assert repair(log).events == len(held)
    assert read(log) == held


def test_what_cannot_be_saved_is_refused_and_left_alone(tmp_path):
    log = tmp_path / "study.sqlite"
    log.write_bytes(b"SQLite format 3\0" + bytes(4080))
    with pytest.raises(StudyCorrupt, match=r"No event of the log .* can be saved.*overwrite=True"):
        repair(log)
    assert len(log.read_bytes()) == PAGE
    assert {path.name for path in tmp_path.iterdir()} == {"study.sqlite", "study.sqlite.lock"}


def test_a_log_that_is_written_to_is_not_repaired(whole, tmp_path):
    log = tmp_path / "study.sqlite"
    shutil.copy(whole[0], log)
    lock = Lock(log)
    with pytest.raises(StudyBusy, match="another tuner of this process"):
        repair(log)
    lock.release()
    assert repair(log).events == len(whole[1])


def test_a_second_repair_keeps_both_originals(whole, tmp_path):
    log = tmp_path / "study.sqlite"
    for number in (1, 2):
        log.write_bytes(whole[0].read_bytes()[: 20 * PAGE])
        assert repair(log).original.name == f"study.sqlite.damaged-{number}"
