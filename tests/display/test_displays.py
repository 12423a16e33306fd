"""What the displays say, line by line."""

from __future__ import annotations

import io
import sys
import types

import pytest
from rich.console import Console
from rich.text import Text

from kerashpo.core.events import (
    Event,
    JobStarted,
    Noted,
    Reported,
    SessionEnded,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Plan, Report, Start
from kerashpo.display.lines import LineDisplay, PartialNotice
from kerashpo.display.notebook import NotebookDisplay
from kerashpo.display.progress import Progress
from kerashpo.display.select import make_display
from kerashpo.display.terminal import TerminalDisplay
from kerashpo.space import Space, choice

PLAN = Plan((), 3, 8)


class Clock:
    """Seconds that continue by a step with each look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_lines(progress, play):
    out = io.StringIO()
    play(LineDisplay(progress, out))
    assert out.getvalue().splitlines() == [
        "Hyperband + random   [a] study   val_accuracy max   seed 7   1 worker",
        "note: the budget is [small]",
        "[0:06, left 0:02] trial 0 completed after 4 epochs: 0.9000   best 0.9000",
        "[0:06, left 0:02] trial 1 stopped after 2 epochs: 0.5000   best 0.9000",
        "[0:06, left 0:02] trial 2 failed after 0 epochs: none   best 0.9000"
        "   RuntimeError: [bold] no <room>",
        "best val_accuracy 0.9000   trial 0, epoch 4",
        "values {'lr': 0.1}",
        "ended: all that was planned is done",
        "report tuner.report()   or: kerashpo report 'runs/[a] study'",
        "study  runs/[a] study   (kerashpo.open_study('runs/[a] study'))",
    ]


def test_an_interrupted_search_says_how_to_continue(progress, play):
    out = io.StringIO()
    play(LineDisplay(progress, out), "interrupted")
    assert out.getvalue().splitlines()[-3] == (
        "stopped on your request: the search is partial (trials 3/3, epochs 6/8), and so are its "
        "results; run the same search again to resume"
    )


@pytest.mark.parametrize("kind", ["script", "module", "notebook", "console"])
def test_only_a_command_can_be_resumed_from_outside(progress, play, kind):
    out = io.StringIO()
    play(LineDisplay(progress, out), "interrupted", kind=kind)
    resumes = "to resume, or: kerashpo resume 'runs/[a] study'" in out.getvalue()
    assert resumes == (kind in ("script", "module"))


def test_a_search_without_a_score_has_nothing_to_report(progress, play):
    out = io.StringIO()
    history = play(LineDisplay(progress, out), stop=2)
    LineDisplay(progress, out).on_event(SessionEnded("max_minutes reached", True), history)
    assert "best: none yet" in out.getvalue() and "tuner.report" not in out.getvalue()


class Timed(Listener):
    """Hands events to a terminal display at the instant that they tell."""

    def __init__(self, progress: Progress, width: int = 100, out: Console | None = None) -> None:
        self.clock = Clock(0.0)
        self.display = TerminalDisplay(progress, out or console(width), self.clock)

    def on_event(self, event: Event, snapshot: History) -> None:
        self.clock.now = event.at
        self.display.on_event(event, snapshot)


def drawn(display: TerminalDisplay, width: int) -> list[str]:
    """What the block looks like on a terminal of that width."""
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=True).print(display.block())
    return [line.rstrip() for line in Text.from_ansi(out.getvalue()).plain.splitlines()]


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)


def test_terminal_summary_stays(progress, play):
    screen = console()
    play(TerminalDisplay(progress, screen))
    plain = Text.from_ansi(screen.file.getvalue()).plain
    assert "note: the budget is [small]" in plain
    assert "trials 3/3   epochs 6/8   elapsed 0:06   rungs 2:2 4:1   stopped 1   failed 1" in plain
    assert "best val_accuracy 0.9000   trial 0, epoch 4" in plain
    assert "study  runs/[a] study" in plain
    assert "left" not in plain.partition("best val_accuracy 0.9000")[2]


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_block(play, width):
    plan = Plan((), 3, 12)
    progress = Progress("Hyperband + random", plan, "runs", 2, disk=lambda _: 3_100_000)
    timed = Timed(progress, width)
    history = play(timed, stop=9)
    lines = drawn(timed.display, width)
    timed.display.close()
    assert max(map(len, lines)) <= width
    assert lines[0] == "kerashpo  Hyperband + random   runs   val_accuracy max   seed 7   2 workers"
    assert lines[1].startswith("trials 2/3  ━")
    assert lines[1].endswith("━  epochs 5/12   elapsed 0:05   left 0:04")
    assert lines[2] == "best val_accuracy 0.9000   trial 0, epoch 4   disk 3.1 MB"
    assert lines[3] == "  trial 1  epoch 1/2  0.4000  ▅                 lr=0.2"
    assert len(lines) == 4 and history.running == {1}


def test_a_long_title_is_broken_and_not_cut(play):
    progress = Progress("Hyperband(factor 3) + bayesian", PLAN, "runs/" + "long_" * 6, 1)
    timed = Timed(progress, 80)
    play(timed, stop=1)
    first, second = drawn(timed.display, 80)[:2]
    timed.display.close()
    assert first == "kerashpo  Hyperband(factor 3) + bayesian   " + "long_" * 6
    assert second == "val_accuracy max   seed 7   1 worker"


def test_terminal_shows_a_curve_a_worker_and_counts_the_rest(play):
    progress = Progress("ASHA", Plan((), None, None), "runs", 10, disk=lambda _: None)
    history = play(LineDisplay(progress, io.StringIO()), stop=1)
    for trial in range(10):
        history.apply(JobStarted(Start(trial, {"lr": 0.1}, 9)))
        for epoch in (1, 2, 3):
            report = Report(trial, 0, epoch, {"val_accuracy": epoch / 10}, float(epoch))
            history.apply(Reported(report, at=1.0))
    timed = Timed(progress)
    timed.on_event(SessionStarted(0.0), history)
    lines = drawn(timed.display, 100)
    timed.display.close()
    assert lines[1] == "trials 10/...   epochs 30/...   elapsed 0:01   left ?"
    assert [line.split()[:2] for line in lines[3:11]] == [["trial", str(n)] for n in range(8)]
    assert all("epoch 3/9  0.3000  ▁▅█" in line for line in lines[3:11])
    assert lines[11] == "  and 2 more"


def test_workers_that_still_start_are_waited_for(play):
    timed = Timed(Progress("ASHA", PLAN, "runs", 2, disk=lambda _: None))
    play(timed, stop=1)
    assert drawn(timed.display, 100)[-1] == "  waiting for a worker"
    timed.display.close()


def test_the_curves_of_several_workers_stand_below_each_other(play):
    timed = Timed(Progress("ASHA", PLAN, "runs", 2, disk=lambda _: None))
    history = play(timed, stop=9)
    history.apply(JobStarted(Start(12, {"lr": 0.5}, 100), at=9.0))
    timed.on_event(SessionStarted(0.0, at=9.0), history)
    first, second = drawn(timed.display, 100)[-2:]
    timed.display.close()
    assert first.index("lr=") == second.index("lr=")
    assert second.startswith("  trial 12  epoch 0/100  ")


def test_a_terminal_without_unicode_gets_ascii(progress, play):
    raw = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    timed = Timed(progress, out=Console(file=raw, force_terminal=True, width=100))
    play(timed, stop=8)
    shown = Text("\n").join(timed.display.block().renderables).plain
    timed.display.close()
    assert "###" in shown and shown.isascii()


def test_the_clock_continues_during_a_long_epoch(progress, play):
    timed = Timed(progress)
    play(timed, stop=9)
    assert "elapsed 0:05   left 0:03" in drawn(timed.display, 100)[1]
    timed.clock.now += 60
    assert "elapsed 1:05   left 0:00" in drawn(timed.display, 100)[1]
    timed.display.close()


def test_the_terminal_is_given_back_after_an_error(progress, play):
    screen = console()
    display = TerminalDisplay(progress, screen)
    play(display, stop=4)
    assert "\x1b[?25l" in screen.file.getvalue(), "the cursor is hidden while it draws"
    display.close()
    display.close()
    hidden, _, after = screen.file.getvalue().rpartition("\x1b[?25l")
    assert hidden is not None and "\x1b[?25h" in after, "and shown again"


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


def in_cell(progress: Progress, step: float) -> tuple[NotebookDisplay, Cell]:
    cell = Cell()
    return NotebookDisplay(progress, cell.display, lambda html: html, Clock(step)), cell


def test_notebook_updates_one_cell_and_not_too_often(progress, play):
    display, cell = in_cell(progress, 0.5)
    play(display)
    assert len(cell.pages) == 3, "the first, one after two seconds, the last"


def test_notebook_keeps_the_summary(progress, play):
    display, cell = in_cell(progress, 0.5)
    play(display)
    first, last = cell.pages[0], cell.pages[-1]
    assert "none yet" in first and "kerashpo.open_study" not in first
    assert "val_accuracy 0.9000 · trial 0, epoch 4" in last
    assert "{&#x27;lr&#x27;: 0.1}" in last and "runs/[a] study" in last
    assert "all that was planned is done" in last
    assert last.count("<polyline") == 3 and "currentColor" in last
    assert "the budget is [small]" in last
    assert "<code>tuner.report()</code>" in last and "tuner.report" not in first


def test_notebook_shows_what_is_trained_now(progress, play):
    display, cell = in_cell(progress, 3.0)
    play(display, stop=9)
    assert "trial 1 · epoch 1/2 · 0.4000 <code>▅</code> lr=0.2" in cell.pages[-1]


def test_notebook_escapes_what_users_wrote(play):
    display, cell = in_cell(Progress("<script>x</script>", PLAN, "runs/<b>"), 3.0)
    play(display)
    assert len(cell.pages) > 5
    assert not any("<script>" in page or "runs/<b>" in page for page in cell.pages)


@pytest.mark.parametrize("verbose", [0, False, None])
def test_silence(verbose, capsys, play):
    play(make_display(verbose, "x", PLAN, "runs"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_search_that_was_interrupted_is_said_to_be_partial(verbose, capsys, play):
    play(make_display(verbose, "x", PLAN, "runs"), "interrupted")
    out, err = capsys.readouterr()
    assert "the search is partial (trials 3/3, epochs 6/8)" in (out if verbose else err)
    assert (err if verbose else out) == ""


def test_the_display_fits_the_output(monkeypatch):
    terminal, pipe = io.StringIO(), io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", pipe)
    assert isinstance(make_display(1, "x", PLAN, "runs"), LineDisplay)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert isinstance(make_display(1, "x", PLAN, "runs"), TerminalDisplay)
    assert isinstance(make_display(2, "x", PLAN, "runs"), LineDisplay)


NEWS = (
    Noted(0, {"workers": 2, "workers_reason": "2 worker processes from here on"}, at=9.0),
    Noted(1, {"workers_lost": 1, "worker_lost": "it was ended by SIGKILL"}, at=9.0),
    Noted(1, {"training": "compiled"}, at=9.0),
)


@pytest.mark.parametrize("kind", ["lines", "terminal", "notebook"])
def test_every_display_reports_why_workers_come_and_go(kind, progress, play):
    out, cell = io.StringIO(), Cell()
    display = {
        "lines": lambda: LineDisplay(progress, out),
        "terminal": lambda: TerminalDisplay(progress, Console(file=out, width=200)),
        "notebook": lambda: NotebookDisplay(progress, cell.display, lambda html: html),
    }[kind]()
    history = play(display, stop=9)
    for event in (*NEWS, SessionEnded("finished", True, at=9.0)):
        history.apply(event)
        display.on_event(event, history)
    shown = out.getvalue() + "".join(cell.pages[-1:])
    assert shown.count("2 worker processes from here on") == 1
    assert shown.count("trial 1 lost its worker (it was ended by SIGKILL) and continues in") == 1
    assert ("2 workers" in shown) == (kind != "lines") and "compiled" not in shown


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


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_a_program_without_a_console_shows_nothing(verbose, monkeypatch, play):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    display = make_display(verbose, "x", PLAN, "runs")
    assert isinstance(display, PartialNotice)
    display.on_event(SessionEnded("interrupted", False), play(display))


def test_nothing_is_known_before_the_first_epochs(progress, play):
    history = play(LineDisplay(progress, io.StringIO()), stop=1)
    view = progress.view(history)
    assert (view.left, view.best, view.running, view.disk) == (None, None, (), None)


def test_rungs_reached_before_an_interruption_count(progress, play):
    history = play(LineDisplay(progress, io.StringIO()))
    later = Progress(progress.title, progress.plan, progress.folder)
    later.update(SessionStarted(0.0, at=history.now), history)
    assert later.view(history).rungs == ((2, 2), (4, 1)) == progress.view(history).rungs
    assert later.left(history) is None, "an earlier session's pace says nothing about this one"


def test_choices_are_shown_by_what_they_are_not_by_their_index():
    space = Space({"how": choice([len, max])})
    created = StudyCreated(space.to_json(), (("loss", "min"),), 0)
    history = History([created, JobStarted(Start(0, {"how": 1}, 3))])
    progress = Progress("x", PLAN, "runs", disk=lambda _: None)
    assert str(progress.view(history).running[0].config) == "{'how': builtins.max}"


def test_a_study_is_measured_seldom():
    looked: list[str] = []

    def disk(folder: str) -> int:
        looked.append(folder)
        return 5

    progress = Progress("x", PLAN, "runs", disk=disk, clock=Clock(1.0))
    history = History([StudyCreated({"params": []}, (("loss", "min"),), 0)])
    sizes = [progress.view(history).disk for _ in range(12)]
    assert sizes == [5] * 12 and len(looked) == 2
