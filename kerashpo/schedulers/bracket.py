"""One bracket of synchronous successive halving, as a state machine over events."""

from __future__ import annotations

from collections import deque
from typing import final

from kerashpo.core.history import History
from kerashpo.core.records import Decision, Status
from kerashpo.schedulers.base import Decisions
from kerashpo.schedulers.rungs import Bracket, shrink


@final
class BracketState:
    """Who is on which rung, who waits, who goes on.

    A rung is settled when every member has reached its epochs, ended early or failed.
    Then the best go on, failures last, and the others are stopped. A member that ended
    by early stopping keeps its place by its score and needs no further training.

    Attributes:
        table: the rungs.
        level: the rung that is being trained.
        members: the trials of the current rung.
        promoted: those chosen for it that have no job yet.
    """

    def __init__(self, table: Bracket) -> None:
        self.table = table
        self.level = 0
        self.members: list[int] = []
        self.promoted: deque[int] = deque()
        self.closed = False
        self.done = False
        self._settled: set[int] = set()

    @property
    def open(self) -> bool:
        """Whether the first rung takes further trials."""
        first = self.level == 0 and not self.closed
        return first and len(self.members) < self.table[0].trials

    @property
    def epochs(self) -> int:
        """The epochs of the current rung."""
        return self.table[self.level].epochs

    def add(self, trial: int) -> None:
        """Takes a new trial onto the first rung."""
        self.members.append(trial)

    def resumed(self, trial: int) -> None:
        """Hears that a promoted trial has its job."""
        if trial in self.promoted:
            self.promoted.remove(trial)

    def settle(self, trial: int, history: History) -> Decisions:
        """Hears that a member has reached the rung's epochs or has ended."""
        if self.done or trial not in self.members:
            return []
        self._settled.add(trial)
        last = self.level == len(self.table) - 1
        own = [(trial, Decision.STOP)] if last and waits(trial, history) else []
        return [*own, *self.advance(history)]

    def close(self, history: History) -> Decisions:
        """Goes on with fewer trials than planned, since there are no more."""
        if self.closed or self.level > 0:
            return []
        self.closed = True
        if self.members:
            self.table = shrink(self.table, len(self.members))
        return self.advance(history)

    def advance(self, history: History) -> Decisions:
        """Settles every rung that is complete; returns who is stopped."""
        decisions: list[tuple[int, Decision]] = []
        while not (self.done or self.open) and self._settled.issuperset(self.members):
            if self.level == len(self.table) - 1:
                self.done = True
                break
            winners = self._winners(history)
            losers = [t for t in self.members if t not in winners and waits(t, history)]
            decisions += [(trial, Decision.STOP) for trial in losers]
            self._climb(winners, history)
        return decisions

    def _winners(self, history: History) -> list[int]:
        alive = [t for t in self.members if history.trials[t].status is not Status.FAILED]
        alive.sort(key=lambda trial: history.rank(trial, self.epochs))
        return alive[: self.table[self.level + 1].trials]

    def _climb(self, winners: list[int], history: History) -> None:
        self.level += 1
        self.members = winners
        final = {t for t in winners if not waits(t, history)}
        self._settled = final
        self.promoted = deque(t for t in winners if t not in final)
        self.done = not winners


def waits(trial: int, history: History) -> bool:
    """Whether the trial could go on: it was neither completed nor failed."""
    record = history.trials[trial]
    return record.limbo or not record.status.ended
