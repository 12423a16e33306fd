"""The comparison's tables and progress lines on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from rich import box
from rich.console import Console
from rich.table import Table

from kerashpo.compare.formatting import (
    bracketed,
    interval,
    loss_interval,
    metric_name,
    number,
    share,
    tuner_name,
)
from kerashpo.compare.model_table import model_blocks
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.statistics import Line, measures_of
from kerashpo.compare.tuners import TunerBudget
from kerashpo.i18n.texts import Texts
from kerashpo.problems.task import Task
from kerashpo.reporting import blocks
from kerashpo.reporting.blocks import Block, Heading

_COUNTS = {"trials": 0, "epochs": 0, "seconds": 1}
"""Measures without an interval, and their decimals."""


@final
@dataclass(frozen=True, slots=True)
class Screen:
    """Prints a comparison.

    Args:
        console: the console to print on.
        texts: the sentences of the output language.
    """

    console: Console
    texts: Texts

    def say(self, key: str, **values: object) -> None:
        """Prints a sentence."""
        self.console.print(self.texts(f"compare.{key}", **values))

    def table(self, lines: Sequence[Line], task: Task) -> None:
        """Prints one problem's table, a row for each tuner and baseline."""
        seeds = lines[0].seeds
        self.say("title", problem=task.titled(self.texts.language), seeds=seeds)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column(self.texts("compare.tuner"))
        measures = measures_of(task)
        for name in measures:
            table.add_column(column_name(self.texts, name, task), justify="right")
        for line in lines:
            cells = [_in_two_lines(cell(line, name, task, self.texts)) for name in measures]
            table.add_row(tuner_name(self.texts, line.tuner), *cells)
        self.console.print(table)
        self.say("interval" if seeds > 1 else "one_seed", seeds=seeds)

    def models(self, results: Sequence[Result], task: Task) -> None:
        """Prints the models that each search of a problem returns, as in the report."""
        self.blocks(model_blocks(results, task, self.texts))

    def blocks(self, shown: Iterable[Block]) -> None:
        """Prints headings and tables of a report; its paragraphs stay there."""
        for one in shown:
            match one:
                case Heading(text=text):
                    self.console.print(text)
                case blocks.Table(columns=columns, rows=rows):
                    table = Table(box=box.SIMPLE_HEAD)
                    for name, textual in zip(columns, one.textual, strict=True):
                        table.add_column(name, justify="left" if textual else "right")
                    for row in rows:
                        table.add_row(*row)
                    self.console.print(table)

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

    def plan(self, runs: Iterable[Run], allowances: Mapping[str, TunerBudget], fresh: bool) -> None:
        """Prints the planned runs without running them; with `fresh`, all of them."""
        self.say("plan")
        table = Table(box=box.SIMPLE_HEAD)
        for name in ("problem", "tuner", "seed", "trials", "epochs", "state"):
            number = name in ("seed", "trials", "epochs")
            table.add_column(self.texts(f"compare.{name}"), justify="right" if number else "left")
        for run in runs:
            spent = allowances[run.tuner]
            trials = "-" if spent.trials is None else str(spent.trials)
            state = self.texts(f"compare.{'waiting' if fresh else run.state}")
            name = tuner_name(self.texts, run.tuner)
            table.add_row(run.problem, name, str(run.seed), trials, str(spent.epochs), state)
        self.console.print(table)


@final
class ComparisonProgress:
    """Reports progress: which run begins, and which had been finished before.

    Args:
        screen: prints it.
        runs: all cells of the comparison.
        quiet: say nothing.
    """

    def __init__(self, screen: Screen, runs: Sequence[Run], quiet: bool) -> None:
        self._screen, self._quiet = screen, quiet
        self._numbers = {run.key: number for number, run in enumerate(runs, start=1)}
        self._several = len({run.problem for run in runs}) > 1

    def finished_before(self, runs: Iterable[Run]) -> None:
        """Prints the runs that are finished already."""
        for run in runs:
            self._say("done_before", run)

    def begins(self, run: Run) -> None:
        """Prints that a run begins."""
        self._say("running", run)

    def loading(self) -> None:
        """Prints that Keras is being imported."""
        if not self._quiet:
            self._screen.say("loading")

    def _say(self, key: str, run: Run) -> None:
        if self._quiet:
            return
        name = tuner_name(self._screen.texts, run.tuner)
        self._screen.say(
            key,
            number=self._numbers[run.key],
            total=len(self._numbers),
            tuner=f"{run.problem}, {name}" if self._several else name,
            seed=run.seed,
        )


def column_name(texts: Texts, measure: str, task: Task) -> str:
    """Returns how a measure is called in a table."""
    return texts(f"compare.{measure}", name=task.positive_name, metric=metric_name(texts, task))


def _in_two_lines(text: str) -> str:
    """Returns a cell with its interval in a line of its own, so that tables stay narrow."""
    return text.replace(" [", "\n[")


def cell(line: Line, measure: str, task: Task, texts: Texts) -> str:
    """Returns a mean with its bootstrap interval, counts and seconds without one."""
    score = line.scores[measure]
    if measure in _COUNTS:
        return number(score.mean, _COUNTS[measure], texts)
    if measure.endswith("loss"):
        return loss_interval(score, texts)
    if measure == "recall" or measure.endswith("accuracy"):
        return bracketed(score, lambda value: share(value, texts))
    return interval(score, task, texts)
