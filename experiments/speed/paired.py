"""Whether speed costs accuracy: the winners' test accuracy, ours and KerasTuner's, seed by seed.

    pip install "kerashpo[peers]"
    python experiments/speed/paired.py --seeds 10

Adds what is missing to ``results/paired.csv``, so it can be stopped and started again, then
prints the mean difference of each tuner with its 95 % interval over the seeds.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from lab import FIELDS, SIDES, search

from kerashpo.analysis.intervals import interval

PATH = Path(__file__).parent / "results" / "paired.csv"
Row = dict[str, str]


def read() -> list[Row]:
    """Returns what was run."""
    if not PATH.exists():
        return []
    with PATH.open(newline="") as file:
        return list(csv.DictReader(file))


def run(library: str, kind: str, seed: int) -> None:
    """Runs one search and adds its row."""
    row = search(library, kind, seed, 25)
    new = not PATH.exists()
    with PATH.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore")
        if new:
            writer.writeheader()
        writer.writerow(row)
    print({name: row[name] for name in FIELDS}, flush=True)


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
    options = parser.parse_args()
    done = {(row["library"], row["tuner"], row["seed"]) for row in read()}
    for seed in range(options.seeds):
        for kind in options.tuners:
            for library in options.libraries:
                if (library, kind, str(seed)) not in done:
                    run(library, kind, seed)
    for kind in options.tuners:
        points = interval(differences(read(), kind))
        print(f"{kind}: {points.mean:+.2f} ± {points.half:.2f} points over {points.n} seeds")


if __name__ == "__main__":
    main()
