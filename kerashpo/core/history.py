"""`History`: the state of a study, folded from its events."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, final

import numpy as np

from kerashpo.core.events import (
    AlgorithmExhausted,
    Assigned,
    Configured,
    Decided,
    Ended,
    Event,
    Extended,
    FleetChanged,
    JobStarted,
    Measured,
    Noted,
    Reached,
    Reported,
    SessionEnded,
    SessionStarted,
    SpaceGrown,
    StudyCreated,
    config_of,
)
from kerashpo.core.limits import Limit, from_settings
from kerashpo.core.objective import Scoring, several_rank
from kerashpo.core.pareto import Costs, from_knee, non_dominated
from kerashpo.core.records import Decision, FoldRuns, Fork, Job, Objective, Plan, Report, Status
from kerashpo.core.trial import STUDY_ENDED, Trial

MODEL = "model"
"""The setting that describes the default model: what it is compiled with, and its layers."""
LAYERS = "layers"
"""The entry of it that describes the layers."""


@final
class History:
    """The state of a study: its trials, which are running or paused, and the incumbent.

    Only `apply` changes it, so that replaying a log gives the live history.

    Attributes:
        trials: every trial by its number, in the order of their start.
        several: whether several objectives rank: then trials are compared by Pareto dominance.
        running: numbers of the trials that have a job now.
        paused: numbers of the trials whose checkpoint waits for a decision.
        limits: the limits that a feasible trial satisfies.
        epochs: distinct epochs trained, over all trials.
        now: seconds of search at the last event.
        stopped: why the study ended, None while it goes on.
        plan: the plan of the last session for the whole study, None if its log has none.
        fleet: the machines of the session, None while all workers are on the search's own.
        exhausted: why the algorithm has nothing left to propose, None while it may have. A new
            session asks it again, since bounds may have been raised.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.trials: dict[int, Trial] = {}
        self.running: set[int] = set()
        self.paused: set[int] = set()
        self.objectives: tuple[Objective, ...] = ()
        self.several = False
        self.limits: tuple[Limit, ...] = ()
        self.space: Mapping[str, Any] = {}
        self.first_space: Mapping[str, Any] = {}
        self.seed = 0
        self.settings: Mapping[str, Any] = {}
        self.environment: Mapping[str, Any] = {}
        self.sessions: list[tuple[float, float]] = []
        self.command: Mapping[str, Any] = {}
        self.plan: Plan | None = None
        self.epochs = 0
        self.failed = 0
        self.now = 0.0
        self.stopped: str | None = None
        self.fleet: FleetChanged | None = None
        self.exhausted: str | None = None
        self.finished = False
        self._leader: int | None = None
        self._leader_known = True
        for event in events:
            self.apply(event)

    @property
    def objective(self) -> Objective:
        """The first objective; a trial's score is its value."""
        return self.objectives[0]

    def total(self, metric: str) -> float:
        """Returns the sum over all runs of a metric that grows with the epochs, as energy does."""
        return sum(
            run[max(run)].metrics.get(metric, 0.0)
            for trial in self.trials.values()
            for run in trial.reports.values()
        )

    @property
    def runs(self) -> int:
        """How often each trial is trained: folds times repetitions."""
        return int(self.settings.get("runs", 1))

    @property
    def declared(self) -> list[tuple[Mapping[str, Any], ...]]:
        """The definitions that only trials can show, see `Configured`."""
        return [trial.declared for trial in self.trials.values() if trial.declared]

    @property
    def ranked_by(self) -> tuple[Objective, ...]:
        """The objectives that rank trials: all of several, else the first."""
        return self.objectives if self.several else self.objectives[:1]

    @property
    def next_trial(self) -> int:
        """The number of the next new trial."""
        return len(self.trials)

    @property
    def best(self) -> Trial | None:
        """The incumbent: the best score of a feasible trial; ties go to the lower trial.

        With several objectives it is the knee of the Pareto front, see `from_knee`.
        """
        if not self._leader_known:
            self._leader, self._leader_known = self._search_leader(), True
        return None if self._leader is None else self.trials[self._leader]

    def ranking(self, trials: Iterable[int] | None = None) -> list[int]:
        """Returns trials in an order of preference, those without a score last.

        One objective sorts them by `rank`. Several sort them front by front (non-dominated
        sorting), within a front from its knee outwards.

        Args:
            trials: the numbers of the trials; None for all.
        """
        ranks = sorted(self.rank(n) for n in (self.trials if trials is None else trials))
        if not self.several:
            return [number for _, _, number in ranks]
        known = sorted(number for cost, _, number in ranks if cost < math.inf)
        order = from_knee(self._costs(known)) if known else ()
        return [*(known[i] for i in order), *(n for cost, _, n in ranks if cost == math.inf)]

    def scored(self, trial: int) -> bool:
        """Whether a trial is ranked: it is feasible, and each ranking objective is finite."""
        return self.rank(trial)[0] < math.inf

    def front(self, trials: Iterable[int] | None = None) -> list[int]:
        """Returns the trials on the Pareto front, the lowest number first.

        With one objective these are the trials with the best score.

        Args:
            trials: the trials to compare; None for all.
        """
        known = sorted(n for n in (self.trials if trials is None else trials) if self.scored(n))
        return [known[i] for i in np.flatnonzero(non_dominated(self._costs(known)))]

    def rank(self, trial: int, until: int | None = None) -> tuple[float, float, int]:
        """Returns a sort key, less is better: cost, loss of the same split, number.

        A trial that failed, or was stopped before all of its runs had begun, ranks last; if
        several objectives rank, so does one that lacks a finite value of any of them. The cost
        is then the first objective's, see `ranking`. A trial that exceeds a limit has an infinite
        cost too, and in place of the loss its violation.

        Args:
            trial: the trial's number.
            until: compare by the best epoch through this one; None for all.
        """
        record = self.trials[trial]
        if record.status is Status.FAILED or (until is None and record.pruned):
            return (math.inf, math.inf, trial)
        best = record.best if until is None else record.best_until(until)
        if self.several and not all(map(math.isfinite, self.costs(trial, until))):
            return (math.inf, math.inf, trial)
        if best.violation > 0.0:
            return (math.inf, best.violation, trial)
        return (best.cost, best.loss, trial)

    def costs(self, trial: int, until: int | None = None) -> tuple[float, ...]:
        """Returns a trial's costs of the objectives that rank, see `Trial.costs`.

        Args:
            trial: the trial's number.
            until: the last epoch that counts; None for all.
        """
        record = self.trials[trial]
        if not self.several:
            return (record.best.cost if until is None else record.best_until(until).cost,)
        return record.costs if until is None else record.costs_until(until)

    def apply(self, event: Event) -> bool:
        """Applies an event; returns False if it changed nothing (an epoch reported before)."""
        match event:
            case Reported(report, at=at):
                self.now = at
                return self._report(report, at)
            case StudyCreated():
                self._create(event)
            case SessionStarted(wall, command, plan, at=at):
                self.sessions.append((at, wall))
                self.command = command
                self.plan = Plan.from_json(plan) if plan else None
                self.stopped, self.exhausted, self.finished = None, None, False
                self.fleet = None
            case SessionEnded(reason, finished):
                self.stopped, self.finished = reason, finished
            case JobStarted(job, at=at):
                self._start(at, job)
            case Assigned(trial, worker, node):
                self.trials[trial].assign(worker, node)
            case FleetChanged():
                self.fleet = event
            case Reached(trial) | Decided(trial, Decision.PAUSE):
                self._move(trial, Status.PAUSED)
            case Ended():
                self._end(event)
            case Configured(trial, values, declared):
                record = self.trials[trial]
                record.config = {**record.config, **values}
                record.declared = declared or record.declared
            case SpaceGrown(_, params):
                new = {param["name"]: param for param in params}
                before = [new.pop(param["name"], param) for param in self.space["params"]]
                self.space = {"params": [*before, *new.values()]}
                self.exhausted = None
            case AlgorithmExhausted(reason):
                self.exhausted = reason
            case Measured(trial, run, epoch, metrics):
                self.trials[trial].measure(run, epoch, metrics)
                self._leader_known = False
            case Extended(space, declared, settings):
                self.space, self.first_space, self.settings = space, declared, settings
                self.limits = from_settings(settings)
            case Noted(trial, facts):
                self.trials[trial].note(facts)
        self.now = event.at
        return True

    def _create(self, event: StudyCreated) -> None:
        self.objectives = tuple(
            Objective(name, direction)  # type: ignore[arg-type]
            for name, direction in event.objectives
        )
        self.several = several_rank(self.objectives)
        self.space = self.first_space = event.space
        self.seed, self.settings = event.seed, event.settings
        self.limits = from_settings(event.settings)
        self.environment = event.environment

    def _start(self, at: float, job: Job) -> None:
        config = config_of(job)
        if config is not None and job.trial not in self.trials:
            scoring = Scoring.read(self.settings.get("score", "best"))
            record = Trial(
                job.trial,
                config,
                self.objective,
                objectives=self.objectives,
                limits=self.limits,
                runs=self.runs,
                scoring=scoring,
                started=at,
            )
            if isinstance(job, Fork):
                record.parent, record.forked_at = job.parent, job.at
            self.trials[job.trial] = record
        record = self.trials[job.trial]
        record.worker = None
        if isinstance(job, FoldRuns):
            record.add_folds(job.runs)
        else:
            record.fold_runs, record.settled = (), None
        record.aim(job.until)
        self._move(job.trial, Status.RUNNING)

    def _report(self, report: Report, at: float) -> bool:
        record = self.trials[report.trial]
        if not record.add(report, at):
            return False
        self.epochs += 1
        falls = len(record.reports) > 1 or record.scoring.last
        if self.several or (report.trial == self._leader and falls):
            # A mean over runs, or of the last epochs, may fall behind another trial's.
            self._leader_known = False
        elif self._leader_known and report.trial != self._leader:
            mine = self.rank(report.trial)
            if mine[0] < math.inf and (self._leader is None or mine < self.rank(self._leader)):
                self._leader = report.trial
        return True

    def _end(self, event: Ended) -> None:
        record = self.trials[event.trial]
        record.ended = event.at
        record.folds_done = bool(record.fold_runs) and event.reason != STUDY_ENDED
        if record.fold_runs and event.failure is not None:
            record.facts["final_round_failure"] = event.failure.message
        if record.settled is not None:
            # The end of its folds: the trial keeps the status of its scored runs.
            status, record.reason = record.settled
            if event.status is Status.COMPLETED and 0 in record.fold_runs:
                status, record.reason = event.status, event.reason  # trained to the end by now
            self._move(event.trial, status)
            return
        record.reason, record.failure = event.reason, event.failure
        self._move(event.trial, event.status)
        if event.status is Status.FAILED:
            self.failed += 1
        fallen = self._leader == event.trial and event.status is not Status.COMPLETED
        if self.several or fallen:
            self._leader_known = False

    def _move(self, trial: int, status: Status) -> None:
        self.trials[trial].status = status
        for group, member in ((self.running, Status.RUNNING), (self.paused, Status.PAUSED)):
            if status is member:
                group.add(trial)
            else:
                group.discard(trial)

    def _search_leader(self) -> int | None:
        if self.several:
            front = self.front()
            return self.ranking(front)[0] if front else None
        ranked = min((self.rank(number) for number in self.trials), default=None)
        return None if ranked is None or ranked[0] == math.inf else ranked[2]

    def _costs(self, trials: list[int]) -> Costs:
        """Returns the costs (n, m) of trials, one row each."""
        columns = len(self.objectives) if self.several else 1
        return np.array([self.costs(n) for n in trials]).reshape(len(trials), columns)
