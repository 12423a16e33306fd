"""Estimate of the time left: set-up of trials and epochs apart."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import final

from kerashpo.core.events import Event, JobStarted, Reported, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.records import Plan

_RECENT_EPOCHS = 200
_RECENT_JOBS = 30
_FEWEST_EPOCHS = 5


@dataclass(slots=True)
class _Job:
    """One job of a trial: when it began, and what was reported of it."""

    began: float
    waited: float
    epochs: int = 0
    last: float = 0.0


@final
@dataclass(slots=True)
class TimeLeft:
    """Follows a search and estimates the seconds until its plan is done.

    A job consists of its set-up (a suggestion, building the model, tracing its graph) and
    its epochs. The first trials are mostly set-up, so that one pace for both is far too slow.
    The last epochs count, since survivors of a rung differ from those that were stopped.

    Attributes:
        plan: the plan of the search.
    """

    plan: Plan
    _jobs: dict[int, _Job] = field(default_factory=dict)
    _finished: deque[_Job] = field(default_factory=lambda: deque(maxlen=_RECENT_JOBS))
    _epochs: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_EPOCHS))
    _spent: dict[tuple[int, int], float] = field(default_factory=dict)
    _seen: int = 0
    _before: float = 0.0
    _warm: bool = False

    def update(self, event: Event, history: History) -> None:
        """Updates the estimate with an event that is already in `history`."""
        match event:
            case SessionStarted():
                # The speed of an earlier session does not predict this one.
                self._jobs.clear()
                self._finished.clear()
                self._epochs.clear()
                self._seen, self._warm = 0, False
            case JobStarted(job, at=at):
                alone = history.running <= {job.trial}
                self._jobs[job.trial] = _Job(at, at - self._before if alone else 0.0)
            case Reported(report, at=at):
                self._report(report.trial, report.run, report.seconds, at)
        self._before = event.at
        for trial in [t for t in self._jobs if t not in history.running]:
            ended = self._jobs.pop(trial)
            if ended.epochs and self._warm:
                self._finished.append(ended)
            # The first job includes one-time start-up, so it does not predict the others.
            self._warm = True

    def seconds(self, history: History, workers: int) -> float | None:
        """Returns the estimate, None while it cannot be made.

        Args:
            history: the study now.
            workers: how many trials are trained in parallel.
        """
        if self.plan.epochs is None or self._seen < _FEWEST_EPOCHS:
            return None
        # Where each trial is one epoch long (a searched function), all of a job is set-up.
        epoch = fmean(self._epochs) if self._epochs else 0.0
        left = max(0, self.plan.epochs - history.epochs)
        setup = self._setup(epoch)
        begun = [job for job in self._jobs.values() if not job.epochs]
        pending = sum(max(0.0, setup - (history.now - job.began)) for job in begun)
        total = left * epoch + self._jobs_left(history, left) * setup + pending
        return total / self._at_once(workers)

    def _report(self, trial: int, run: int, seconds: float, at: float) -> None:
        self._seen += 1
        job = self._jobs.get(trial)
        before = self._spent.get((trial, run))
        self._spent[trial, run] = seconds
        if job is None:
            return
        # A job's first epoch holds the tracing of its graph, which is set-up.
        if job.epochs and before is not None:
            self._epochs.append(max(0.0, seconds - before))
        job.epochs += 1
        job.last = at

    def _setup(self, epoch: float) -> float:
        """Returns the typical set-up time of a job: its time minus that of its epochs."""
        parts = [max(0.0, j.waited + j.last - j.began - j.epochs * epoch) for j in self._finished]
        if not parts:
            return 0.0
        # A graph is traced only for some epochs: the median ignores those.
        return median(parts) if self._epochs else fmean(parts)

    def _at_once(self, workers: int) -> float:
        """Returns how many workers were busy on average; some wait while a rung is decided."""
        if len(self._finished) < 4 * workers:
            return workers
        busy = sum(job.last - job.began for job in self._finished)
        begin = min(job.began for job in self._finished)
        return min(max(busy / max(self._finished[-1].last - begin, 1e-9), 1.0), workers)

    def _jobs_left(self, history: History, epochs: int) -> float:
        started = sum(len(trial.targets) for trial in history.trials.values())
        if self.plan.brackets:
            planned = sum(rung.trials for bracket in self.plan.brackets for rung in bracket)
        elif self.plan.trials is not None:
            planned = self.plan.trials
        else:
            # Only epochs are planned: assume that jobs stay as long as they were.
            return epochs * started / max(1, history.epochs)
        return max(0, planned - started)
