"""A search on curves that is struck at every line of its loop, and continues to the same end.

A signal only sets a flag that the loop reads, a second one raises where it comes, and a
killed process leaves what is in the store; so each is tried at each line that can run.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import kerashpo
from kerashpo.algorithms.random import RandomSearch
from kerashpo.core.events import SessionEnded, SessionStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Budget, Status
from kerashpo.executors.serial import SerialExecutor
from kerashpo.schedulers.asha import ASHA
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.space import Space, uniform
from kerashpo.store.base import MemoryStore
from kerashpo.store.blobs import MemoryBlobs
from kerashpo.study.loop import Limits, Loop
from kerashpo.study.signals import Interrupt
from kerashpo.study.state import StudyState
from kerashpo.testing.curve_runner import METRIC, CurveRunner, wave

ROOT = Path(kerashpo.__file__).parent
STRUCK = tuple(
    str(ROOT / name)
    for name in (
        "study/loop.py",
        "study/signals.py",
        "study/listeners.py",
        "executors/serial.py",
        "testing/curve_runner.py",
        "schedulers/successive_halving.py",
        "schedulers/asha.py",
        "schedulers/rung.py",
        "store/base.py",
        "store/blobs.py",
    )
)
SPACE = Space({"x": uniform(0.0, 1.0)})
TRIALS = 6
"""Ends ASHA, which by itself continues for ever."""
SCHEDULERS = {
    "hyperband": (lambda: Hyperband(4, 2), None),
    "asha": (lambda: ASHA(4, 2, limit=TRIALS), TRIALS),
}
Place = tuple[str, int]


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours may catch it."""


def once() -> None:
    signal.raise_signal(signal.SIGINT)


def twice() -> None:
    once()
    once()


def kill() -> None:
    raise Killed


@dataclass
class Study:
    """A log and checkpoints, and the sessions that search on them."""

    scheduler: Callable[[], Any]
    trials: int | None = None
    store: MemoryStore = field(default_factory=MemoryStore)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    trained: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        objectives = ((METRIC, "min"),)
        self.store.append(StudyCreated(SPACE.to_json(), objectives, 0))

    @property
    def history(self) -> History:
        return History(self.store.read())

    @property
    def reported(self) -> dict[int, Any]:
        """By trial, what must not depend on interruptions."""
        trials = self.history.trials.values()
        return {t.number: (t.config, t.status, t.reports.get(0, {})) for t in trials}

    @property
    def acknowledged(self) -> set[tuple[int, int]]:
        return {(n, epoch) for n, (_, _, reports) in self.reported.items() for epoch in reports}

    def search(self, watched: Callable[[], Any] | None = None) -> None:
        """Searches to the end, or until it is stopped."""
        state = StudyState(self.scheduler(), list(self.store.read()))
        runner = CurveRunner(wave, self.blobs)
        runner.trained = self.trained
        with Interrupt() as interrupt:
            loop = Loop(
                state,
                self.store,
                lambda: RandomSearch(SPACE, state.history.seed),
                SerialExecutor(runner),
                Limits(Budget(max_trials=self.trials)),
                interrupt=interrupt,
            )
            loop.begin(SessionStarted(0.0))
            with watched() if watched else _nothing():
                loop.run()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def watching(see: Callable[[Place], None]) -> Iterator[None]:
    """Has a function called before each line of `STRUCK` that runs."""

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            see((frame.f_code.co_filename, frame.f_lineno))
        return local

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        return local if frame.f_code.co_filename in STRUCK else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


def striking(place: Place, occurrence: int, strike: Callable[[], None]) -> Callable[[], Any]:
    """Returns a watch that strikes when a line is about to run for the n-th time."""
    seen = 0

    def see(at: Place) -> None:
        nonlocal seen
        if at == place:
            seen += 1
            if seen == occurrence:
                strike()

    return lambda: watching(see)


@pytest.fixture(scope="module", params=SCHEDULERS)
def undisturbed(request):
    """What makes a study, what a whole search reported, and how often each line ran in it."""
    make, lines = partial(Study, *SCHEDULERS[request.param]), Counter[Place]()
    study = make()
    study.search(lambda: watching(lambda at: lines.update([at])))
    assert study.history.finished and len(lines) > 150
    return make, study.reported, lines


def moments(lines: Counter[Place]) -> Iterator[tuple[Place, int]]:
    """Yields each line at its first time, and at one in the middle of the search."""
    for place, count in lines.items():
        yield from ((place, occurrence) for occurrence in {1, count // 2 + 1})


EVERY_DAY = [("hyperband", once), ("asha", kill)]
BESIDES = [("hyperband", twice), ("asha", once), ("asha", twice), ("hyperband", kill)]


@pytest.mark.parametrize(
    ("undisturbed", "strike"),
    [*EVERY_DAY, *(pytest.param(*one, marks=pytest.mark.slow) for one in BESIDES)],
    indirect=["undisturbed"],
)
def test_a_search_that_is_struck_at_any_line_continues_to_the_same_end(undisturbed, strike):
    make, whole, lines = undisturbed
    struck = 0
    for place, occurrence in moments(lines):
        study = make()
        try:
            study.search(striking(place, occurrence, strike))
        except (KeyboardInterrupt, Killed):
            struck += 1
        where = f"{Path(place[0]).name}:{place[1]}, time {occurrence}"
        kept, cut = study.acknowledged, study.reported
        study.search()
        assert study.reported == whole, where
        assert all(study.reported[n][2][e] == cut[n][2][e] for n, e in kept), where
        again = [count - 1 for count in Counter(study.trained).values()]
        assert sum(again) <= 1, where
    assert struck > len(lines) or strike is once


def test_the_first_ctrl_c_finishes_the_epoch_and_no_more(undisturbed):
    make, whole, lines = undisturbed
    stopped = 0
    for place, occurrence in moments(lines):
        study, before = make(), []

        def strike(study=study, before=before):
            before.append(len(study.trained))
            once()

        study.search(striking(place, occurrence, strike))
        where = f"{Path(place[0]).name}:{place[1]}, time {occurrence}"
        assert len(study.trained) - before[0] <= 1, where
        last, history = list(study.store.read())[-1], study.history
        assert isinstance(last, SessionEnded) and not history.running, where
        assert last.finished == (last.reason != "interrupted"), where
        assert study.acknowledged == set(study.trained), where
        stopped += not last.finished
        if last.finished:
            assert study.reported == whole, where
    assert stopped > len(lines)


def test_interrupted_again_and_again_it_still_comes_to_its_end(undisturbed):
    """Each session trains at most one more epoch."""
    make, whole, _ = undisturbed
    study, sessions = make(), 0
    while not study.history.finished:
        place = (str(ROOT / "testing" / "curve_runner.py"), _emits())
        study.search(striking(place, 1, once))
        sessions += 1
        assert sessions < 200
    assert study.reported == whole
    assert sessions > len(whole)
    assert not {status for _, status, _ in whole.values()} & {Status.RUNNING, Status.PAUSED}


def _emits() -> int:
    """Returns the line of `CurveRunner.run` that reports an epoch."""
    lines = (ROOT / "testing" / "curve_runner.py").read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if "answer = emit(message)" in line)
