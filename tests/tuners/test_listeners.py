"""Listeners of a search that trains."""

from __future__ import annotations

import io

import pandas as pd
import pytest

import kerashpo as kt
from kerashpo.callbacks import CSVLog
from kerashpo.core.errors import InvalidInput
from kerashpo.display import terminal
from tests.helpers import small_models as small


def tuner(folder):
    return kt.RandomSearch(small.build_few, max_trials=2, **small.place(folder))


def test_every_epoch_is_written_while_it_is_trained(tmp_path):
    path, searched = tmp_path / "epochs.csv", tuner(tmp_path)
    searched.search(**small.DATA, epochs=2, listeners=[CSVLog(path)])
    written = pd.read_csv(path).drop(columns="run")
    pd.testing.assert_frame_equal(written, searched.results.curves())
    assert len(written) == 2 * 2 * 4


def test_a_listener_among_callbacks_is_reported_where_it_belongs(tmp_path):
    with pytest.raises(InvalidInput, match=r"pass it in listeners=\[\.\.\.\] instead"):
        tuner(tmp_path).search(**small.DATA, callbacks=[CSVLog(tmp_path / "epochs.csv")])


def test_the_terminal_is_given_back_when_a_search_ends_in_an_error(tmp_path, monkeypatch):
    """An objective that is only found missing in training: not a failed trial, but the end."""
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout", shown)
    monkeypatch.setenv("TERM", "xterm-256color")
    given_back = []
    whole = terminal.TerminalDisplay.close
    monkeypatch.setattr(
        terminal.TerminalDisplay, "close", lambda self: (given_back.append(self), whole(self))
    )

    class Stops:
        def on_event(self, event, snapshot):
            if snapshot.trials:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuner(tmp_path).search(**{**small.DATA, "verbose": 1}, epochs=1, listeners=[Stops()])
    assert given_back and given_back[0]._live is None
