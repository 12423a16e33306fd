"""How much too high the best score is, and what the expected score makes of it.

    python -m experiments.winners.luck --record --splits 100-101   # resumable
    python -m experiments.winners.luck [--figure PATH]

The first command searches with `BayesianOptimization` and evaluates *every* trial's model on the
test rows into ``results/trials.csv``; its splits are not those of the winners' table. The second
prints, for the best of 1 to 25 of these trials, how far the score shown and the expected score are
above the test score; and the same for the searches of ``results/winners.csv``, with the share of
test scores within the interval. The factor `LOOKS` was fixed on the sets of `DEVELOPMENT` alone.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.winners import cheap
from experiments.winners.data import CLASSIFICATIONS, REGRESSIONS, split
from experiments.winners.run import PATH as WINNERS
from experiments.winners.run import numbers, search
from experiments.winners.scores import predict, score_and_loss
from kerashpo.analysis.expected_score import expected_of
from kerashpo.analysis.fold_scores import averaged_share
from kerashpo.analysis.intervals import interval, student
from kerashpo.analysis.saturation import saturation_of

PATH = WINNERS.with_name("trials.csv")
FIELDS = "set split search trial validation test".split()
KINDS = ("bayesian", "hyperband")
DEVELOPMENT = ("australian", "bupa", "heart", "iris", "saheart", "tae", "vowel")
"""Every second set by name: on these the constants were fixed."""
SIZES = (1, 2, 4, 8, 16, 25)
DRAWS = 100
MOST = 200


def record(name: str, number: int, kind: str) -> Iterator[dict[str, object]]:
    """Yields a row for each trial of a search: its best validation score, and the test score."""
    parts = split(name, number)
    with cheap.cheaper(), tempfile.TemporaryDirectory() as folder:
        tuner = search(kind, parts, number, folder, False, keep="all")
        ranked = [trial for trial, _ in tuner.results.members(MOST)]
        found = predict(tuner.get_best_models(len(ranked)), parts.test[0])
        for trial, predicted in zip(ranked, found, strict=True):
            score, _ = score_and_loss(predicted, parts.test[1], parts.classes)
            shown = tuner.results.history.trials[trial].score
            values = (name, number, kind, trial, round(shown, 6), round(score, 6))
            yield dict(zip(FIELDS, values, strict=True))


def by_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Returns shown and expected minus test score in points, for the best of so many trials.

    Args:
        trials: of `record`, the best of each search first. Bayesian searches of fewer trials are
            drawn from them at random, `DRAWS` times; under Hyperband all trials count.
    """
    rng, lines = np.random.default_rng(0), []
    for (name, kind, _), cell in trials.groupby(["set", "search", "split"]):
        shown, test = cell.validation.to_numpy(), cell.test.to_numpy()
        for size in SIZES if kind == "bayesian" else (len(cell),):
            for _draw in range(DRAWS if size < len(cell) else 1):
                few = np.sort(rng.choice(len(cell), min(size, len(cell)), replace=False))
                expected = expected_of([*map(float, shown[few])], _rows(name)[1])
                over = (shown[few[0]] - test[few[0]], expected.value - test[few[0]])
                lines.append((name, kind, size, *(100 * one for one in over)))
    frame = pd.DataFrame(lines, columns=["set", "search", "trials", "shown", "expected"])
    sets = frame.groupby(["search", "trials", "set"])[["shown", "expected"]].mean()
    return sets.reset_index()


def contenders(trials: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Returns, by set and kind of search, how many trials come near the best one."""
    found: dict[tuple[str, str], list[int]] = {}
    for (name, kind, _), cell in trials.groupby(["set", "search", "split"]):
        near = saturation_of([*map(float, cell.validation)], _rows(name)[1]).close
        found.setdefault((name, kind), []).append(near)
    return {key: round(np.mean(values)) for key, values in found.items()}


def of_winners(rows: pd.DataFrame, near: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Returns shown, expected and test score for the winners and final rounds of the table.

    Args:
        rows: of the winners' table, which has only each search's best score.
        near: `contenders`, from the searches in which every trial was recorded.
    """
    kept = rows[(rows.labels == "true") & ~rows.set.isin(REGRESSIONS) & rows.shown.notna()]
    lines = []
    for row in kept.itertuples():
        train, validation, test = _rows(row.set)
        if row.model == "final":
            half = (row.high - row.low) / 2
            spread = half / (student(4) * math.sqrt(1 / 5 + 1 / 4))
            found = averaged_share(row.shown, spread, 5, (train + validation) / 5)
        elif row.model == "winner":
            found = expected_of([row.shown] * near[row.set, row.method.split("_")[-1]], validation)
        else:
            continue
        noise = math.sqrt(found.value * (1 - found.value) / test)
        error = math.hypot((found.high - found.low) / 3.92, noise)
        lines.append(
            {
                "method": row.method,
                "model": row.model,
                "set": row.set,
                "half": "development" if row.set in DEVELOPMENT else "check",
                "shown": 100 * (row.shown - row.score),
                "expected": 100 * (found.value - row.score),
                "inside": found.low <= row.score <= found.high,
                "inside, test noise": abs(found.value - row.score) <= 1.96 * error,
            }
        )
    return pd.DataFrame(lines)


def summary(found: pd.DataFrame, keys: list[str], values: list[str]) -> pd.DataFrame:
    """Returns means over sets with their intervals."""
    sets = found.groupby([*keys, "set"])[values].mean().reset_index()
    lines = []
    for key, group in sets.groupby(keys):
        means = {name: interval([*group[name]]) for name in values}
        told = {name: f"{one.mean:+.1f} ±{one.half:.1f}" for name, one in means.items()}
        lines.append({**dict(zip(keys, key)), "sets": len(group), **told})
    return pd.DataFrame(lines)


def draw(found: pd.DataFrame, path: Path) -> None:
    """Draws shown and expected minus test score against the number of trials."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    for name, label in (("shown", "score shown"), ("expected", "expected score")):
        mine = found[found.search == "bayesian"]
        means = [interval([*mine[mine.trials == size][name]]) for size in SIZES]
        axes.errorbar(
            SIZES, [one.mean for one in means], [one.half for one in means],
            marker="o", capsize=3, label=label,
        )  # fmt: skip
    axes.axhline(0, color="gray", linewidth=0.8)
    axes.set(
        xscale="log",
        xticks=SIZES,
        xticklabels=SIZES,
        xlabel="trials, of which the best was chosen",
        ylabel="minus test accuracy (points)",
    )
    axes.set_title("What the score of the best promises, against test rows", loc="left")
    axes.minorticks_off()
    axes.legend()
    figure.savefig(path, dpi=120)


@cache
def _rows(name: str) -> tuple[int, int, int]:
    parts = split(name, 0)
    return len(parts.train[1]), len(parts.validation[1]), len(parts.test[1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="search what is missing")
    parser.add_argument("--splits", type=numbers, default=numbers("100"))
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    if options.record:
        _record(options.splits)
        return
    trials = pd.read_csv(PATH)
    found = by_trials(trials)
    print("points above the test score, for the best of so many trials\n")
    print(summary(found, ["search", "trials"], ["shown", "expected"]).to_string(index=False))
    if options.figure:
        draw(found, options.figure)
    winners = of_winners(pd.read_csv(WINNERS, dtype={"labels": str}), contenders(trials))
    keys = ["model", "method", "half"]
    print("\nthe searches of winners.csv\n")
    table = summary(winners, keys, ["shown", "expected"])
    shares = winners.groupby(keys)[["inside", "inside, test noise"]].mean().round(2)
    print(table.merge(shares.reset_index()).to_string(index=False))


def _record(splits: list[int]) -> None:
    done = set()
    if PATH.exists():
        done = set(pd.read_csv(PATH)[["set", "split", "search"]].itertuples(index=False, name=None))
    for number in splits:
        for name, kind in product(CLASSIFICATIONS, KINDS):
            if (name, number, kind) not in done:
                rows = list(record(name, number, kind))
                with PATH.open("a", newline="") as file:
                    writer = csv.DictWriter(file, FIELDS)
                    if file.tell() == 0:
                        writer.writeheader()
                    writer.writerows(rows)
                print(name, number, kind, flush=True)


if __name__ == "__main__":
    main()
