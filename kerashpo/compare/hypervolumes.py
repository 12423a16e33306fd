"""Problems with several objectives: the hypervolume of each search's front in place of a score.

The hypervolume of a front is one number for each search, on one scale for all of a problem's
searches, so that means, intervals, ranks and tests are those of a problem with one objective.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from kerashpo.analysis.anytime import Step
from kerashpo.analysis.fronts import FrontPoint, Numbers, Scale, rows, signs
from kerashpo.compare.runs import Result
from kerashpo.core.pareto import non_dominated
from kerashpo.core.records import Objective
from kerashpo.problems.task import Task

HYPERVOLUME = Objective("val_hypervolume", "max")


def front_point(
    task: Task,
    trial: int,
    config: Mapping[str, object],
    validation: Mapping[str, float],
    test: Mapping[str, float],
) -> FrontPoint:
    """Returns a model of a front with the values of the task's objectives.

    Args:
        task: with several objectives.
        trial: the model's trial.
        config: its values.
        validation: every metric of its best epoch.
        test: its metrics on the test set, by the names without ``val_``.
    """
    known = {one.name: float(validation[one.name]) for one in task.objectives}
    measured = {f"val_{name}": float(value) for name, value in test.items()}
    tested = {name: measured.get(name, value) for name, value in known.items()}
    return FrontPoint(trial, dict(config), known, tested)


@final
@dataclass(frozen=True, slots=True)
class Fronts:
    """The fronts of a problem's searches.

    Attributes:
        task: the problem, with its own objectives.
        scale: the box of which hypervolumes are shares.
        results: the results of its searches, whose `front` holds the points.
    """

    task: Task
    scale: Scale
    results: tuple[Result, ...]

    def tested(self, result: Result) -> Numbers:
        """Returns the test values (n, m) of a search's front."""
        return rows([point.test for point in result.front], self.task.objectives)


def by_hypervolume(
    results: Sequence[Result], tasks: Mapping[str, Task]
) -> tuple[list[Result], dict[str, Task], dict[str, Fronts]]:
    """Replaces scores by hypervolumes where a problem has several objectives.

    Args:
        results: the results of a comparison.
        tasks: its problems by name.

    Returns:
        the results, the problems, and the fronts of those that have them, by name. Others are
        as they came.
    """
    found = {
        name: _fronts(task, [result for result in results if result.problem == name])
        for name, task in tasks.items()
        if task.further
    }
    shown = {
        name: task.with_objectives(HYPERVOLUME) if name in found else task
        for name, task in tasks.items()
    }
    scored = [
        _scored(result, found[result.problem]) if result.problem in found else result
        for result in results
    ]
    return scored, shown, found


def _fronts(task: Task, results: Sequence[Result]) -> Fronts:
    points = [point for result in results for point in result.front]
    values = rows([*(p.validation for p in points), *(p.test for p in points)], task.objectives)
    return Fronts(task, Scale.around(task.objectives, values), tuple(results))


def _scored(result: Result, fronts: Fronts) -> Result:
    validation = rows([point.validation for point in result.front], fronts.task.objectives)
    return dataclasses.replace(
        result,
        val_score=fronts.scale.share(validation),
        test_score=fronts.scale.share(fronts.tested(result)),
        steps=tuple(_steps(result, fronts.scale)),
    )


def _steps(result: Result, scale: Scale) -> list[Step]:
    """Returns the hypervolume of what a search had found after each change of a trial's values."""
    turn = signs(scale.objectives)
    known: dict[int, tuple[float, ...]] = {}
    found: list[Step] = []
    for step in result.front_steps:
        known[step.trial] = step.values
        table = np.array(list(known.values()), dtype=float)
        share = scale.share(table[non_dominated(table * turn)])
        if not found or share != found[-1].value:
            found.append(Step(step.epochs, step.trials, step.seconds, share))
    return found
