"""Means and intervals over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kerashpo.analysis.statistics import Interval, interval
from kerashpo.compare.runs import Result
from kerashpo.problems.task import Task

MEASURES = (
    "trials", "epochs", "val_accuracy", "val_loss", "test_accuracy", "test_loss", "seconds",
)  # fmt: skip
SCORES = ("val_score", "test_score")


@dataclass(frozen=True, slots=True)
class Line:
    """One tuner on one problem over all seeds."""

    problem: str
    tuner: str
    seeds: int
    measures: dict[str, Interval]
    confusion: list[list[int]]


def measures_of(task: Task) -> list[str]:
    """Returns what a table of the problem shows: accuracy for classes, else the score."""
    if not task.classes:
        return [name.replace("accuracy", "score") for name in MEASURES]
    return [*MEASURES, *(["recall"] if task.positive is not None else [])]


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
    measures = {name: interval([float(getattr(r, name)) for r in group]) for name in names}
    measures["recall"] = interval([r.recall(positive) for r in group])
    tables = [result.confusion for result in group if result.confusion]
    total = [[sum(cells) for cells in zip(*rows)] for rows in zip(*tables)]
    return Line(problem, tuner, len(group), measures, total)
