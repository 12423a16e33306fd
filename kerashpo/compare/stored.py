"""Results read back from CSV files, so that nothing need be trained again for a report."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from kerashpo.analysis.anytime import Step
from kerashpo.compare.files import read_rows
from kerashpo.compare.runs import Result, Run
from kerashpo.problems.task import Task

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
