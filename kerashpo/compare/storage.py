"""The folder of a comparison: results of finished runs are read from it, CSV files written to it.

The truth is the ``result.json`` of each run, and the log of its study. CSV files are output for
people and spreadsheets; nothing is read back from them.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any, final

from kerashpo.analysis.tables import CURVE_COLUMNS, curve_rows
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.provenance import Provenance, Session
from kerashpo.compare.runs import Key, Result, Run
from kerashpo.compare.statistics import MEASURES, Line
from kerashpo.compare.tuners import UNTRAINED
from kerashpo.core.errors import InvalidInput
from kerashpo.problems.task import Task
from kerashpo.space.choice_labels import plain_value
from kerashpo.store.open import folder_of, has_log
from kerashpo.study.study import open_study

RESULT_COLUMNS = (
    "problem", "tuner", "seed", "trials", "epochs", "val_accuracy", "val_loss",
    "test_accuracy", "test_loss", "seconds", "best_config",
)  # fmt: skip
SCORE_COLUMNS = ("problem", "tuner", "seed", "metric", "val_score", "test_score")
STEP_COLUMNS = ("problem", "tuner", "seed", "epochs", "trials", "seconds", "value")
MODEL_COLUMNS = (
    "problem", "tuner", "seed", "model", "members", "parameters", "epochs", "shown",
    "test_score", "test_loss", "expected", "milliseconds",
)  # fmt: skip
FRONT_COLUMNS = (
    "problem", "tuner", "seed", "trial", "knee", "objective", "validation", "test", "config",
)  # fmt: skip
CONFUSION_COLUMNS = ("problem", "tuner", "seed", "truth", "answer", "count")
_KEY = ("problem", "tuner", "seed")


@final
class Folder:
    """The folder of a comparison: runs, CSV files, figures and report.

    Args:
        options: the comparison.
        runs: its cells.
    """

    def __init__(self, options: ComparisonOptions, runs: Sequence[Run]) -> None:
        self._options, self._runs = options, runs
        self.path = folder_of(options.out)

    def prepare(self) -> None:
        """Makes the folder, and deletes earlier runs if asked to, before anything is trained.

        Raises:
            InvalidInput: if it cannot be written to.
        """
        try:
            for run in self._runs:
                if self._options.fresh and run.folder.exists():
                    shutil.rmtree(run.folder)
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InvalidInput(
                f"Cannot write to {self._options.out!r}: {error.strerror}. Choose another folder "
                "with --out."
            ) from error

    def finished(self) -> dict[Key, Result]:
        """Returns the results of the runs that are finished."""
        return {run.key: result for run in self._runs if (result := run.result) is not None}

    def add_session(self, session: Session) -> None:
        """Adds a session to the provenance, also where the user interrupted it."""
        before = Provenance() if self._options.fresh else Provenance.read(self.path)
        before.with_session(session).write(self.path)


def write_all(
    folder: Path,
    runs: Sequence[Run],
    results: Sequence[Result],
    lines: Sequence[Line],
    tasks: Mapping[str, Task],
    measured: Sequence[Result],
) -> list[str]:
    """Writes every CSV file; returns their names.

    Where a problem has several objectives, scores are hypervolumes (``scores.csv``,
    ``anytime.csv``), ``results.csv`` describes the knee, and ``fronts.csv`` has every model.

    ``curves.csv`` is written where the epochs of every search are at hand, and otherwise left
    as it is: a study's folder may have been deleted to save space.

    Args:
        folder: where to write.
        runs: the cells.
        results: their results; scores may be hypervolumes.
        lines: their means.
        tasks: the problems by name, whose objectives are those of the scores.
        measured: the results as they were measured.
    """
    rows: dict[str, tuple[Sequence[str], Iterable[Sequence[Any]]]] = {
        "results.csv": (RESULT_COLUMNS, map(_result_row, measured)),
        "summary.csv": (_summary_columns(), map(_summary_row, lines)),
        "scores.csv": (SCORE_COLUMNS, (_score_row(r, tasks[r.problem]) for r in results)),
        "models.csv": (MODEL_COLUMNS, (row for r in results for row in _model_rows(r))),
        "anytime.csv": (STEP_COLUMNS, (row for r in results for row in _step_rows(r))),
        "confusion.csv": (
            CONFUSION_COLUMNS,
            (row for r in results for row in _confusion_rows(r, tasks[r.problem].classes)),
        ),
    }
    if any(result.front for result in measured):
        points = (row for result in measured for row in _front_rows(result))
        rows["fronts.csv"] = (FRONT_COLUMNS, points)
    curves = {run.key: _curves_of(run) for run in runs if run.tuner not in UNTRAINED}
    if all(mine is not None for mine in curves.values()):
        epochs = ([*key, *row] for key, mine in curves.items() for row in mine or ())
        rows["curves.csv"] = ((*_KEY, *CURVE_COLUMNS), epochs)
    for name, (columns, body) in rows.items():
        write_rows(folder / name, columns, body)
    return list(rows)


def _result_row(result: Result) -> list[Any]:
    values = [getattr(result, column) for column in RESULT_COLUMNS[:-1]]
    return [*values, json.dumps(result.best_config, default=plain_value)]


def _score_row(result: Result, task: Task) -> list[Any]:
    values = (result.val_score, result.test_score)
    return [result.problem, result.tuner, result.seed, task.metric, *values]


def _model_rows(result: Result) -> list[list[Any]]:
    key = [result.problem, result.tuner, result.seed]
    return [[*key, *astuple(model)] for model in result.models]


def _front_rows(result: Result) -> list[list[Any]]:
    key = [result.problem, result.tuner, result.seed]
    return [
        [
            *(*key, point.trial, place == 0, name, value, point.test[name]),
            json.dumps(point.config, default=plain_value),
        ]
        for place, point in enumerate(result.front)
        for name, value in point.validation.items()
    ]


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


def _curves_of(run: Run) -> list[Sequence[Any]] | None:
    """Returns every epoch of a run, None where they are not at hand."""
    if has_log(run.study):
        return [row[:6] for row in curve_rows(open_study(run.study).history)]
    if run.curves.exists():
        return list(json.loads(run.curves.read_text("utf-8")))
    return None


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a CSV file atomically."""
    body = list(rows)
    temporary = path.with_suffix(".tmp")
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(body)
    os.replace(temporary, path)
