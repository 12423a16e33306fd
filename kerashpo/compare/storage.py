"""The CSV files of a comparison, written and read."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerashpo.analysis.anytime import Step
from kerashpo.analysis.tables import CURVE_COLUMNS, curve_rows
from kerashpo.compare.arguments import ComparisonOptions
from kerashpo.compare.provenance import Provenance, Session, merged
from kerashpo.compare.runs import Result, Run
from kerashpo.compare.statistics import MEASURES, Line
from kerashpo.core.errors import InvalidInput
from kerashpo.problems.task import Task
from kerashpo.store.blobs import LOG_NAME
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


Key = tuple[str, str, int]
Row = Mapping[str, str]


def stored_results(
    folder: Path, runs: Sequence[Run], budgets: Mapping[str, str], tasks: Mapping[str, Task]
) -> dict[Key, Result]:
    """Returns the results that a folder's CSV files hold for the given runs.

    A row counts where it was measured under the same budget and every file has its part of
    it; a file that somebody damaged counts as none.

    Args:
        folder: where the files are.
        runs: what is asked for.
        budgets: by tuner, the budget under which the files were written.
        tasks: by name, for their classes.
    """
    wanted = {run.key for run in runs if budgets.get(run.tuner) == run.budget}
    try:
        return _read(folder, wanted, tasks)
    except (KeyError, ValueError, TypeError):
        return {}


def _read(folder: Path, wanted: set[Key], tasks: Mapping[str, Task]) -> dict[Key, Result]:
    scores = {_key(row): row for row in read_rows(folder / "scores.csv")}
    improvements = _grouped(read_rows(folder / "anytime.csv"))
    counts = _grouped(read_rows(folder / "confusion.csv"))
    found: dict[Key, Result] = {}
    for row in read_rows(folder / "results.csv"):
        key = _key(row)
        if key in wanted and key in scores and (key in improvements or int(row["epochs"]) == 0):
            classes = tasks[key[0]].classes
            table = _confusion(counts[key], classes)
            found[key] = _result(row, scores[key], improvements[key], table)
    return found


def _key(row: Row) -> Key:
    return row["problem"], row["tuner"], int(row["seed"])


def _grouped(rows: Sequence[Row]) -> defaultdict[Key, list[Row]]:
    groups: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_key(row)].append(row)
    return groups


def _confusion(rows: Sequence[Row], classes: Sequence[str]) -> list[list[int]]:
    cells = {(row["truth"], row["answer"]): int(row["count"]) for row in rows}
    return [[cells[truth, answer] for answer in classes] for truth in classes]


def _result(row: Row, score: Row, steps: Sequence[Row], table: list[list[int]]) -> Result:
    return Result(
        *_key(row),
        trials=int(row["trials"]),
        epochs=int(row["epochs"]),
        val_accuracy=float(row["val_accuracy"]),
        val_loss=float(row["val_loss"]),
        test_accuracy=float(row["test_accuracy"]),
        test_loss=float(row["test_loss"]),
        seconds=float(row["seconds"]),
        best_config=json.loads(row["best_config"]),
        val_score=float(score["val_score"]),
        test_score=float(score["test_score"]),
        confusion=table,
        steps=tuple(
            Step(int(s["epochs"]), int(s["trials"]), float(s["seconds"]), float(s["value"]))
            for s in steps
        ),
    )


class Folder:
    """Where a comparison's runs, CSV files, figures and report are.

    Args:
        options: the comparison.
        runs: its cells.
        tasks: its problems by name.
    """

    def __init__(
        self, options: ComparisonOptions, runs: Sequence[Run], tasks: Mapping[str, Task]
    ) -> None:
        self._options, self._runs, self._tasks = options, runs, tasks
        self.path = Path(options.out)

    def prepare(self) -> None:
        """Makes the folder, and forgets old runs if asked to, before anything is trained.

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

    def known(self) -> dict[Key, Result]:
        """Returns the results that need no run: those kept below ``runs``, or in CSV files."""
        found = {}
        if not self._options.fresh:
            budgets = Provenance.read(self.path).budgets
            found = stored_results(self.path, self._runs, budgets, self._tasks)
        return found | {run.key: result for run in self._runs if (result := run.result)}

    def keep_session(self, session: Session | None) -> None:
        """Writes down what ran, also where the user interrupted and no CSV file changed."""
        before = Provenance() if self._options.fresh else Provenance.read(self.path)
        merged(before, before.budgets, session).write(self.path)

    def keep_budgets(self) -> Provenance:
        """Writes down what the CSV files hold from now on; returns the whole provenance."""
        budgets = {run.tuner: run.budget for run in self._runs}
        provenance = merged(Provenance.read(self.path), budgets, None)
        provenance.write(self.path)
        return provenance
