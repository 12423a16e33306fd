"""Statistics of a comparison: means, bootstrap intervals, ranks, tests, epochs to a target."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kerashpo.analysis.intervals import Bounds, Interval, bootstrap, interval
from kerashpo.analysis.ranking import Ranking, rank_methods
from kerashpo.compare.runs import Result
from kerashpo.compare.tuners import BASELINES
from kerashpo.problems.task import Task

FRACTIONS = (0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class TargetReached:
    """Epochs and seconds until a target value was reached.

    Attributes:
        seeds: on how many seeds it was.
        of: out of how many.
        epochs: the median over all seeds; inf where half of them or more never reached it.
        seconds: likewise.
    """

    seeds: int
    of: int
    epochs: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Score:
    """A measure over seeds: its mean and bootstrap interval."""

    mean: float
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Findings:
    """Statistics of one problem.

    Attributes:
        task: the problem.
        seeds: how many.
        test: by tuner and baseline, the winners' test score.
        validation: the same for the validation score that chose them.
        loss: the same for the winners' test loss.
        ranking: the tuners by test score, a block for each seed; None for one of either.
        gain: the first tuner's test score minus the untuned model's; above 0 is better.
        target: the task's target, the untuned model's mean validation score where it has none.
        reached: by tuner, when the target was reached.
        anytime: by tuner, the mean best validation score after `FRACTIONS` of the epochs.
        budget: the epochs that these are fractions of.
    """

    task: Task
    seeds: int
    test: dict[str, Score]
    validation: dict[str, Score]
    loss: dict[str, Score]
    ranking: Ranking | None
    gain: Score
    target: float
    reached: dict[str, TargetReached]
    anytime: dict[str, list[float]]
    budget: int


def find(results: Sequence[Result], task: Task, target: float | None) -> Findings:
    """Returns the statistics of a problem.

    Args:
        results: those of a comparison; other problems' are left out.
        task: the problem.
        target: replaces the task's target; None for that.
    """
    groups = by_tuner([result for result in results if result.problem == task.name])
    tuners = {name: group for name, group in groups.items() if name not in BASELINES}
    ranking = _rank(tuners, task)
    first = ranking.names[0] if ranking else next(iter(tuners))
    if target is None:
        untuned = [result.val_score for result in groups["default"]]
        target = statistics.fmean(untuned) if task.target is None else task.target
    budget = min(result.epochs for group in tuners.values() for result in group)
    return Findings(
        task,
        len(next(iter(groups.values()))),
        {name: score([r.test_score for r in group]) for name, group in groups.items()},
        {name: score([r.val_score for r in group]) for name, group in groups.items()},
        {name: score([r.test_loss for r in group]) for name, group in groups.items()},
        ranking,
        _gain(tuners[first], groups["default"], task),
        target,
        {name: _reached(group, task, target) for name, group in tuners.items()},
        {name: _anytime(group, budget) for name, group in tuners.items()},
        budget,
    )


def by_tuner(results: Sequence[Result]) -> dict[str, list[Result]]:
    """Returns results by tuner, each group in the order of seeds."""
    groups: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.seed):
        groups.setdefault(result.tuner, []).append(result)
    order = dict.fromkeys(result.tuner for result in results)
    return {name: groups[name] for name in order}


def rank_all(results: Sequence[Result], tasks: Mapping[str, Task]) -> Ranking | None:
    """Returns the tuners over all problems, a block for each problem and seed.

    None for one problem, one tuner or one seed.
    """
    costs: dict[str, list[float]] = {}
    for name, task in tasks.items():
        groups = by_tuner([result for result in results if result.problem == name])
        for tuner, group in groups.items():
            if tuner not in BASELINES:
                mine = [task.objective.cost(result.test_score) for result in group]
                costs.setdefault(tuner, []).extend(mine)
    blocks = min(map(len, costs.values()), default=0)
    if len(tasks) < 2 or len(costs) < 2 or blocks <= len(tasks):
        return None
    return rank_methods(costs, "min")


def _rank(groups: Mapping[str, Sequence[Result]], task: Task) -> Ranking | None:
    scores = {name: [result.test_score for result in group] for name, group in groups.items()}
    if len(scores) < 2 or min(map(len, scores.values())) < 2:
        return None
    return rank_methods(scores, task.objective.direction)


def score(values: Sequence[float]) -> Score:
    """Returns mean and bootstrap interval of values, one for each seed."""
    return Score(_mean(values), bootstrap(values))


def _mean(values: Sequence[float]) -> float:
    """Returns the mean of the values that are not NaN."""
    kept = [value for value in values if not math.isnan(value)]
    return statistics.fmean(kept) if kept else math.nan


def _gain(best: Sequence[Result], untuned: Sequence[Result], task: Task) -> Score:
    sign = 1 if task.objective.direction == "max" else -1
    return score([sign * (a.test_score - b.test_score) for a, b in zip(best, untuned)])


def _reached(group: Sequence[Result], task: Task, target: float) -> TargetReached:
    objective = task.objective
    epochs, seconds = [], []
    for result in group:
        good = [s for s in result.steps if not objective.better_than(target, s.value)]
        epochs.append(float(good[0].epochs) if good else math.inf)
        seconds.append(good[0].seconds if good else math.inf)
    count = sum(map(math.isfinite, epochs))
    # With an even number of seeds the lower middle one is reached by half of them.
    middle = statistics.median_high
    return TargetReached(count, len(group), middle(epochs), middle(seconds))


def _anytime(group: Sequence[Result], budget: int) -> list[float]:
    found = []
    for fraction in FRACTIONS:
        best = [
            [step.value for step in result.steps if step.epochs <= fraction * budget]
            for result in group
        ]
        found.append(statistics.fmean(b[-1] for b in best) if all(best) else math.nan)
    return found


MEASURES = (
    "trials", "epochs", "val_accuracy", "val_loss", "test_accuracy", "test_loss", "seconds",
)  # fmt: skip
SCORES = ("val_score", "test_score")


@dataclass(frozen=True, slots=True)
class Line:
    """One tuner on one problem over all seeds.

    Attributes:
        problem: the problem's name.
        tuner: the tuner's name.
        seeds: how many.
        measures: means with Student intervals, for ``summary.csv``.
        scores: the same means with bootstrap intervals, for people.
        confusion: the winners' confusion matrices, summed over seeds; empty for none.
    """

    problem: str
    tuner: str
    seeds: int
    measures: dict[str, Interval]
    scores: dict[str, Score]
    confusion: list[list[int]]


def measures_of(task: Task) -> list[str]:
    """Returns the measures in a problem's table: accuracy if that decides, else the score."""
    names = [*MEASURES, *(["recall"] if task.positive is not None else [])]
    if task.is_share:
        return names
    losses = ("val_loss", "test_loss") if task.metric == "loss" else ()
    return [name.replace("accuracy", "score") for name in names if name not in losses]


def summarise(results: Sequence[Result], positive: Mapping[str, int | None]) -> list[Line]:
    """Returns a line for each problem and tuner, in the order in which they came.

    Args:
        results: one for each problem, tuner and seed.
        positive: by problem, the class whose recall is measured.
    """
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.problem, result.tuner), []).append(result)
    return [
        _line(problem, tuner, group, positive[problem])
        for (problem, tuner), group in groups.items()
    ]


def _line(problem: str, tuner: str, group: list[Result], positive: int | None) -> Line:
    names = (*MEASURES, *SCORES)
    values = {name: [float(getattr(r, name)) for r in group] for name in names}
    values["recall"] = [r.recall(positive) for r in group]
    measures = {name: interval(each) for name, each in values.items()}
    scores = {name: score(each) for name, each in values.items()}
    tables = [result.confusion for result in group if result.confusion]
    total = [[sum(cells) for cells in zip(*rows)] for rows in zip(*tables)]
    return Line(problem, tuner, len(group), measures, scores, total)
