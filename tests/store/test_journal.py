"""The journal: foreign, newer, torn and damaged files, readers beside a writer, full disks."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import shutil
import subprocess

import pytest

from kerashpo.core.errors import DiskFull, InvalidInput, StudyCorrupt, StudyNotFound
from kerashpo.core.events import JobStarted, Reached
from kerashpo.core.records import Resume, Start
from kerashpo.store.journal import HEADER, JournalStore
from kerashpo.store.open import LOG_NAME
from kerashpo.study.study import open_study
from kerashpo.testing.stores import EVENTS


@pytest.fixture
def log(tmp_path):
    """A log with three events, closed."""
    path = tmp_path / "deep" / LOG_NAME
    store = JournalStore(path)
    for trial in range(3):
        store.append(Reached(trial, at=float(trial)))
    store.close()
    return path


def read(path):
    store = JournalStore(path, readonly=True)
    try:
        return list(store.read())
    finally:
        store.close()


def replace_in(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


def test_a_reader_needs_no_lock(log):
    writer, reader = JournalStore(log), JournalStore(log, readonly=True)
    writer.append(Reached(3, at=3.0))
    assert len(list(reader.read())) == 4
    reader.close()
    writer.close()


def test_a_reader_cannot_write(log):
    reader = JournalStore(log, readonly=True)
    with pytest.raises(InvalidInput, match="readonly"):
        reader.append(Reached(3, at=3.0))
    reader.close()


def test_a_reader_makes_no_file(tmp_path):
    with pytest.raises(InvalidInput, match=r"Cannot read .*absent\.jsonl"):
        JournalStore(tmp_path / "absent.jsonl", readonly=True)
    assert not any(tmp_path.iterdir())


def test_every_line_is_strict_json(tmp_path):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    store = JournalStore(tmp_path / LOG_NAME)
    for event in EVENTS:
        store.append(event)
    store.close()
    first, *lines = (tmp_path / LOG_NAME).read_text().splitlines()
    assert json.loads(first) == {"kind": "journal", "format": 1}
    bodies = [json.loads(line, parse_constant=refuse) for line in lines]
    assert [list(body)[:3] for body in bodies] == [["crc", "kind", "at"]] * len(EVENTS)
    assert [body["kind"] for body in bodies][:3] == ["study", "session", "job"]


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_it(log):
    command = ["jq", "-c", 'select(.kind == "reached") | .trial', str(log)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0", "1", "2"]


@pytest.mark.parametrize("length", range(1, 40, 6))
def test_a_last_line_without_its_end_was_never_acknowledged(log, length):
    data = log.read_bytes()
    log.write_bytes(data[:-length])
    assert [event.trial for event in read(log)] == [0, 1]
    assert log.read_bytes() == data[:-length]  # a reader changes nothing
    store = JournalStore(log)
    assert 0 < store.dropped < len(data)
    store.append(Reached(7))
    assert [event.trial for event in store.read()] == [0, 1, 7]
    store.close()


def test_zeros_that_a_power_cut_left_are_no_event(log):
    with log.open("ab") as file:
        file.write(bytes(5000))
    assert len(read(log)) == 3
    JournalStore(log).close()
    assert bytes(1) not in log.read_bytes()


@pytest.mark.parametrize("length", range(len(HEADER)))
def test_a_log_without_its_whole_header_has_not_begun(tmp_path, length):
    (tmp_path / LOG_NAME).write_bytes(HEADER[:length])
    assert read(tmp_path / LOG_NAME) == []
    with pytest.raises(StudyNotFound, match="has not started"):
        open_study(tmp_path)
    store = JournalStore(tmp_path / LOG_NAME)
    store.append(Reached(0))
    store.close()
    assert read(tmp_path / LOG_NAME) == [Reached(0)]


def test_a_newer_format_asks_for_an_upgrade(log):
    replace_in(log, b'"format":1', b'"format":99')
    with pytest.raises(StudyCorrupt, match=r"newer kerashpo \(format 99.*Upgrade") as caught:
        JournalStore(log)
    assert not caught.value.repairable


@pytest.mark.parametrize("text", [b"{}\n", b"[1]\n", b'{"kind":"journal"}\n', b"\n", b"SQLite\0"])
def test_another_file_is_no_log(tmp_path, text):
    (tmp_path / LOG_NAME).write_bytes(text)
    for readonly in (True, False):
        with pytest.raises(StudyCorrupt, match="is not a study's log") as caught:
            JournalStore(tmp_path / LOG_NAME, readonly)
        assert not caught.value.repairable
    assert (tmp_path / LOG_NAME).read_bytes() == text


def test_a_damaged_header_is_reported_from_another_file(log):
    replace_in(log, b"journal", b"jou4nal")
    with pytest.raises(StudyCorrupt, match="The first line .* is damaged.*doctor") as caught:
        JournalStore(log)
    assert caught.value.repairable


@pytest.mark.parametrize(
    "old, new, message",
    [
        (b'"at":1.0', b'"at":7.0', r"event 2 \(line 3\): it does not match its checksum"),
        (b'"crc":"', b'"xyz":"', r"event 1 \(line 2\): it does not match"),
        (b'"reached"', b'"r\xffached"', r"event 1 \(line 2\): it does not match"),
    ],
)
def test_a_changed_line_is_reported(log, old, new, message):
    replace_in(log, old, new)
    store = JournalStore(log)
    with pytest.raises(
        StudyCorrupt, match=rf"cannot be read to its end: {message}.*doctor"
    ) as caught:
        list(store.read())
    assert caught.value.repairable
    store.close()


def test_the_check_says_what_reading_says(tmp_path):
    store = JournalStore(tmp_path / LOG_NAME)
    for event in (EVENTS[0], JobStarted(Start(0, {}, 1)), Reached(0)):
        store.append(event)
    assert store.check() == ()
    replace_in(store.path, b'"reached"', b'"deached"')
    assert len(store.check()) == 1 and "event 3 (line 4)" in store.check()[0]
    store.close()


@pytest.mark.parametrize(
    "edit",
    [
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [*lines[:2], lines[1], *lines[2:]],
        lambda lines: [lines[0], *lines[2:], lines[1]],
    ],
    ids=["lost", "twice", "moved"],
)
def test_a_line_that_is_whole_but_elsewhere_is_reported(log, edit):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(edit(lines)))
    with pytest.raises(StudyCorrupt, match="does not match its checksum"):
        read(log)


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match="Cannot write to .*Choose a folder"):
        JournalStore(tmp_path / name / LOG_NAME)


def disk(store, kind):
    """Has a store write to another kind of file; returns that."""
    store._file.close()
    store._file = kind(store.path, "ab")
    return store._file


class FullDisk(io.FileIO):
    """A file on a disk with room for so many bytes."""

    room = 20

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(bytes(data)[: self.room])
        self.room -= taken
        return taken


def test_a_line_that_the_disk_has_no_room_for_is_taken_back(log):
    store, before = JournalStore(log), log.read_bytes()
    full = disk(store, FullDisk)
    for _ in range(2):
        with pytest.raises(DiskFull, match=r"disk is full.*study\.jsonl.*Free some space"):
            store.append(Reached(7))
        assert log.read_bytes() == before
    full.room = 10**6
    store.append(Reached(8))
    assert [event.trial for event in store.read()] == [0, 1, 2, 8]
    store.close()


def test_a_short_write_is_gone_on_with(log):
    class Slow(io.FileIO):
        def write(self, data):
            return super().write(bytes(data)[:7])

    store = JournalStore(log)
    disk(store, Slow)
    store.append(Reached(7))
    assert [event.trial for event in store.read()] == [0, 1, 2, 7]
    store.close()


def test_what_could_not_be_taken_back_is_before_the_next_event(log, monkeypatch):
    store = JournalStore(log)

    class Stuck(FullDisk):
        def truncate(self, size=None):
            if self.room:
                return super().truncate(size)
            raise OSError(errno.EIO, "Input/output error")

    full = disk(store, Stuck)
    with pytest.raises(DiskFull):
        store.append(Reached(7))
    assert not log.read_bytes().endswith(b"\n")
    full.room = 10**6
    store.append(Reached(8))
    assert [event.trial for event in store.read()] == [0, 1, 2, 8]
    store.close()


def test_a_network_disk_that_is_full_only_at_the_end_is_reported(log, monkeypatch):
    def full(*_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    store = JournalStore(log)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DiskFull, match="quota"):
            store.close()
        with pytest.raises(KeyError), contextlib.closing(JournalStore(log)):
            raise KeyError("the first error is the one to see")
    JournalStore(log).close()  # the lock was released


def test_another_error_of_the_disk_is_reported(log):
    class Broken(io.FileIO):
        def write(self, data):
            raise OSError(errno.EIO, "Input/output error")

    store = JournalStore(log)
    disk(store, Broken)
    with pytest.raises(InvalidInput, match="Cannot write to .*Input/output error"):
        store.append(Reached(7))
    store.close()


def test_events_of_a_trial_that_was_never_started_are_reported(tmp_path):
    for number, events in enumerate(
        (
            [EVENTS[0], JobStarted(Start(0, {}, 1)), Reached(0), Reached(7)],
            [EVENTS[0], JobStarted(Start(0, {}, 1)), Reached(0), JobStarted(Resume(3, 9))],
        )
    ):
        store = JournalStore(tmp_path / str(number))
        for event in events:
            store.append(event)
        assert store.check() == ("event 4 is about a trial that was never started",)
        store.close()
