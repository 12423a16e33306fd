"""The SQLite log: damaged, foreign, newer and read-only files, and full disks."""

from __future__ import annotations

import sqlite3

import pytest

from kerashpo.core.errors import DiskFull, InvalidInput, StudyCorrupt
from kerashpo.core.events import Reached
from kerashpo.store.base import MemoryStore
from kerashpo.store.sqlite import SQLiteStore


@pytest.fixture
def log(tmp_path):
    """A log with three events, closed."""
    path = tmp_path / "deep" / "study.sqlite"
    store = SQLiteStore(path)
    for trial in range(3):
        store.append(Reached(trial, at=float(trial)))
    store.close()
    return path


def change(path, statement):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(statement)
    database.close()


def test_a_reader_needs_no_lock(log):
    writer, reader = SQLiteStore(log), SQLiteStore(log, readonly=True)
    writer.append(Reached(3, at=3.0))
    assert len(list(reader.read())) == 4
    reader.close()
    writer.close()


def test_a_reader_cannot_write(log):
    reader = SQLiteStore(log, readonly=True)
    with pytest.raises(InvalidInput, match="readonly"):
        reader.append(Reached(3, at=3.0))
    reader.close()


def test_a_reader_makes_no_file(tmp_path):
    with pytest.raises(InvalidInput, match="absent.sqlite"):
        SQLiteStore(tmp_path / "absent.sqlite", readonly=True)
    assert not any(tmp_path.iterdir())


def test_a_broken_record_is_told_with_the_file(log):
    change(log, "UPDATE events SET body = '{' WHERE id = 2")
    store = SQLiteStore(log)
    with pytest.raises(
        StudyCorrupt, match=r"study.sqlite cannot be read to its end.*checksum.*doctor"
    ):
        list(store.read())
    store.close()


def test_a_newer_format_asks_for_an_upgrade(log):
    change(log, "PRAGMA user_version = 99")
    with pytest.raises(StudyCorrupt, match=r"newer kerashpo \(format 99.*Upgrade"):
        SQLiteStore(log)


def test_an_empty_file_is_a_new_log(tmp_path):
    path = tmp_path / "study.sqlite"
    path.touch()
    store = SQLiteStore(path)
    assert list(store.read()) == []
    store.close()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match="Cannot write to .*Choose a folder"):
        SQLiteStore(tmp_path / name / "study.sqlite")


def test_a_full_disk_is_told(log):
    store = SQLiteStore(log)
    store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(DiskFull, match=r"disk is full.*study.sqlite.*Free some space"):
        for trial in range(10_000):
            store.append(Reached(trial, at=1.0))
    store.close()


def test_each_append_is_a_transaction(log):
    store = SQLiteStore(log)
    store.append(Reached(3, at=3.0))
    assert not store._db.in_transaction
    store.close()


def test_memory_reads_what_was_appended():
    store = MemoryStore()
    events = [Reached(trial, at=float(trial)) for trial in range(3)]
    for event in events:
        store.append(event)
    assert list(store.read()) == events
    assert list(store.read(after=2)) == events[2:]
    store.close()
