"""Tables on the screen, CSV files, the figure."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from rich import box
from rich.console import Console
from rich.table import Table

from kerashpo.analysis.anytime import Trace, trace
from kerashpo.analysis.statistics import Interval
from kerashpo.analysis.tables import CURVE_COLUMNS, curve_rows
from kerashpo.compare.options import BASELINES
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.summary import MEASURES, Line
from kerashpo.problems.task import Task
from kerashpo.reporting.language import Texts
from kerashpo.study.opening import LOG_NAME
from kerashpo.study.study import open_study

RESULT_COLUMNS = (
    "problem", "tuner", "seed", "trials", "epochs", "val_accuracy", "val_loss",
    "test_accuracy", "test_loss", "seconds", "best_config",
)  # fmt: skip
_DECIMALS = {"trials": 0, "epochs": 0, "seconds": 1}


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

    def table(self, lines: Sequence[Line], task: Task) -> None:
        """Prints one problem's table, a row for each tuner and baseline."""
        seeds = lines[0].seeds
        title = self.texts("compare.title", problem=task.name, seeds=seeds)
        self.console.print(title)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column(self.texts("compare.tuner"))
        measures = [*MEASURES, *(["recall"] if task.positive is not None else [])]
        for name in measures:
            label = self.texts(f"compare.{name}", name=task.positive_name)
            table.add_column(label, justify="right")
        for line in lines:
            cells = [_cell(line.measures[name], _DECIMALS.get(name, 4)) for name in measures]
            table.add_row(self.name(line.tuner), *cells)
        self.console.print(table)
        key = "compare.interval" if seeds > 1 else "compare.one_seed"
        self.console.print(self.texts(key, seeds=seeds))

    def confusion(self, line: Line, task: Task) -> None:
        """Prints the winner's confusion matrix, summed over seeds."""
        title = self.texts("compare.confusion", tuner=line.tuner, seeds=line.seeds)
        self.console.print(title)
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("")
        for name in task.classes:
            table.add_column(name, justify="right")
        for name, row in zip(task.classes, line.confusion):
            table.add_row(name, *map(str, row))
        self.console.print(table)

    def plan(self, runs: Iterable[Run], budgets: dict[str, tuple[str, str]]) -> None:
        """Prints what would run."""
        self.console.print(self.texts("compare.plan"))
        table = Table(box=box.SIMPLE_HEAD)
        for name in ("problem", "tuner", "seed", "trials", "epochs", "state"):
            known = name in self.texts.sentences["compare"]
            table.add_column(self.texts(f"compare.{name}") if known else name)
        for run in runs:
            trials, epochs = budgets[run.tuner]
            state = self.texts(f"compare.{run.state}")
            table.add_row(run.problem, self.name(run.tuner), str(run.seed), trials, epochs, state)
        self.console.print(table)

    def name(self, tuner: str) -> str:
        """Returns how a tuner or baseline is called."""
        return self.texts(f"compare.{tuner}") if tuner in BASELINES else tuner


def _cell(value: Interval, decimals: int) -> str:
    if math.isnan(value.mean):
        return "-"
    text = f"{value.mean:.{decimals}f}"
    if math.isnan(value.half) or (decimals == 0 and value.half == 0):
        return text
    return f"{text} ± {value.half:.{decimals}f}"


def write_results(folder: Path, results: Sequence[Result]) -> None:
    """Writes ``results.csv``: a row for each problem, tuner and seed."""
    rows = (
        [getattr(r, c) for c in RESULT_COLUMNS[:-1]] + [json.dumps(r.best_config)] for r in results
    )
    _write(folder / "results.csv", RESULT_COLUMNS, rows)


def write_summary(folder: Path, lines: Sequence[Line]) -> None:
    """Writes ``summary.csv``: for each measure its mean and half its interval over seeds."""
    measures = [*MEASURES, "recall"]
    columns = ["problem", "tuner", "seeds"]
    columns += [f"{name}{end}" for name in measures for end in ("_mean", "_half")]
    rows = (
        [line.problem, line.tuner, line.seeds]
        + [part for m in measures for part in (line.measures[m].mean, line.measures[m].half)]
        for line in lines
    )
    _write(folder / "summary.csv", columns, rows)


def write_winners(folder: Path, results: Sequence[Result], tasks: dict[str, Task]) -> None:
    """Writes ``confusion.csv``: for each winner how often which class was answered."""
    rows = (
        [r.problem, r.tuner, r.seed, classes[i], classes[j], count]
        for r in results
        for classes in (tasks[r.problem].classes,)
        for i, row in enumerate(r.confusion)
        for j, count in enumerate(row)
    )
    columns = ["problem", "tuner", "seed", "truth", "answer", "count"]
    _write(folder / "confusion.csv", columns, rows)


def write_curves(folder: Path, runs: Sequence[Run]) -> None:
    """Writes ``curves.csv``: every epoch of every trial."""
    rows = (
        [run.problem, run.tuner, run.seed, *row[:6]]
        for run in _with_studies(runs)
        for row in curve_rows(open_study(run.folder / run.project).history)
    )
    _write(folder / "curves.csv", ("problem", "tuner", "seed", *CURVE_COLUMNS), rows)


def write_figure(folder: Path, runs: Sequence[Run], texts: Texts) -> list[str]:
    """Draws the best validation accuracy against time, a file for each problem."""
    from matplotlib.figure import Figure

    from kerashpo.plots.anytime import draw_anytime

    names = []
    for problem in dict.fromkeys(run.problem for run in runs):
        series: dict[str, list[Trace]] = {}
        for run in _with_studies(runs):
            if run.problem == problem and run.tuner not in BASELINES:
                history = open_study(run.folder / run.project).history
                series.setdefault(run.tuner, []).append(trace(history, "seconds"))
        figure = Figure(figsize=(6.4, 4.0), layout="constrained", dpi=150)
        labels = texts("compare.figure_x"), texts("compare.figure_y")
        draw_anytime(series, *labels, figure.add_subplot()).set_title(problem, loc="left")
        names.append(f"anytime_{problem}.png")
        figure.savefig(folder / names[-1])
    return names


def _with_studies(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if (run.folder / run.project / LOG_NAME).exists()]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
