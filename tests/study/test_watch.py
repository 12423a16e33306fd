"""`watch`: a search that another process carries out, seen through its log."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys

import pytest

import kerashpo as kt
from kerashpo import cli
from kerashpo.core.errors import StudyCorrupt, StudyNotFound
from kerashpo.core.events import Reported, SessionEnded, SessionStarted
from kerashpo.core.listener import Listener
from kerashpo.store.open import LOG_NAME, new_events, read_events
from kerashpo.study.watch import watch

SCRIPT = """
import os, signal, sys
import kerashpo as kt

def fn(config):
    if config["x"] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return config["x"]

kt.optimize(fn, {"x": kt.space.choice([3, 2, 1, 0])}, algorithm="grid", max_trials=4, seed=0,
            directory=sys.argv[1], verbose=0)
"""


class Seen(Listener):
    """Keeps the events, and the number of trials at each."""

    def __init__(self):
        self.events, self.trials, self.closed = [], [], False

    def on_event(self, event, snapshot):
        self.events.append(event)
        self.trials.append(len(snapshot.trials))

    def close(self):
        self.closed = True


@pytest.fixture
def finished(tmp_path):
    """The folder of a finished search of five trials."""
    folder = tmp_path / "finished"
    space = {"x": kt.space.uniform(0, 1)}
    kt.optimize(lambda c: c["x"], space, max_trials=5, seed=0, directory=folder, verbose=0)
    return folder


def test_each_event_of_a_running_search_is_shown_as_it_is_written(finished, tmp_path):
    folder = tmp_path / "running"
    folder.mkdir()
    lines = (finished / LOG_NAME).read_bytes().splitlines(keepends=True)
    log = folder / LOG_NAME
    log.write_bytes(b"".join(lines[:6]))
    log.with_name(f"{LOG_NAME}.owner").write_text(f"{os.getpid()} {platform.node()}\n")
    rest = iter(lines[6:])

    def write_some(seconds):
        line = next(rest)
        with log.open("ab") as file:
            file.write(line[:7])  # half a line is no event yet
        before = len(seen.events)
        assert [*new_events(folder, offset_of(folder))] == []
        assert len(seen.events) == before
        with log.open("ab") as file:
            file.write(line[7:])

    seen = Seen()
    assert watch(folder, listener=seen, sleep=write_some) == "max_trials reached"
    events = read_events(finished)
    first = next(event for event in events if isinstance(event, SessionStarted))
    assert seen.events == [first, *events[5:]]
    assert seen.closed
    assert seen.trials[-1] == 5


def offset_of(folder):
    return max((offset for _, offset in new_events(folder)), default=0)


def test_a_finished_search_shows_its_summary(finished, capsys):
    seen = Seen()
    assert watch(finished, listener=seen) == "max_trials reached"
    assert [type(event) for event in seen.events] == [SessionStarted, SessionEnded]
    assert cli.main(["watch", str(finished), "--lang", "es"]) == 0
    assert "terminó" in capsys.readouterr().out


def test_a_killed_search_ends_the_display_and_says_how_to_resume(tmp_path, capsys):
    folder = tmp_path / "study"
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    seen = Seen()
    assert watch(folder, listener=seen) is None
    assert not any(isinstance(event, Reported) for event in seen.events)  # all was before
    assert seen.trials == [4]
    assert cli.main(["watch", str(folder)]) == 0
    assert f"kerashpo resume {folder}" in capsys.readouterr().out


def test_ctrl_c_ends_the_watching_alone(finished, monkeypatch):
    def interrupted(path, lang):
        raise KeyboardInterrupt

    monkeypatch.setattr("kerashpo.study.watch.watch", interrupted)
    assert cli.main(["watch", str(finished)]) == 130


def test_no_study_and_a_damaged_one_are_said(finished, tmp_path):
    with pytest.raises(StudyNotFound, match="There is no study in"):
        watch(tmp_path / "nothing")
    log = finished / LOG_NAME
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:4]) + lines[4].replace(b'"at"', b'"aT"') + lines[5])
    with pytest.raises(StudyCorrupt, match="event 4 \\(line 5\\)"):
        watch(finished)
