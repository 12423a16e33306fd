"""Six domains, searched at a stated budget: the table of docs/domains.md.

    python -m experiments.domains                        # all six; resumable
    python -m experiments.domains sp500 --seeds 0 --tuners keras_tuner.hyperband default
    python -m experiments.domains --table                # prints scores.csv, runs nothing

Every search of a problem trains as many epochs in all. Studies are kept in build/domains, scores
in scores.csv, where rows of other tuners and seeds stay.
"""

from __future__ import annotations

import argparse
import csv
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kerashpo.compare.comparison_options import parse
from kerashpo.compare.outside import load_tasks
from kerashpo.compare.run_one import run_one
from kerashpo.compare.runs import plan_runs

SCORES = Path(__file__).with_name("scores.csv")
STUDIES = Path("build/domains")
TUNERS = ("hyperband", "bayesian", "recommended")
LAST = ("default", "rival", "majority", "mean")
FIELDS = ("problem", "budget", "tuner", "seed", "val_score", "test_score", "epochs", "seconds")
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Budget:
    """Epochs of a trial at most, of a whole search, and seeds."""

    max_epochs: int
    epochs: int
    seeds: tuple[int, ...] = (0, 1, 2)

    def __str__(self) -> str:
        return f"{self.max_epochs}/{self.epochs}"


BUDGETS = {
    "sp500": Budget(12, 72),
    "fashion": Budget(10, 60),
    "cartpole": Budget(20, 80),
    "reuters": Budget(6, 36),
    "movielens": Budget(15, 60),
    "multimodal": Budget(6, 24),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", nargs="*", default=[], metavar="PROBLEM")
    parser.add_argument("--tuners", nargs="+", default=[*TUNERS, *LAST])
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if not asked.table:
        for problem in asked.problems or BUDGETS:
            budget = BUDGETS[problem]
            run(problem, budget, asked.tuners, asked.seeds or budget.seeds)
    print(table(read()))


def run(problem: str, budget: Budget, tuners: Sequence[str], seeds: Sequence[int]) -> None:
    """Runs the cells that are missing, each of which adds its row to the scores."""
    words = f"--problem {problem} --max-epochs {budget.max_epochs} --epochs {budget.epochs}"
    # A model decides after two trials: budgets are of a few trainings.
    words += f" --initial-points 2 --out {STUDIES / problem} --quiet"
    searches = [name for name in tuners if name not in LAST] or ["random"]
    options = parse([*words.split(), "--tuners", *searches, "--seeds", *map(str, seeds)])
    for cell in plan_runs(options, load_tasks(options.problem)):
        if cell.tuner in tuners:
            result = cell.result or run_one(cell, options)
            if result is None:
                raise SystemExit("Stopped on your request. The same command resumes it.")
            write([{**asdict(result), "budget": str(budget)}])


def read() -> list[Row]:
    """Returns the rows of the scores."""
    if not SCORES.exists():
        return []
    with open(SCORES, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(new: Iterable[dict[str, object]]) -> None:
    """Adds rows to the scores; one of the same problem, tuner and seed replaces the earlier one."""
    rows = {key(row): row for row in read()}
    for body in new:
        row = {name: short(body[name]) for name in FIELDS}
        rows[key(row)] = row
    with open(SCORES, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows.values(), key=key))


def key(row: Row) -> tuple[str, str, int]:
    """Identifies a row."""
    return row["problem"], row["tuner"], int(row["seed"])


def short(value: object) -> str:
    """Returns a number with five digits, anything else as it is."""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def table(rows: Sequence[Row]) -> str:
    """Returns a Markdown table: means over seeds, their range in brackets."""
    lines = ["| problem | epochs | tuner | seeds | validation | test | seconds |", "|---" * 7 + "|"]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["problem"], row["tuner"]), []).append(row)
    order = {name: place for place, name in enumerate((*TUNERS, *LAST))}
    for problem, tuner in sorted(groups, key=lambda pair: (pair[0], order.get(pair[1], 3.5))):
        group = groups[problem, tuner]
        cells = [over_seeds(group, name) for name in ("val_score", "test_score")]
        seconds = statistics.fmean(float(row["seconds"]) for row in group)
        budget = "-" if tuner in LAST[1:] else group[0]["budget"]
        start = f"| {problem} | {budget} | {tuner} | {len(group)} "
        lines.append(f"{start}| {cells[0]} | {cells[1]} | {seconds:.0f} |")
    return "\n".join(lines)


def over_seeds(group: Sequence[Row], name: str) -> str:
    """Returns the mean of a score, and its range where there are several seeds."""
    values = [float(row[name]) for row in group]
    mean = f"{statistics.fmean(values):.4g}"
    return mean if len(values) < 2 else f"{mean} [{min(values):.4g}; {max(values):.4g}]"


if __name__ == "__main__":
    main()
