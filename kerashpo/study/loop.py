"""The loop of every search: ask, submit, poll, decide, append, notify. No I/O of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.wrappers import Bounded, epochs_to, remaining_epochs
from kerashpo.core.errors import (
    ClusterLost,
    ConsecutiveFailures,
    DiskFull,
    InvalidInput,
    KerashpoError,
)
from kerashpo.core.events import (
    AlgorithmExhausted,
    Assigned,
    Configured,
    Decided,
    Ended,
    Event,
    FleetChanged,
    JobStarted,
    Noted,
    Reached,
    Reported,
    SessionEnded,
    SessionStarted,
    SpaceGrown,
    config_of,
)
from kerashpo.core.listener import Listener
from kerashpo.core.records import (
    Budget,
    Decision,
    Done,
    Exhausted,
    Failure,
    FoldRuns,
    Fork,
    Job,
    Resume,
    Status,
    Wait,
)
from kerashpo.core.trial import STUDY_ENDED
from kerashpo.executors.base import Executor, origins_of
from kerashpo.executors.failures import LIMIT, REFUSED, ends_search
from kerashpo.executors.fleet import Fleet
from kerashpo.executors.messages import Failed, Message, WorkItem
from kerashpo.space.observed_ranges import depend, wider
from kerashpo.store.base import Store
from kerashpo.study.listeners import Notifier
from kerashpo.study.signals import Interrupt
from kerashpo.study.state import StudyState, may_continue

DEATHS = 5
"""How often a search may be killed at the same epoch of a trial before the trial fails."""
INFEASIBLE = 1_000
"""How many models in a row may exceed a limit before training until the search ends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a search.

    Attributes:
        budget: bounds of the study as a whole.
        max_retries: how often a failed trial is retried.
        max_failures: consecutive failed trials that end the search; None for no limit.
    """

    budget: Budget = Budget()
    max_retries: int = 0
    max_failures: int | None = None


@final
class Loop:
    """Runs a study from the state in its history to its end.

    Args:
        state: the state of the study, folded from the events of the store.
        store: where events are appended before anything acts on them.
        make_algorithm: builds the algorithm for the current space.
        executor: trains.
        limits: the limits of the search.
        listeners: called for every event; their exceptions never stop a study.
        interrupt: returns whether the user wants to stop.
    """

    def __init__(
        self,
        state: StudyState,
        store: Store,
        make_algorithm: Callable[[], Algorithm],
        executor: Executor,
        limits: Limits = Limits(),
        listeners: Iterable[Listener] = (),
        interrupt: Interrupt | None = None,
    ) -> None:
        self.history, self.scheduler, self.store = state.history, state.scheduler, store
        self.executor, self.limits = executor, limits
        self._state = state
        self._make_algorithm = make_algorithm
        self._algorithm = self._new_algorithm()
        self._interrupt = interrupt or Interrupt()
        self._notifier = Notifier(listeners)
        self._began = executor.now() - self.history.now
        self._cut: dict[int, int] = {}
        self._failures = 0
        self._infeasible = 0
        self._backlog: list[int] = []
        self._fleet: Fleet | None = None

    def begin(self, session: SessionStarted) -> None:
        """Records that a session starts."""
        self._record(session)

    def run(self) -> str:
        """Searches until nothing is left to train; returns why it ended.

        Raises:
            ConsecutiveFailures: after `Limits.max_failures` consecutive failed trials.
        """
        try:
            self._tie_loose_ends()
            reason = self._search()
        except BaseException as error:
            # Any other exception is a defect: the log keeps the trial as running.
            if isinstance(error, KeyboardInterrupt):
                self._stop_short("interrupted")
            elif isinstance(error, (InvalidInput, ClusterLost)) or ends_search(error):
                self._stop_short("disk full" if isinstance(error, DiskFull) else "error")
            raise
        self._finish(reason)
        return reason

    def _search(self) -> str:
        reason = ""
        while not reason:
            reason = self._hand_out()
            if self.history.running or self.executor.busy() or not reason:
                # No reason and nothing running: workers that have not yet reported as free.
                self.executor.poll(self._handle, timeout=0.5)
                self._record_workers()
                reason = ""
            elif reason == "waiting":
                reason = self._why_it_waits()
        return reason

    def _hand_out(self) -> str:
        """Submits jobs to free workers; returns why there are no more, if so."""
        while self.executor.free() > 0:
            if reason := self._stop_reason():
                return reason
            job = self._next_job()
            if isinstance(job, Done):
                return job.reason
            if isinstance(job, Wait):
                return "waiting"
            if not self._submit(job):
                return "max_epochs_total reached"
        return ""

    def _next_job(self) -> Job | Wait | Done:
        while self._backlog:
            record = self.history.trials[self._backlog.pop(0)]
            if record.fold_runs:
                if not record.folds_done:
                    return FoldRuns(record.number, record.fold_runs, record.until)
            elif may_continue(record):
                return Resume(record.number, record.until)
        job = self.scheduler.next_job(self._algorithm, self.history)
        if isinstance(job, Exhausted) and self.history.exhausted is None:
            self._record(AlgorithmExhausted(job.reason))
            job = self.scheduler.next_job(self._algorithm, self.history)
        return Done(job.reason) if isinstance(job, Exhausted) else job

    def _submit(self, job: Job) -> bool:
        known = self.history.trials.get(job.trial)
        left = max(0, remaining_epochs(self.limits.budget, self.history, self._cut))
        if isinstance(job, FoldRuns):
            runs = job.runs
            if left < epochs_to(job.until, [known.last_epoch(r) if known else 0 for r in runs]):
                return False
            until = job.until
        else:
            start = job.at if isinstance(job, Fork) else 0
            scored = range(self.history.runs)
            last = [known.last_epoch(run) if known else start for run in scored]
            # All runs of a trial are trained through the same epoch.
            until = job.until
            while epochs_to(until, last) > left:
                until -= 1
            if until <= min(last) < job.until:
                return False
        if known:
            config = known.config
        else:
            brought = config_of(job)
            assert brought is not None
            config = brought
        self._cut[job.trial] = until
        item = WorkItem(job, config, until, known.origin if known else None)
        # Secured before it is recorded: the scheduler may then stop the parent immediately.
        self.executor.secure(origins_of([item]))
        self._record(JobStarted(job))
        self.executor.submit([item])
        self._record_workers()
        return True

    def _record_workers(self) -> None:
        """Records new assignments of trials to workers, and changes of the machines."""
        nodes = self.executor.nodes()
        for trial, worker in self.executor.assignments().items():
            if trial not in self.history.running:
                continue
            record, node = self.history.trials[trial], nodes.get(worker, "")
            if (record.worker, record.node) != (worker, node):
                self._record(Assigned(trial, worker, node))
        fleet = self.executor.fleet()
        if fleet is not None and fleet != self._fleet:
            self._fleet = fleet
            facts = (fleet.nodes, fleet.workers, fleet.waiting, fleet.why, fleet.lost)
            self._record(FleetChanged(*facts))

    def _handle(self, message: Message) -> None:
        """Records what a worker reported, and acts on it."""
        match message:
            case Failed(trial, failure):
                self._fail(trial, failure)
            case Ended(trial, status, reason):
                self._end(trial, status, reason)
            case SpaceGrown(trial, params):
                # Another worker may have added the same ones.
                if new := tuple(wider(self.history.space, params)):
                    self._record(SpaceGrown(trial, new))
                    self._algorithm = self._new_algorithm()
            case Configured(declared=declared) if declared:
                self._record(message)
                if depend(self.history.space, self.history.declared):
                    self._algorithm = self._new_algorithm()
            case Reported(report):
                self._record(message)
                self._check_running(report.trial)
            case _:
                self._record(message)

    def _record(self, event: Event) -> None:
        """Stamps an event with the time, appends it, applies it and acts on the decisions."""
        if isinstance(event, Reported) and self._known(event):
            return
        event = replace(event, at=self._now())
        self.store.append(event)
        self.history.apply(event)
        self._notifier.notify(event, self.history)
        if isinstance(event, (Reached, Ended)):
            self._cut.pop(event.trial, None)
        for trial, decision in self.scheduler.on_event(event, self.history):
            self._apply_decision(trial, decision)

    def _apply_decision(self, trial: int, decision: Decision, reason: str = "") -> None:
        record = self.history.trials[trial]
        if decision is Decision.CONTINUE or not may_continue(record):
            return
        if decision is Decision.PAUSE:
            self.executor.decide(trial, decision)
            self._record(Decided(trial, decision))
            return
        whole = record.epoch >= self.scheduler.max_epochs
        status = Status.COMPLETED if whole else Status.STOPPED
        self._end(trial, status, reason or ("completed" if whole else "rung"))

    def _end(self, trial: int, status: Status, reason: str, why: Failure | None = None) -> None:
        if reason != STUDY_ENDED:
            self.executor.decide(trial, Decision.STOP)
            self._count(why)
        self._record(Ended(trial, status, reason, why))

    def _count(self, why: Failure | None) -> None:
        """Counts consecutive failures, and apart from them consecutive models beyond a limit."""
        if why is not None and why.kind == LIMIT:
            self._infeasible += 1
        else:
            self._failures, self._infeasible = 0 if why is None else self._failures + 1, 0

    def _fail(self, trial: int, failure: Failure) -> None:
        facts = self.history.trials[trial].facts
        tried = int(facts.get("retries") or 0)
        if tried < self.limits.max_retries and failure.kind not in (REFUSED, LIMIT):
            self._record(Noted(trial, {"retries": tried + 1, "retried_after": failure.message}))
            self._record(Decided(trial, Decision.PAUSE))
            self._backlog.append(trial)
            return
        self._end(trial, Status.FAILED, "failed", failure)

    def _check_running(self, trial: int) -> None:
        """Ends a running trial's job after this epoch if time is up or the user asks for it."""
        if not (self._interrupt.asked or self._time_is_up() or self._energy_is_spent()):
            return
        record = self.history.trials[trial]
        # A job at its end is about to be reached; the scheduler needs that event.
        if record.status is Status.RUNNING and not record.complete:
            self._apply_decision(trial, Decision.PAUSE)

    def _stop_reason(self) -> str:
        if self._interrupt.asked:
            return "interrupted"
        limit = self.limits.max_failures
        if limit is not None and self._failures >= limit:
            return "failures"
        if self._infeasible >= INFEASIBLE:
            return "no model within the limits"
        if self._energy_is_spent():
            return "max_energy_wh reached"
        return "max_minutes reached" if self._time_is_up() else ""

    def _why_it_waits(self) -> str:
        """Returns why a scheduler waits though nothing is running."""
        # A trial that the budget cut short blocks its rung until the budget is raised.
        left = remaining_epochs(self.limits.budget, self.history, self._cut)
        short = left < self.history.runs
        return "max_epochs_total reached" if short else "nothing left to wait for"

    def _time_is_up(self) -> bool:
        minutes = self.limits.budget.max_minutes
        return minutes is not None and self._now() >= 60 * minutes

    def _energy_is_spent(self) -> bool:
        most = self.limits.budget.max_energy_wh
        return most is not None and self.history.total("energy") >= most

    def _finish(self, reason: str) -> None:
        finished = reason not in ("interrupted", "failures")
        if finished:
            for trial in sorted(self.history.paused):
                self._end(trial, Status.STOPPED, STUDY_ENDED)
        self._record(SessionEnded(reason, finished))
        if reason == "failures":
            raise self._too_many_failures()

    def _stop_short(self, reason: str) -> None:
        """Records the regular end of this session, if the disk has space."""
        with contextlib.suppress(KerashpoError):
            self._record(SessionEnded(reason, False))

    def _too_many_failures(self) -> ConsecutiveFailures:
        failed = [t for t in self.history.trials.values() if t.failure is not None]
        last = max(failed, key=lambda trial: trial.ended or 0.0)
        assert last.failure is not None
        return ConsecutiveFailures(
            f"{self._failures} trials failed one after another, so the search stopped; finished "
            f"trials are saved, and searching again continues with new trials. The last failure "
            f"(trial {last.number}): {last.failure.message}\n{last.failure.traceback}"
        )

    def _tie_loose_ends(self) -> None:
        """Pauses trials of an earlier process, and applies decisions that it had not applied."""
        cut = sorted(self.history.running)
        # Before anything frees a checkpoint: a crash of the machine may have lost a copy.
        unfinished = (self.history.trials[trial] for trial in self._state.unfinished)
        origins = {fork.number: fork.origin for fork in unfinished if fork.origin is not None}
        self.executor.secure(origins)
        for trial in cut:
            self._record(Decided(trial, Decision.PAUSE))
        for trial, decision in self._state.pending_decisions.items():
            self._apply_decision(trial, decision)
        if self._state.interrupted:
            for trial in cut:
                self._count_death(trial)
        self._backlog = self._state.unfinished

    def _count_death(self, trial: int) -> None:
        """Counts consecutive process deaths while this trial was training without a new epoch."""
        record = self.history.trials[trial]
        again = record.facts.get("died_after") == record.epochs
        times = int(record.facts.get("died") or 0) + 1 if again else 1
        self._record(Noted(trial, {"died": times, "died_after": record.epochs}))
        if times >= DEATHS and not record.status.ended:
            text = (
                f"the search was killed {times} times while it trained this trial, without "
                "completing an epoch; a model too large for this machine's memory can cause that"
            )
            self._end(trial, Status.FAILED, "failed", Failure("killed", text))

    def _new_algorithm(self) -> Algorithm:
        """Builds the algorithm for the current space."""
        return Bounded(self._make_algorithm(), self.limits.budget.max_trials)

    def _known(self, event: Reported) -> bool:
        report = event.report
        return report.epoch in self.history.trials[report.trial].reports.get(report.run, {})

    def _now(self) -> float:
        return self.executor.now() - self._began
