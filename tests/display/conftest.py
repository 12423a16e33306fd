"""A recorded study, played to a display event by event."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kerashpo.core.events import (
    Ended,
    Event,
    JobStarted,
    Reached,
    Reported,
    SessionEnded,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Failure, Plan, Report, Rung, Start, Status
from kerashpo.display.progress import Progress

SPACE = {"params": [{"name": "lr", "kind": "float", "low": 0.0, "high": 1.0}]}


def events(reason: str = "finished", kind: str | None = None) -> list[Event]:
    """Three trials: one completes, one is stopped at the first rung, one fails."""
    log: list[Event] = [
        StudyCreated(SPACE, (("val_accuracy", "max"),), 7),
        SessionStarted(1e9, {} if kind is None else {"kind": kind}),
    ]
    at = 0.0
    for trial, epochs in ((0, 4), (1, 2)):
        log.append(JobStarted(Start(trial, {"lr": 0.1 * (trial + 1)}, epochs), at=at))
        for epoch in range(1, epochs + 1):
            at += 1.0
            metrics = {"val_accuracy": 0.5 + 0.1 * epoch - 0.2 * trial, "val_loss": 1.0 / epoch}
            log.append(Reported(Report(trial, 0, epoch, metrics, float(epoch)), at=at))
        log.append(Reached(trial, at=at))
    log.append(Ended(0, Status.COMPLETED, "completed", at=at))
    log.append(Ended(1, Status.STOPPED, "rung", at=at))
    log.append(JobStarted(Start(2, {"lr": 0.9}, 4), at=at))
    failure = Failure("build", "RuntimeError: [bold] no <room>")
    log.append(Ended(2, Status.FAILED, "failed", failure, at=at))
    log.append(SessionEnded(reason, reason == "finished", at=at))
    return log


@pytest.fixture
def progress() -> Progress:
    plan = Plan(((Rung(3, 2), Rung(1, 4)),), 3, 8, ("the budget is [small]",))
    return Progress("Hyperband + random", plan, "runs/[a] study", disk=lambda _: None)


@pytest.fixture
def play() -> Callable[..., History]:
    def run(
        display: Listener,
        reason: str = "finished",
        stop: int | None = None,
        kind: str | None = None,
    ) -> History:
        history = History()
        for event in events(reason, kind)[: None if stop is None else stop + 1]:
            history.apply(event)
            if not isinstance(event, StudyCreated):
                display.on_event(event, history)
        return history

    return run
