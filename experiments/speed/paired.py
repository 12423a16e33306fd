"""Whether speed costs accuracy: the winners' test accuracy, ours and KerasTuner's, seed by seed.

    pip install "kerashpo[peers]"
    python experiments/speed/paired.py --seeds 10

Adds what is missing to ``results/paired.csv``, so it can be stopped and started again, then
prints times and ratios, and the mean difference in accuracy of each tuner with its 95 %
interval over the seeds. ``--out FILE`` measures anew, into another table.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from lab import FIELDS, SIDES, search, table

from kerashpo.analysis.intervals import interval

PATH = Path(__file__).parent / "results" / "paired.csv"
Row = dict[str, str]


def read(path: Path = PATH) -> list[Row]:
    """Returns what was run."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run(library: str, kind: str, seed: int, path: Path) -> None:
    """Runs one search and adds its row."""
    row = search(library, kind, seed, 25)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore")
        if new:
            writer.writeheader()
        writer.writerow(row)
    print({name: row[name] for name in FIELDS}, flush=True)


def _numbers(row: Row) -> dict[str, Any]:
    words = ("library", "tuner", "backend")
    return {name: text if name in words else float(text) for name, text in row.items()}


def differences(rows: list[Row], kind: str) -> list[float]:
    """Returns ours minus KerasTuner's test accuracy in points, one for each seed of both."""
    found = {
        (row["library"], row["seed"]): float(row["test_accuracy"])
        for row in rows
        if row["tuner"] == kind
    }
    seeds = {seed for library, seed in found if (SIDES[0], seed) in found}
    both = sorted(seed for seed in seeds if (SIDES[1], seed) in found)
    return [100 * (found[SIDES[0], seed] - found[SIDES[1], seed]) for seed in both]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--libraries", nargs="+", default=SIDES, choices=SIDES)
    parser.add_argument("--tuners", nargs="+", default=["bayesian", "hyperband"])
    parser.add_argument("--out", type=Path, default=PATH, metavar="FILE")
    options = parser.parse_args()
    done = {(row["library"], row["tuner"], row["seed"]) for row in read(options.out)}
    for seed in range(options.seeds):
        for kind in options.tuners:
            for library in options.libraries:
                if (library, kind, str(seed)) not in done:
                    run(library, kind, seed, options.out)
    rows = read(options.out)
    print(table([_numbers(row) for row in rows]))
    for kind in options.tuners:
        points = interval(differences(rows, kind))
        print(f"{kind}: {points.mean:+.2f} ± {points.half:.2f} points over {points.n} seeds")


if __name__ == "__main__":
    main()
