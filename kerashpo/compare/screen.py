"""Tables on the screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import final

from rich import box
from rich.console import Console
from rich.table import Table

from kerashpo.analysis.intervals import Interval
from kerashpo.compare.runs import Run
from kerashpo.compare.statistics import Line, measures_of
from kerashpo.compare.tuners import BASELINES, TunerBudget
from kerashpo.i18n.texts import Texts
from kerashpo.problems.task import Task

DECIMALS = {"trials": 0, "epochs": 0, "seconds": 1}


@final
@dataclass(frozen=True, slots=True)
class Screen:
    """Prints a comparison.

    Args:
        console: where to.
        texts: in which language.
    """

    console: Console
    texts: Texts

    def say(self, key: str, **values: object) -> None:
        """Prints a sentence."""
        self.console.print(self.texts(f"compare.{key}", **values))

    def table(self, lines: Sequence[Line], task: Task) -> None:
        """Prints one problem's table, a row for each tuner and baseline."""
        seeds = lines[0].seeds
        self.say("title", problem=task.name, seeds=seeds)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column(self.texts("compare.tuner"))
        measures = measures_of(task)
        for name in measures:
            table.add_column(column_name(self.texts, name, task), justify="right")
        for line in lines:
            cells = [cell(line.measures[name], DECIMALS.get(name, 4)) for name in measures]
            table.add_row(tuner_name(self.texts, line.tuner), *cells)
        self.console.print(table)
        self.say("interval" if seeds > 1 else "one_seed", seeds=seeds)

    def confusion(self, line: Line, task: Task) -> None:
        """Prints the winner's confusion matrix, summed over seeds."""
        self.say("confusion", tuner=line.tuner, seeds=line.seeds)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("")
        for name in task.classes:
            table.add_column(name, justify="right")
        for name, row in zip(task.classes, line.confusion):
            table.add_row(name, *map(str, row))
        self.console.print(table)

    def plan(
        self,
        runs: Iterable[Run],
        allowances: Mapping[str, TunerBudget],
        done: Set[tuple[str, str, int]],
    ) -> None:
        """Prints what would run."""
        self.say("plan")
        table = Table(box=box.SIMPLE_HEAD)
        for name in ("problem", "tuner", "seed", "trials", "epochs", "state"):
            known = name in self.texts.sentences["compare"]
            table.add_column(self.texts(f"compare.{name}") if known else name)
        for run in runs:
            spent = allowances[run.tuner]
            trials = "-" if spent.trials is None else str(spent.trials)
            state = self.texts(f"compare.{'finished' if run.key in done else run.state}")
            name = tuner_name(self.texts, run.tuner)
            table.add_row(run.problem, name, str(run.seed), trials, str(spent.epochs), state)
        self.console.print(table)


def tuner_name(texts: Texts, tuner: str) -> str:
    """Returns how a tuner or baseline is called."""
    return texts(f"compare.{tuner}") if tuner in BASELINES else tuner


def column_name(texts: Texts, measure: str, task: Task) -> str:
    """Returns how a measure is called in a table."""
    metric = texts(f"metric.{task.metric}")
    return texts(f"compare.{measure}", name=task.positive_name, metric=metric)


def cell(value: Interval, decimals: int) -> str:
    """Returns a mean with half its interval, as far as they are known."""
    if math.isnan(value.mean):
        return "-"
    text = f"{value.mean:.{decimals}f}"
    if math.isnan(value.half) or (decimals == 0 and value.half == 0):
        return text
    return f"{text} ± {value.half:.{decimals}f}"
