"""`Trial`: the state of one trial, folded from its events, and its score."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from kerashpo.core.limits import Limit, violation
from kerashpo.core.objective import NOTHING, Best, Scoring, judge
from kerashpo.core.records import Config, Failure, Objective, Report, Scalar, Status

STUDY_ENDED = "study ended"
"""The reason of trials that are waiting for a decision when a study's budget is spent."""


@final
@dataclass(slots=True)
class Trial:
    """One configuration and everything recorded about it. Only `History` changes it.

    Attributes:
        number: the trial's number, from 0.
        config: its values; only `Configured` events change them.
        proposed: its values when it was started.
        declared: the definitions of its parameters in the order of their declaration, if a range
            depends on other values and only trials can show it; see `Configured`.
        objective: the study's first objective, which gives the score.
        objectives: all of the study's.
        limits: the study's.
        untrained: by run, metrics of the model before its first epoch.
        runs: how often it is trained, over executions or folds.
        parent: the trial from whose state it was forked, None for one started from scratch.
        forked_at: the epoch of the parent's that it continues after; its own epochs follow it.
        scoring: the rule for a run's score.
        until: the epoch that its current or last job trains through.
        targets: the epochs that its jobs train through, rising: its rungs.
        reports: by run, the reports by epoch.
        times: by run and epoch, the seconds of search when it was reported.
        measured: by run and epoch, metrics measured after that epoch; an objective among them
            is the score, whatever the epochs logged.
        worker: the worker of its current or last job; None if unknown.
        node: that worker's machine; empty for the search's own, or if unknown.
        nodes: for each list in `segments` the machine of its worker.
        facts: the facts that `Noted` events recorded.
        fold_runs: the runs of its current or last job if that trains folds of a final round;
            empty for an ordinary job.
        folds_done: whether that job has ended, by its last epoch or by a failure.
        extra: runs that a final round added; they do not count for the score.
        settled: the status and reason that it had before a final round.
        segments: the (run, epoch) pairs trained without interruption, in the order of their
            reports: one list per job, or per part of a job whose worker was lost.
    """

    number: int
    config: Config
    objective: Objective
    objectives: tuple[Objective, ...] = ()
    limits: tuple[Limit, ...] = ()
    status: Status = Status.RUNNING
    runs: int = 1
    scoring: Scoring = Scoring()
    until: int = 0
    started: float = 0.0
    ended: float | None = None
    reason: str = ""
    failure: Failure | None = None
    parent: int | None = None
    forked_at: int = 0
    worker: int | None = None
    node: str = ""
    reports: dict[int, dict[int, Report]] = field(default_factory=dict)
    times: dict[tuple[int, int], float] = field(default_factory=dict)
    measured: dict[int, dict[int, Mapping[str, float]]] = field(default_factory=dict)
    untrained: dict[int, Mapping[str, float]] = field(default_factory=dict)
    facts: dict[str, Scalar] = field(default_factory=dict)
    fold_runs: tuple[int, ...] = ()
    folds_done: bool = False
    declared: tuple[Mapping[str, Any], ...] = ()
    extra: set[int] = field(default_factory=set)
    settled: tuple[Status, str] | None = None
    targets: list[int] = field(default_factory=list)
    segments: list[list[tuple[int, int]]] = field(default_factory=lambda: [[]])
    nodes: list[str] = field(default_factory=lambda: [""])
    proposed: Config = field(init=False)
    _judged: tuple[Limit, ...] = field(init=False)
    _best: dict[int, Best] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.proposed = self.config
        # The others were checked before the first epoch.
        self._judged = tuple(one for one in self.limits if not one.before_training)

    def add(self, report: Report, at: float = 0.0) -> bool:
        """Adds a report made `at` seconds of search; returns False for an epoch known already."""
        run = self.reports.setdefault(report.run, {})
        if report.epoch in run:
            return False
        run[report.epoch] = report
        key = (report.run, report.epoch)
        self.times[key] = at
        self.segments[-1].append(key)
        if report.run in self.extra:
            return True
        if self.scoring.last or report.run in self.measured:
            self._best[report.run] = self._judge_run(report.run)
        else:
            known = self._best.get(report.run, NOTHING)
            self._best[report.run] = min(known, self._judge(report.metrics, report.epoch))
        return True

    def measure(self, run: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Records metrics measured after a run was trained through an epoch; 0 before any."""
        if epoch == 0:
            self.untrained[run] = metrics
            return
        self.measured.setdefault(run, {})[epoch] = metrics
        if run not in self.extra:
            self._best[run] = self._judge_run(run)

    def assign(self, worker: int, node: str) -> None:
        """Records the worker that has its job, and that worker's machine."""
        self.worker, self.node = worker, node
        self.nodes[-1] = node

    def aim(self, until: int) -> None:
        """Records a job that trains through epoch `until`."""
        self.until, self.ended = until, None
        self._end_segment()
        if not self.targets or until > self.targets[-1]:
            self.targets.append(until)

    def add_folds(self, runs: tuple[int, ...]) -> None:
        """Begins a job that trains folds of a final round."""
        self.fold_runs, self.folds_done = runs, False
        self.extra.update(run for run in runs if run >= self.runs)
        if self.status.ended:
            self.settled = (self.status, self.reason)

    def note(self, facts: Mapping[str, Scalar]) -> None:
        """Records facts about the trial; after a lost worker another one continues it."""
        self.facts.update(facts)
        if "worker_lost" in facts:
            self._end_segment()

    @property
    def run_bests(self) -> dict[int, Best]:
        """The best epoch of each run so far."""
        return dict(self._best)

    @property
    def epochs(self) -> int:
        """Distinct epochs trained, over all runs."""
        return sum(len(run) for run in self.reports.values())

    @property
    def scored_epochs(self) -> int:
        """Distinct epochs trained in the runs that count for the score."""
        return sum(len(run) for run in self._scored.values())

    @property
    def epoch(self) -> int:
        """The last epoch trained by every run; a fork begins where it left its parent."""
        scored = self._scored
        return min(map(max, scored.values())) if len(scored) >= self.runs else self.forked_at

    @property
    def origin(self) -> tuple[int, int] | None:
        """The (parent, epoch) that a fork continues after, None for other trials."""
        return None if self.parent is None else (self.parent, self.forked_at)

    def last_epoch(self, run: int) -> int:
        """Returns the last epoch of a run; 0, or a fork's origin, before its first report."""
        return max(self.reports.get(run, ()), default=self.forked_at if run < self.runs else 0)

    @property
    def complete(self) -> bool:
        """Whether its current or last job was trained to its end."""
        if self.fold_runs:
            return all(max(self.reports.get(run, {0})) >= self.until for run in self.fold_runs)
        return self.epoch >= self.until

    @property
    def stopped_by_budget(self) -> bool:
        """Whether only the budget stopped it; a larger budget resumes it."""
        return self.status is Status.STOPPED and self.reason == STUDY_ENDED

    @property
    def pruned(self) -> bool:
        """Whether it was stopped before all runs had begun: its mean covers fewer runs."""
        if self.status is not Status.STOPPED or self.stopped_by_budget:
            return False
        return len(self._scored) < self.runs

    @property
    def seconds(self) -> float:
        """The trial's own training time, over all runs."""
        return sum(run[max(run)].seconds for run in self.reports.values() if run)

    @property
    def best(self) -> Best:
        """The best epoch so far; over several runs the mean of their best epochs."""
        if len(self._best) == 1:
            return next(iter(self._best.values()))
        return self._mean(list(self._best.values()))

    def best_until(self, epoch: int) -> Best:
        """The best epoch among those through `epoch`."""
        if len(self._scored) == 1 and epoch >= self.epoch:
            return self.best
        return self._mean([self._judge_run(run, epoch) for run in self._scored])

    @property
    def score(self) -> float | None:
        """The objective at the best epoch, in its own direction; None if none was finite."""
        best = self.best
        if not best.finite:
            return None
        return best.cost if self.objective.direction == "min" else 0.0 - best.cost  # no -0.0

    @property
    def costs(self) -> tuple[float, ...]:
        """One cost per objective of the study, to minimise, all at the same epoch.

        That is the epoch of the score, whose weights are stored; over several runs each cost
        is the mean over the runs. inf if a value is missing or not finite.
        """
        return self._costs(self.best, self._best)

    @property
    def values(self) -> dict[str, float]:
        """The value of each objective, in its own direction, where it is known: see `costs`."""
        return {
            one.name: cost if one.direction == "min" else 0.0 - cost
            for one, cost in zip(self.objectives, self.costs)
            if math.isfinite(cost)
        }

    def costs_until(self, epoch: int) -> tuple[float, ...]:
        """The costs at the best epoch through `epoch`, which rungs compare."""
        bests = {run: self._judge_run(run, epoch) for run in self._scored}
        return self._costs(self._mean(list(bests.values())), bests)

    def excess(self, until: int | None = None) -> tuple[float, ...]:
        """Returns for each limit by which share of the bound it is exceeded; 0 or less keeps it.

        At the epoch of the score, the most over the runs. NaN where it is not known yet, inf where
        the limited metric of a trained run is missing or not finite.

        Args:
            until: at the best epoch through this one; None for all.
        """
        runs = {*self.untrained, *self._best} - self.extra
        found = []
        for run in runs:
            best = self._best.get(run, NOTHING) if until is None else self._judge_run(run, until)
            found.append({**self.untrained.get(run, {}), **self._metrics(run, best.epoch)})
        return tuple(self._most_excess(one, found) for one in self.limits)

    def _most_excess(self, limit: Limit, runs: list[dict[str, float]]) -> float:
        values = [limit.excess(metrics.get(limit.name, math.nan)) for metrics in runs]
        if any(map(math.isnan, values)):
            trained = self._best and not limit.before_training
            return math.inf if trained else math.nan
        return max(values, default=math.nan)

    @property
    def feasible(self) -> bool:
        """Whether all that is known of it keeps the limits, at the epoch of its score."""
        return not any(excess > 0.0 for excess in self.excess())

    @property
    def spread(self) -> float | None:
        """The standard deviation of the runs' scores (n - 1 below); None for fewer than two."""
        costs = [best.cost for best in self._best.values()]
        if len(costs) < 2 or not all(map(math.isfinite, costs)):
            return None
        return statistics.stdev(costs)

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the score (of the first run), None if none was finite."""
        best = self._best.get(0, self.best)
        return best.epoch if best.finite else None

    @property
    def best_run(self) -> int:
        """The run with the best epoch."""
        return min(self._best, key=lambda run: (self._best[run], run), default=0)

    @property
    def best_report(self) -> Report | None:
        """The first run's report at the best epoch."""
        epoch = self.best_epoch
        return None if epoch is None else self.reports.get(0, {}).get(epoch)

    def curve(self, run: int = 0) -> Iterator[tuple[int, float]]:
        """Yields (epoch, objective) in the order of epochs, NaN where it was not logged."""
        reports = self.reports.get(run, {})
        for epoch in sorted(reports):
            yield epoch, reports[epoch].metrics.get(self.objective.name, math.nan)

    def metrics_at_best(self, run: int = 0) -> dict[str, float]:
        """Every metric of a run at its scored epoch, `measured` ones included."""
        return self._metrics(run, self._best.get(run, NOTHING).epoch)

    def best_of_run(self, run: int) -> Best:
        """The best epoch of one run, whether or not it counts for the score."""
        return self._best[run] if run in self._best else self._judge_run(run)

    @property
    def _scored(self) -> dict[int, dict[int, Report]]:
        """The reports of the runs that count for the score."""
        if not self.extra:
            return self.reports
        return {run: found for run, found in self.reports.items() if run not in self.extra}

    def _metrics(self, run: int, epoch: int) -> dict[str, float]:
        report = self.reports.get(run, {}).get(epoch)
        logged = {} if report is None else dict(report.metrics)
        return logged | dict(self.measured.get(run, {}).get(epoch, {}))

    def _costs(self, best: Best, bests: Mapping[int, Best]) -> tuple[float, ...]:
        """Returns a cost per objective; all but the first are means over the runs' best epochs."""
        metrics = [self._metrics(run, one.epoch) for run, one in bests.items()]
        others = (
            [objective.cost(found.get(objective.name, math.nan)) for found in metrics]
            for objective in self.objectives[1:]
        )
        return (best.cost, *(sum(c) / len(c) if c else math.inf for c in others))

    def _end_segment(self) -> None:
        if self.segments[-1]:
            self.segments.append([])
            self.nodes.append("")

    def _judge_run(self, run: int, until: float = math.inf) -> Best:
        name = self.objective.name
        of_run = self.measured.get(run, {}).items()
        measured = [(e, m) for e, m in of_run if e <= until and name in m]
        if measured:
            epoch, metrics = max(measured, key=lambda pair: pair[0])
            return self._judge(metrics, epoch)
        reports = self.reports.get(run, {})
        judged = (self._judge(reports[e].metrics, e) for e in sorted(reports) if e <= until)
        return self.scoring.pick(list(judged))

    def _judge(self, metrics: Mapping[str, float], epoch: int) -> Best:
        broken = violation(self._judged, metrics) if self._judged else 0.0
        return judge(self.objective, metrics, epoch, broken)

    @staticmethod
    def _mean(bests: list[Best]) -> Best:
        if not bests:
            return NOTHING
        n = len(bests)
        cost, loss = sum(b.cost for b in bests) / n, sum(b.loss for b in bests) / n
        broken = sum(b.violation for b in bests) / n
        return Best(cost, loss, bests[0].epoch, broken) if cost < math.inf else NOTHING
