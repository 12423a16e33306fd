"""`watch`: a search that another process carries out, seen through its log."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

import kerashpo as kt
from kerashpo import cli
from kerashpo.core.errors import StudyCorrupt, StudyNotFound
from kerashpo.core.events import Reported, SessionEnded, SessionStarted
from kerashpo.core.listener import Listener
from kerashpo.store.journal import JournalStore
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


def test_a_search_of_optimize_shows_how_far_it_is_to_go(finished, tmp_path, capsys):
    folder = interrupted_copy(finished, tmp_path / "killed", trials=2)
    seen = []
    display = SimpleNamespace(on_event=lambda *_: None, close=lambda: None)

    def remember(verbose, title, plan, *rest):
        seen.append(plan)
        return display

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerashpo.study.watch.make_display", remember)
        assert watch(folder) is None
    assert (seen[0].trials, seen[0].epochs) == (5, 5)
    assert cli.main(["list", str(folder)]) == 0
    assert " 2/5 " in capsys.readouterr().out
    assert cli.main(["status", str(folder), "--lang", "es"]) == 0
    assert "previstos: 5 ensayos" in capsys.readouterr().out


def test_a_log_without_a_plan_shows_what_its_settings_tell(finished, tmp_path, capsys):
    events = [
        replace(e, plan={}) if isinstance(e, SessionStarted) else e for e in read_events(finished)
    ]
    store = JournalStore(tmp_path / "old" / LOG_NAME)
    for event in events:
        store.append(event)
    store.close()
    assert watch(tmp_path / "old") == "max_trials reached"
    assert cli.main(["list", str(tmp_path / "old")]) == 0
    assert " 5 " in capsys.readouterr().out


def test_the_plan_of_the_last_session_counts(finished):
    again = {"space": {"x": kt.space.uniform(0, 1)}, "seed": 0, "directory": finished}
    kt.optimize(lambda c: c["x"], **again, max_trials=7, verbose=0)
    assert kt.open_study(finished).history.plan.trials == 7


def interrupted_copy(folder, copy, trials):
    """Returns a copy of a study whose log ends with its `trials`-th trial."""
    copy.mkdir()
    lines = (folder / LOG_NAME).read_bytes().splitlines(keepends=True)
    ends = [number for number, line in enumerate(lines) if b'"kind":"ended"' in line]
    (copy / LOG_NAME).write_bytes(b"".join(lines[: ends[trials - 1] + 1]))
    return copy


def test_a_finished_search_shows_its_summary(finished, capsys):
    seen = Seen()
    assert watch(finished, listener=seen) == "max_trials reached"
    assert [type(event) for event in seen.events] == [SessionStarted, SessionEnded]
    assert cli.main(["watch", str(finished), "--lang", "es"]) == 0
    out = capsys.readouterr().out
    # A trial of a function has no epochs to speak of.
    assert "terminó" in out and "   ensayo " in out and "época" not in out


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
