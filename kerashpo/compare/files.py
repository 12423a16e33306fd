"""The CSV files of a comparison, written and read."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerashpo.analysis.tables import CURVE_COLUMNS, curve_rows
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.summary import MEASURES, Line
from kerashpo.problems.task import Task
from kerashpo.study.names import LOG_NAME
from kerashpo.study.study import open_study

RESULT_COLUMNS = (
    "problem", "tuner", "seed", "trials", "epochs", "val_accuracy", "val_loss",
    "test_accuracy", "test_loss", "seconds", "best_config",
)  # fmt: skip
SCORE_COLUMNS = ("problem", "tuner", "seed", "metric", "val_score", "test_score")
STEP_COLUMNS = ("problem", "tuner", "seed", "epochs", "trials", "seconds", "value")
CONFUSION_COLUMNS = ("problem", "tuner", "seed", "truth", "answer", "count")
_KEY = ("problem", "tuner", "seed")


def write_all(
    folder: Path,
    runs: Sequence[Run],
    results: Sequence[Result],
    lines: Sequence[Line],
    tasks: Mapping[str, Task],
) -> list[str]:
    """Writes every CSV file; returns their names.

    ``curves.csv`` is left out where no run's epochs are at hand: it is the only one that the
    others do not need.
    """
    rows: dict[str, tuple[Sequence[str], Iterable[Sequence[Any]]]] = {
        "results.csv": (RESULT_COLUMNS, map(_result_row, results)),
        "summary.csv": (_summary_columns(), map(_summary_row, lines)),
        "scores.csv": (SCORE_COLUMNS, (_score_row(r, tasks[r.problem]) for r in results)),
        "anytime.csv": (STEP_COLUMNS, (row for r in results for row in _step_rows(r))),
        "confusion.csv": (
            CONFUSION_COLUMNS,
            (row for r in results for row in _confusion_rows(r, tasks[r.problem].classes)),
        ),
    }
    curves = _all_curves(folder / "curves.csv", runs)
    if curves:
        rows["curves.csv"] = ((*_KEY, *CURVE_COLUMNS), curves)
    for name, (columns, body) in rows.items():
        write_rows(folder / name, columns, body)
    return list(rows)


def _result_row(result: Result) -> list[Any]:
    values = [getattr(result, column) for column in RESULT_COLUMNS[:-1]]
    return [*values, json.dumps(result.best_config)]


def _score_row(result: Result, task: Task) -> list[Any]:
    values = (result.val_score, result.test_score)
    return [result.problem, result.tuner, result.seed, task.metric, *values]


def _step_rows(result: Result) -> list[list[Any]]:
    key = [result.problem, result.tuner, result.seed]
    return [[*key, s.epochs, s.trials, s.seconds, s.value] for s in result.steps]


def _confusion_rows(result: Result, classes: Sequence[str]) -> list[list[Any]]:
    return [
        [result.problem, result.tuner, result.seed, classes[i], classes[j], count]
        for i, row in enumerate(result.confusion)
        for j, count in enumerate(row)
    ]


def _summary_columns() -> list[str]:
    ends = [f"{name}{end}" for name in (*MEASURES, "recall") for end in ("_mean", "_half")]
    return ["problem", "tuner", "seeds", *ends]


def _summary_row(line: Line) -> list[Any]:
    found = [line.measures[name] for name in (*MEASURES, "recall")]
    halves = [part for one in found for part in (one.mean, one.half)]
    return [line.problem, line.tuner, line.seeds, *halves]


def _all_curves(path: Path, runs: Sequence[Run]) -> list[Sequence[Any]]:
    """Returns every epoch of every trial; of runs that left no files, what was written before."""
    before: dict[tuple[str, ...], list[Sequence[Any]]] = {}
    for row in read_rows(path):
        before.setdefault(tuple(row[name] for name in _KEY), []).append(list(row.values()))
    found: list[Sequence[Any]] = []
    for run in runs:
        mine = _curves_of(run)
        key = tuple(map(str, run.key))
        found += before.get(key, []) if mine is None else [[*run.key, *row] for row in mine]
    return found


def _curves_of(run: Run) -> list[Sequence[Any]] | None:
    if (run.study / LOG_NAME).exists():
        return [row[:6] for row in curve_rows(open_study(run.study).history)]
    if run.curves.exists():
        return [list(row.values()) for row in read_rows(run.curves)]
    return None


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a CSV file, whole or not at all."""
    body = list(rows)
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(body)
    os.replace(temporary, path)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Returns the rows of a CSV file by column; none where there is no file."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
