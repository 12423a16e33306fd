"""What the displays say, line by line."""

from __future__ import annotations

import io
import sys
import types

import pytest
from rich.console import Console
from rich.text import Text

from kerashpo.core.history import History
from kerashpo.core.records import Plan
from kerashpo.display import notebook
from kerashpo.display.choose import make_display
from kerashpo.display.lines import LineDisplay
from kerashpo.display.notebook import NotebookDisplay
from kerashpo.display.progress import Progress, clock, plain
from kerashpo.display.terminal import TerminalDisplay

PLAN = Plan((), 3, 8)


def test_lines(progress, play):
    out = io.StringIO()
    play(LineDisplay(progress, out))
    assert out.getvalue().splitlines() == [
        "Hyperband + random   val_accuracy max   seed 7",
        "note: the budget is [small]",
        "[0:06, left 0:02] trial 0 completed after 4 epochs: 0.9000   best 0.9000",
        "[0:06, left 0:02] trial 1 stopped after 2 epochs: 0.5000   best 0.9000",
        "[0:06, left 0:02] trial 2 failed after 0 epochs: none   best 0.9000"
        "   RuntimeError: [bold] no <room>",
        "best val_accuracy 0.9000   trial 0, epoch 4",
        "values {'lr': 0.1}",
        "ended: finished",
        "study  runs/[a] study   (kerashpo.open_study('runs/[a] study'))",
    ]


def test_an_interrupted_search_says_how_to_go_on(progress, play):
    out = io.StringIO()
    play(LineDisplay(progress, out), "interrupted")
    assert "stopped on your request; run the same search again to go on" in out.getvalue()


def test_terminal(progress, play):
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, highlight=False)
    play(TerminalDisplay(progress, console))
    text = out.getvalue()
    assert "note: the budget is [small]" in text
    assert "trials 3/3   epochs 6/8   elapsed 0:06   left 0:02" in text
    assert "best val_accuracy 0.9000   trial 0, epoch 4" in text
    assert "study  runs/[a] study" in text.replace("\n", "")


def test_terminal_draws_while_it_runs(progress, play, monkeypatch):
    from kerashpo.display import terminal

    monkeypatch.setattr(terminal, "_EVERY", -1.0)
    out = io.StringIO()
    play(TerminalDisplay(progress, Console(file=out, force_terminal=True, width=100)))
    lines = Text.from_ansi(out.getvalue().replace("\r", "\n")).plain.splitlines()
    (at,) = (i for i, line in enumerate(lines) if "epochs 3/8" in line)
    assert "━" in lines[at + 1] and "best" not in lines[at + 1]
    assert lines[at + 2].strip() == "best val_accuracy 0.8000   trial 0, epoch 3"
    assert lines[at + 3].strip() == "rungs 2:1 4:0"


class Cell:
    """What IPython's display would show."""

    def __init__(self) -> None:
        self.pages: list[str] = []

    def display(self, page: str, display_id: bool) -> Cell:
        assert display_id is True
        self.pages.append(page)
        return self

    def update(self, page: str) -> None:
        self.pages.append(page)


def test_notebook_updates_one_cell_and_not_too_often(progress, play):
    cell = Cell()
    play(NotebookDisplay(progress, cell.display, lambda html: html))
    assert len(cell.pages) <= 3
    last = cell.pages[-1]
    assert "best val_accuracy 0.9000" in last and "runs/[a] study" in last
    assert "<svg" in last and "currentColor" in last


def test_notebook_escapes_what_users_wrote(play, monkeypatch):
    monkeypatch.setattr(notebook, "_EVERY", -1.0)
    cell = Cell()
    hostile = Progress("<script>x</script>", PLAN, "runs/<b>")
    play(NotebookDisplay(hostile, cell.display, lambda html: html))
    assert len(cell.pages) > 5
    assert not any("<script>" in page or "<b>" in page for page in cell.pages)


@pytest.mark.parametrize("verbose", [0, False, None])
def test_silence(verbose):
    assert make_display(verbose, "x", PLAN, "runs") is None


def test_the_display_fits_the_output(monkeypatch):
    terminal, pipe = io.StringIO(), io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", pipe)
    assert isinstance(make_display(1, "x", PLAN, "runs"), LineDisplay)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert isinstance(make_display(1, "x", PLAN, "runs"), TerminalDisplay)
    assert isinstance(make_display(2, "x", PLAN, "runs"), LineDisplay)


@pytest.mark.parametrize(
    ("shell", "expected"),
    [("ZMQInteractiveShell", NotebookDisplay), ("TerminalInteractiveShell", LineDisplay)],
)
def test_a_notebook_is_known_by_its_shell(shell, expected, monkeypatch):
    page = types.ModuleType("IPython.display")
    page.display, page.HTML = (lambda *a, **k: None), str  # type: ignore[attr-defined]
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: type(shell, (), {})()  # type: ignore[attr-defined]
    ipython.display = page  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", page)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert isinstance(make_display(1, "x", PLAN, "runs"), expected)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.4, "0:59"), (61, "1:01"), (3661, "1:01:01"), (float("nan"), "0:00")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_values_to_copy_have_no_noise():
    assert plain({"a": 0.30000000000000004, "b": 3, "c": "x"}) == {"a": 0.3, "b": 3, "c": "x"}


def test_nothing_is_known_before_the_first_epochs(progress):
    history = History()
    assert progress.left(history) is None
    assert progress.best(history) == "best: none yet"
    unknown = Progress("x", Plan((), None, None), "runs")
    assert unknown.share(history) is None
    assert unknown.counts(history) == "trials 0/...   epochs 0/...   elapsed 0:00   left ?"
