"""`View`: the numbers that a display shows at one moment, safe to read from any thread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from kerashpo.analysis.expected_score import ExpectedScore
from kerashpo.analysis.saturation import Saturation
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space

_MOST_POINTS = 400


@final
@dataclass(frozen=True, slots=True)
class Running:
    """A trial that is being trained.

    Attributes:
        trial: its number.
        epoch: the last epoch reported, 0 before the first.
        until: the epoch that its job trains through.
        curve: the objective by epoch, the last few hundred epochs.
        config: its values.
        node: the machine that trains it; empty for this one, or if unknown.
    """

    trial: int
    epoch: int
    until: int
    curve: tuple[float, ...]
    config: dict[str, Any]
    node: str = ""

    @property
    def value(self) -> float | None:
        """The objective of the last epoch, None before the first."""
        return self.curve[-1] if self.curve else None


@final
@dataclass(frozen=True, slots=True)
class BestSoFar:
    """The incumbent.

    Attributes:
        trial: its number.
        score: its value in the objective that ranks.
        values: its value in each objective that is compared, by name.
        front: how many trials are on the Pareto front; None with a single objective.
        epoch: that of the score.
        config: the values of its parameters.
    """

    trial: int
    score: float
    values: dict[str, float]
    front: int | None
    epoch: int
    config: dict[str, Any]


@final
@dataclass(frozen=True, slots=True)
class View:
    """The state of a search at one moment.

    Attributes:
        title: the tuner and its algorithm.
        objectives: each metric that is compared, and ``"min"`` or ``"max"``; the first one ranks
            unless there are several.
        seed: the study's seed.
        workers: how many trials are trained in parallel.
        folder: the study's folder, None for one in memory.
        trials: configurations started, and how many are planned (None while unknown).
        epochs: epochs trained, and how many are planned at most (None while unknown).
        elapsed: seconds of search.
        left: estimate of the seconds until the plan is done, None while unknown.
        best: the incumbent, None before the first score.
        rungs: for each rung its epoch, and how many trials have reached it.
        stopped: trials stopped early by the scheduler.
        failed: trials that failed.
        disk: bytes of the study's folder, None where it is not known.
        running: the trials that are being trained, by number.
        fleet: the machines of the workers in words, None if all are on this one.
        ended: why the search ended, None while it is running.
        command: whether ``kerashpo resume`` can start it again: a script or a module did.
        folds: whether trials were cross-validated.
        expected: the expected score on new data; None if unknown.
        saturation: whether the validation rows distinguish the best trials; None if unknown.
        report: the call that writes the report.
    """

    title: str
    objectives: tuple[tuple[str, str], ...]
    seed: int
    workers: int
    folder: str | None
    trials: tuple[int, int | None]
    epochs: tuple[int, int | None]
    elapsed: float
    left: float | None
    best: BestSoFar | None
    rungs: tuple[tuple[int, int], ...]
    stopped: int
    failed: int
    disk: int | None
    running: tuple[Running, ...]
    fleet: str | None
    ended: str | None
    command: bool
    folds: bool
    expected: ExpectedScore | None
    saturation: Saturation | None
    report: str

    @property
    def share(self) -> float | None:
        """The share of the planned epochs that is done, None while unknown."""
        done, planned = self.epochs
        return min(1.0, done / planned) if planned else None


def running_trials(history: History, space: Space) -> tuple[Running, ...]:
    """Returns the trials that have a job now."""
    return tuple(_running(history.trials[number], space) for number in sorted(history.running))


def best_of(history: History, space: Space) -> BestSoFar | None:
    """Returns the incumbent."""
    leader = history.best
    if leader is None or leader.score is None or leader.best_epoch is None:
        return None
    return BestSoFar(
        trial=leader.number,
        score=leader.score,
        values=compared_values(leader, history),
        front=len(history.front()) if history.several else None,
        epoch=leader.best_epoch,
        config=plain(space.realise(leader.config)),
    )


def compared_objectives(history: History) -> tuple[Objective, ...]:
    """Returns the objectives that trials are compared by: all of a front, else the first."""
    return history.objectives if history.several else history.objectives[:1]


def compared_values(trial: Trial, history: History) -> dict[str, float]:
    """Returns a trial's value in each of the `compared_objectives` that is known."""
    found = trial.values
    return {one.name: found[one.name] for one in compared_objectives(history) if one.name in found}


def plain(config: Any) -> dict[str, Any]:
    """Returns values to copy: floats with six digits, without rounding noise."""
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in config.items()}


def _running(trial: Trial, space: Space) -> Running:
    run = max(trial.reports, default=0)
    curve = tuple(_tail(trial, run))
    config = plain(space.realise(trial.config))
    return Running(trial.number, trial.last_epoch(run), trial.until, curve, config, trial.node)


def _tail(trial: Trial, run: int) -> Iterator[float]:
    reports = trial.reports.get(run, {})
    name = trial.objective.name
    for epoch in sorted(reports)[-_MOST_POINTS:]:
        yield reports[epoch].metrics.get(name, float("nan"))
