"""ASHA, asynchronous successive halving: promotion and stopping variants.

Source: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar, "A System
for Massively Parallel Hyperparameter Tuning", MLSys 2020, Algorithm 2.
"""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.events import Ended, Event, JobStarted, Reached, Reported
from kerashpo.core.history import History
from kerashpo.core.records import Decision, Done, Job, Plan, Resume, Start, Status
from kerashpo.core.trial import Trial
from kerashpo.schedulers.base import Decisions, NextJob, Scheduler
from kerashpo.schedulers.brackets import asha_levels, asha_plan
from kerashpo.schedulers.rung import AsyncRung, Standing
from kerashpo.schedulers.successive_halving import check_epochs, waits


class AsyncHalving(Scheduler, ABC):
    """The rungs that both variants of ASHA share.

    Args:
        max_epochs: epochs of the last rung.
        factor: 1 of `factor` trials of a rung is promoted, for `factor` times the epochs.
        min_epochs: epochs of the first rung.
        limit: an upper bound of configurations, for the plan.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: for a factor below 2, or fewer epochs than 1.
    """

    def __init__(
        self,
        max_epochs: int,
        factor: int = 3,
        min_epochs: int = 1,
        limit: float = float("inf"),
        budget: float = float("inf"),
    ) -> None:
        check_epochs(max_epochs, factor, min_epochs)
        self.max_epochs = max_epochs
        self._factor, self._limit, self._budget = factor, limit, budget
        self._levels = asha_levels(max_epochs, factor, min_epochs)


@final
class ASHA(AsyncHalving):
    """The promotion variant of ASHA: a free worker continues the best promotable trial.

    A free worker looks from the top rung down for the best unpromoted trial of the top
    floor(|rung| / factor) and continues it to the next rung; if there is none it
    starts a new configuration on the first rung, so it never idles. Failures count as
    members that rank last. When nothing is left to start and no trial has reached the last
    rung, the best of the highest rung is promoted, so a small search ends with a full training.

    Args:
        max_epochs: epochs of the last rung.
        factor: 1 of `factor` trials of a rung is promoted, for `factor` times the epochs.
        min_epochs: epochs of the first rung.
        limit: an upper bound of configurations, for the plan.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: for a factor below 2, or fewer epochs than 1.
    """

    def __init__(
        self,
        max_epochs: int,
        factor: int = 3,
        min_epochs: int = 1,
        limit: float = float("inf"),
        budget: float = float("inf"),
    ) -> None:
        super().__init__(max_epochs, factor, min_epochs, limit, budget)
        self._rungs = [AsyncRung(epochs, factor) for epochs in self._levels]
        self._target_rung: dict[int, int] = {}

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        for level in range(len(self._rungs) - 2, -1, -1):
            trial = self._rungs[level].head()
            if trial is not None:
                return Resume(trial, self._levels[level + 1])
        job = self.start(algorithm, history, self._levels[0])
        return self._last_job(job.reason, history) if isinstance(job, Done) else job

    def on_event(self, event: Event, history: History) -> Decisions:
        match event:
            case JobStarted(Start(trial, _, _)):
                self._target_rung[trial] = 0
            case JobStarted(Resume(trial, until)) if trial in self._target_rung:
                self._resumed(trial, until, history)
            case Reached(trial) if history.trials[trial].complete:
                return self._arrived(trial, history)
            case Ended(trial) if (
                trial in self._target_rung and not history.trials[trial].stopped_by_budget
            ):
                self._ended(trial, history)
        return []

    def plan(self) -> Plan:
        return asha_plan(self._levels, self._factor, self._limit, self._budget)

    def extends(self, old: Scheduler) -> bool:
        return (
            isinstance(old, ASHA)
            and old._factor == self._factor
            and self._levels[: len(old._levels)] == old._levels
        )

    def _resumed(self, trial: int, until: int, history: History) -> None:
        level = self._levels.index(until) if until in self._levels else self._target_rung[trial]
        if level > self._target_rung[trial]:
            self._rungs[level - 1].leave(trial)
            self._target_rung[trial] = level
            self._promote_ended(level - 1, history)

    def _arrived(self, trial: int, history: History) -> Decisions:
        level = self._target_rung[trial]
        self._rungs[level].add(Standing.of(history, trial, self._levels[level]))
        if level == len(self._rungs) - 1:
            return [(trial, Decision.STOP)] if waits(trial, history) else []
        self._promote_ended(level, history)
        return []

    def _ended(self, trial: int, history: History) -> None:
        level = self._target_rung[trial]
        rung = self._rungs[level]
        rung.add(Standing.of(history, trial, self._levels[level]))
        if history.trials[trial].status is not Status.COMPLETED:
            rung.leave(trial)
        self._promote_ended(level, history)

    def _promote_ended(self, level: int, history: History) -> None:
        """Promotes trials that ended by early stopping: they need no further training."""
        for lower, upper in zip(range(level, len(self._rungs)), self._rungs[level + 1 :]):
            rung = self._rungs[lower]
            while (trial := rung.head()) is not None and not waits(trial, history):
                rung.leave(trial)
                self._target_rung[trial] = lower + 1
                upper.add(Standing.of(history, trial))

    def _last_job(self, reason: str, history: History) -> Job | Done:
        """Promotes the best of the highest rung unless a trial reached the last rung."""
        last = self._rungs[-1]
        if last.candidates:
            return Done(reason)
        for level in range(len(self._rungs) - 2, -1, -1):
            trial = self._rungs[level].best()
            if trial is not None:
                whole = not waits(trial, history)
                return Done(reason) if whole else Resume(trial, self._levels[level + 1])
        return Done(reason)


@final
class StoppingASHA(AsyncHalving):
    """The stopping variant of ASHA: trains a trial until a rung where it is not among the best.

    At each rung a trial continues if it is in the top floor(|rung| / factor) of those that
    have arrived so far, or among the first `factor - 1`, which have nothing to be compared
    with. Trials are never paused, so no checkpoint is needed. It trains more of the early
    configurations than `ASHA` does.

    With several runs (folds or executions), the first one passes the rungs; each further one
    begins only if the mean of the runs before it is good enough, which is a rung of its own.

    Args:
        max_epochs: epochs of the last rung.
        factor: 1 of `factor` trials of a rung continues.
        min_epochs: epochs of the first rung.
        limit: an upper bound of configurations, for the plan.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: for a factor below 2, or fewer epochs than 1.
    """

    every_epoch: ClassVar[bool] = True

    def __init__(
        self,
        max_epochs: int,
        factor: int = 3,
        min_epochs: int = 1,
        limit: float = float("inf"),
        budget: float = float("inf"),
    ) -> None:
        super().__init__(max_epochs, factor, min_epochs, limit, budget)
        self._rungs: dict[int, AsyncRung] = {}
        self._passed: dict[int, int] = {}

    def next_job(self, algorithm: Algorithm, history: History) -> NextJob:
        return self.start(algorithm, history, self.max_epochs)

    def on_event(self, event: Event, history: History) -> Decisions:
        match event:
            case JobStarted(Start(trial, _, _)):
                self._passed[trial] = 0
            case Reported(report) if report.trial in self._passed:
                return self._judge(report.trial, history)
            case Reached(trial) if history.trials[trial].complete:
                return [(trial, Decision.STOP)]
            case Ended(trial, Status.FAILED) if trial in self._passed:
                self._failed(trial, history)
        return []

    def plan(self) -> Plan:
        if self._limit < float("inf"):
            trials = int(self._limit)
            most = int(min(trials * self.max_epochs, self._budget))
            return Plan((), trials, most, (self._note(),))
        if self._budget < float("inf"):
            return Plan((), None, int(self._budget), (self._note(),))
        return Plan((), None, None, (self._note(),))

    def _note(self) -> str:
        levels = ", ".join(map(str, self._levels[:-1])) or "none"
        return f"Trials are stopped while they run, after epochs: {levels}."

    def _judge(self, trial: int, history: History) -> Decisions:
        record, passed = history.trials[trial], self._passed[trial]
        steps = self._steps(record.runs)
        if passed == len(steps) or not _is_at(record, *steps[passed]):
            return []
        _, epochs = steps[passed]
        rung = self._rung(passed, epochs)
        rung.add(Standing.of(history, trial, epochs))
        self._passed[trial] = passed + 1
        keep = len(rung) < self._factor or rung.in_top(trial)
        return [] if keep else [(trial, Decision.STOP)]

    def _failed(self, trial: int, history: History) -> None:
        passed = self._passed[trial]
        steps = self._steps(history.trials[trial].runs)
        if passed < len(steps):
            self._rung(passed, steps[passed][1]).add(Standing.of(history, trial))

    def _steps(self, runs: int) -> list[tuple[int, int]]:
        """Returns the rungs of a trial: (run, epoch) after which it is compared with others."""
        *rungs, last = self._levels
        return [*((0, epochs) for epochs in rungs), *((run, last) for run in range(runs - 1))]

    def _rung(self, step: int, epochs: int) -> AsyncRung:
        return self._rungs.setdefault(step, AsyncRung(epochs, self._factor))


def _is_at(record: Trial, run: int, epochs: int) -> bool:
    """Whether a run reached an epoch, or ended earlier and the next run began."""
    return max(record.reports.get(run, ()), default=0) >= epochs or run + 1 in record.reports
