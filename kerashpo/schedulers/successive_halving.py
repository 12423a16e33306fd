"""Successive halving over one or several brackets (Jamieson and Talwalkar, 2016)."""

from __future__ import annotations

from collections import deque
from typing import ClassVar, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.events import (
    AlgorithmExhausted,
    Ended,
    Event,
    JobStarted,
    Reached,
    SessionStarted,
    SpaceGrown,
)
from kerashpo.core.history import History
from kerashpo.core.records import (
    Decision,
    Done,
    Plan,
    Resume,
    Start,
    Status,
    Wait,
)
from kerashpo.schedulers.base import Decisions, NextJob, Scheduler
from kerashpo.schedulers.brackets import Bracket, brackets_plan, exponent, halving_bracket, shrink
from kerashpo.schedulers.rung import Standing, promotion_order


@final
class BracketState:
    """The state of one bracket: members of the current rung, settled members, promotions.

    A rung is complete when every member has reached its epochs, ended early or failed.
    Then the best are promoted (failures rank last) and the others are stopped. A member that
    ended by early stopping keeps its rank and needs no further training.

    Attributes:
        table: the rungs.
        level: the index of the current rung.
        members: the trials of the current rung.
        promoted: those promoted to it that have no job yet.
    """

    def __init__(self, table: Bracket) -> None:
        self.table = self._full = table
        self.level = 0
        self.members: list[int] = []
        self.promoted: deque[int] = deque()
        self.closed = False
        self.done = False
        self._settled: set[int] = set()

    @property
    def open(self) -> bool:
        """Whether the first rung accepts further trials."""
        first = self.level == 0 and not self.closed
        return first and len(self.members) < self.table[0].trials

    @property
    def epochs(self) -> int:
        """The epochs of the current rung."""
        return self.table[self.level].epochs

    def add(self, trial: int) -> None:
        """Adds a new trial to the first rung."""
        self.members.append(trial)

    def resumed(self, trial: int) -> None:
        """Marks a promoted trial as resumed: it has its job."""
        if trial in self.promoted:
            self.promoted.remove(trial)

    def settle(self, trial: int, history: History) -> Decisions:
        """Marks a member that reached the rung's epochs or ended; returns the stopped trials."""
        if self.done or trial not in self.members:
            return []
        self._settled.add(trial)
        last = self.level == len(self.table) - 1
        own = [(trial, Decision.STOP)] if last and waits(trial, history) else []
        return [*own, *self.advance(history)]

    def close(self, history: History) -> Decisions:
        """Shrinks the bracket to the trials that it has, since no more will come."""
        if self.closed or self.level > 0:
            return []
        self.closed = True
        if not self.members:
            self.done = True
            return []
        self.table = shrink(self.table, len(self.members))
        return self.advance(history)

    def reopen(self) -> None:
        """Accepts further trials again if none was promoted: bounds may have been raised."""
        if self.closed and self.level == 0:
            self.table, self.closed, self.done = self._full, False, False

    def advance(self, history: History) -> Decisions:
        """Settles every complete rung; returns the stopped trials."""
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
        ranked = promotion_order([Standing.of(history, trial, self.epochs) for trial in alive])
        return [one.trial for one in ranked[: self.table[self.level + 1].trials]]

    def _climb(self, winners: list[int], history: History) -> None:
        self.level += 1
        self.members = winners
        final = {t for t in winners if not waits(t, history)}
        self._settled = final
        self.promoted = deque(t for t in winners if t not in final)
        self.done = not winners


def waits(trial: int, history: History) -> bool:
    """Whether the trial can be continued: it neither completed nor failed."""
    record = history.trials[trial]
    return record.stopped_by_budget or not record.status.ended


class Brackets(Scheduler):
    """Trains brackets in order; a later one begins when a worker would idle.

    Args:
        table: the brackets, each from its first to its last rung.
        limit: an upper bound of configurations; the last brackets shrink.
        budget: an upper bound of epochs, for the plan.
        endless: whether the brackets are repeated while the algorithm proposes configurations.
    """

    deterministic: ClassVar[bool] = True

    def __init__(
        self,
        table: tuple[Bracket, ...],
        limit: float = float("inf"),
        budget: float = float("inf"),
        endless: bool = False,
    ) -> None:
        self.max_epochs = table[0][-1].epochs
        self._full = table
        self._limit, self._budget, self._endless = limit, budget, endless
        self._brackets = [BracketState(bracket) for bracket in table]
        self._home: dict[int, BracketState] = {}
        self._first = self._filling = 0

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        self._skip_done()
        index = self._first
        while (bracket := self._bracket(index, history)) is not None:
            if bracket.promoted:
                return Resume(bracket.promoted[0], bracket.epochs)
            if bracket.open:
                return self.propose(algorithm, history, bracket.epochs)
            index += 1
        waiting = history.running or self._first < len(self._brackets)
        return Wait() if waiting else Done()

    def on_event(self, event: Event, history: History) -> Decisions:
        match event:
            case JobStarted(Start(trial, _, _)):
                self._home[trial] = self._open_bracket(history)
                self._home[trial].add(trial)
            case JobStarted(Resume(trial, _)) if trial in self._home:
                self._home[trial].resumed(trial)
            case AlgorithmExhausted():
                return [one for bracket in self._brackets for one in bracket.close(history)]
            case SessionStarted() | SpaceGrown():
                self._reopen()
            case Reached(trial) if history.trials[trial].complete:
                return self._home[trial].settle(trial, history)
            case Ended(trial) if (
                trial in self._home and not history.trials[trial].stopped_by_budget
            ):
                return self._home[trial].settle(trial, history)
        return []

    def plan(self) -> Plan:
        return brackets_plan(self._full, self._limit, self._budget, self._endless)

    @property
    def endless(self) -> bool:
        return self._endless

    def extends(self, old: Scheduler) -> bool:
        return isinstance(old, Brackets) and self._full[: len(old._full)] == old._full

    def _bracket(self, index: int, history: History) -> BracketState | None:
        """Returns a bracket; a new one if they repeat and configurations are left."""
        if index == len(self._brackets):
            if not self._endless or history.exhausted is not None:
                return None
            self._brackets.append(BracketState(self._full[index % len(self._full)]))
        return self._brackets[index]

    def _open_bracket(self, history: History) -> BracketState:
        """Returns the first bracket that accepts trials; brackets fill in order."""
        while (bracket := self._bracket(self._filling, history)) is not None:
            if bracket.open:
                return bracket
            self._filling += 1
        raise RuntimeError("A trial was started that no bracket has room for.")

    def _reopen(self) -> None:
        """Reopens brackets that were closed because no trials were left."""
        for bracket in self._brackets:
            bracket.reopen()
        self._first = self._filling = 0

    def _skip_done(self) -> None:
        while self._first < len(self._brackets) and self._brackets[self._first].done:
            self._first += 1


@final
class Halving(Brackets):
    """One bracket of successive halving: many configurations for few epochs, the best for more.

    Args:
        max_epochs: epochs of the last rung.
        factor: 1 of `factor` configurations is promoted, for `factor` times the epochs.
        min_epochs: about the epochs of the first rung.
        trials: configurations on the first rung; None for factor**rungs.
        limit: an upper bound of configurations.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: for a factor below 2, or fewer epochs than 1.
    """

    def __init__(
        self,
        max_epochs: int,
        factor: int = 3,
        min_epochs: int = 1,
        trials: int | None = None,
        limit: float = float("inf"),
        budget: float = float("inf"),
    ) -> None:
        check_epochs(max_epochs, factor, min_epochs)
        top = exponent(max_epochs, factor, min_epochs)
        count = factor**top if trials is None else require_integer("trials", trials, 1)
        super().__init__((halving_bracket(count, max_epochs, factor, top + 1),), limit, budget)


def check_epochs(max_epochs: int, factor: int, min_epochs: int) -> None:
    """Checks the arguments that every halving scheduler shares.

    Raises:
        InvalidInput: if one of them is invalid, with its name.
    """
    require_integer("max_epochs", max_epochs, 1)
    require_integer("factor", factor, 2, why="of so many configurations one is promoted")
    require_integer("min_epochs", min_epochs, 1)
    if min_epochs > max_epochs:
        raise InvalidInput(
            f"min_epochs must not exceed max_epochs. "
            f"Received: min_epochs={min_epochs}, max_epochs={max_epochs}."
        )
