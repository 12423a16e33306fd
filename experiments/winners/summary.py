"""Prints the winners' tables from ``results/winners.csv``.

    python -m experiments.winners.summary [--sets]

All of them are about data sets: a set counts once, with the mean of its splits.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from experiments.winners.data import REGRESSIONS
from experiments.winners.run import PATH
from kerashpo.analysis.intervals import interval
from kerashpo.analysis.ranking import holm, signed_rank

TEST_SHARE = 0.2
LEAST_LOSS = 1e-3
REFERENCES = (
    ("keras_tuner_bayesian", "winner"),
    ("keras_tuner_hyperband", "winner"),
    ("untuned", "untuned"),
    ("untuned", "untuned_5"),
)


def corrected(differences: np.ndarray) -> float:
    """Returns half the 95 % interval of a mean over overlapping splits of one set.

    Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52 (2003): the
    variance is multiplied by 1/J + test rows / training rows instead of 1/J.

    Args:
        differences: one for each of J splits; NaN is returned for fewer than two.
    """
    n = len(differences)
    if n < 2:
        return math.nan
    factor = 1 / n + TEST_SHARE / (1 - TEST_SHARE)
    return float(stdtrit(n - 1, 0.975) * differences.std(ddof=1) * math.sqrt(factor))


def by_set(rows: pd.DataFrame, reference: tuple[str, str]) -> pd.DataFrame:
    """Returns every model minus a reference, a row for each model and data set.

    Columns: splits, points (of accuracy, or of R2 in per cent), points_half (its corrected
    interval), ratio (logarithm of the losses' ratio) and ratio_half.
    """
    base = rows[(rows.method == reference[0]) & (rows.model == reference[1])]
    other = rows[(rows.method != reference[0]) | (rows.model != reference[1])]
    pairs = other.merge(base, on=["set", "split"], suffixes=("", "_base"))
    pairs["gain"] = 100 * (pairs.score - pairs.score_base)
    # Nothing is right with certainty: a loss of 0 (rounded) would outweigh all other sets.
    losses = pairs[["loss", "loss_base"]].clip(lower=LEAST_LOSS)
    pairs["log"] = np.log(losses.loss / losses.loss_base)
    groups = pairs.groupby(["method", "model", "set"])
    return pd.DataFrame(
        {
            "splits": groups.size(),
            "points": groups.gain.mean(),
            "points_half": groups.gain.apply(lambda v: corrected(v.to_numpy())),
            "ratio": groups.log.mean(),
            "ratio_half": groups.log.apply(lambda v: corrected(v.to_numpy())),
        }
    ).reset_index()


def against(rows: pd.DataFrame, reference: tuple[str, str]) -> pd.DataFrame:
    """Returns one line for each model: its gain over the reference, over all data sets.

    Accuracies are those of the classification sets alone; losses of all.
    """
    lines = []
    for (method, model), sets in by_set(rows, reference).groupby(["method", "model"]):
        shares = sets[~sets.set.isin(REGRESSIONS)]
        points, ratio = interval([*shares.points]), interval([*sets.ratio])
        worst, worst_loss = shares.points.idxmin(), sets.ratio.idxmax()
        lines.append(
            {
                "method": method,
                "model": model,
                "sets": len(sets),
                "splits": int(sets.splits.sum()),
                "points": f"{points.mean:+.2f} ±{points.half:.2f}",
                "better": f"{(shares.points > 0).sum()}/{len(shares)}",
                "worse": f"{(shares.points < 0).sum()}/{len(shares)}",
                "worst": f"{shares.points[worst]:+.1f} {shares.set[worst]}",
                "loss %": f"{_percent(ratio.mean):+.0f} [{_percent(ratio.low):+.0f};"
                f" {_percent(ratio.high):+.0f}]",
                "lower": f"{(sets.ratio < 0).sum()}/{len(sets)}",
                "worst loss %": f"{_percent(sets.ratio[worst_loss]):+.0f} {sets.set[worst_loss]}",
                "p": signed_rank([*shares.points], [0.0] * len(shares)),
                "p loss": signed_rank([*sets.ratio], [0.0] * len(sets)),
            }
        )
    frame = pd.DataFrame(lines)
    for column in ("p", "p loss"):
        corrected_ps = holm([*frame[column]])
        frame[column] = [f"{p:.4f}" for p in frame[column]]
        frame[f"{column}, Holm"] = [f"{p:.3f}" for p in corrected_ps]
    return frame


def optimism(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the score shown minus the test score in points, over the classification sets."""
    shown = rows[rows.shown.notna() & ~rows.set.isin(REGRESSIONS)].copy()
    shown["over"] = 100 * (shown.shown - shown.score)
    means = shown.groupby(["method", "model", "set"]).over.mean().reset_index()
    lines = []
    for (method, model), sets in means.groupby(["method", "model"]):
        mean = interval([*sets.over])
        mine = shown[(shown.method == method) & (shown.model == model) & shown.low.notna()]
        inside = (mine.low <= mine.score) & (mine.score <= mine.high)
        lines.append(
            {
                "method": method,
                "model": model,
                "sets": len(sets),
                "shown minus test": f"{mean.mean:+.2f} ±{mean.half:.2f}",
                "interval holds": f"{inside.sum()}/{len(mine)}" if len(mine) else "",
            }
        )
    return pd.DataFrame(lines)


def means(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns accuracy and log loss of every model, means over the sets that all have."""
    shares = rows[~rows.set.isin(REGRESSIONS)]
    models = shares.groupby(["method", "model"]).ngroups
    has = shares.groupby(["set", "split"]).apply(
        lambda cell: cell.groupby(["method", "model"]).ngroups == models, include_groups=False
    )
    whole = has[has].index
    kept = shares[[pair in whole for pair in zip(shares.set, shares.split)]]
    columns = ["score", "loss", "members", "parameters"]
    table = kept.groupby(["method", "model", "set"])[columns].mean()
    found = table.groupby(["method", "model"]).mean()
    found["score"] *= 100
    return found.round({"score": 2, "loss": 3, "members": 1, "parameters": 0})


def _percent(log_ratio: float) -> float:
    return 100 * (math.exp(log_ratio) - 1)


def _show(title: str, frame: pd.DataFrame, index: bool = False) -> None:
    print(f"\n{title}\n\n{frame.to_string(index=index)}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", action="store_true", help="print every data set, too")
    options = parser.parse_args()
    everything = pd.read_csv(PATH, dtype={"labels": str})
    rows = everything[everything.labels == "true"]
    cells = rows.groupby("method")[["set", "split"]].apply(lambda one: len(one.drop_duplicates()))
    print("cells (a data set and a split):", cells.to_dict())
    for reference in REFERENCES:
        if not (rows.method == reference[0]).any():
            continue
        title = f"minus the {reference[1]} model of {reference[0]}, same sets and splits"
        _show(title, against(rows, reference))
        if options.sets:
            _show(f"{title}, by set", by_set(rows, reference).round(2))
    _show("score shown minus test score, points", optimism(rows))
    _show("means over cells that all have", means(rows), index=True)
    control = everything[everything.labels == "shuffled"]
    if len(control):
        for reference in (("keras_tuner_bayesian", "winner"), ("untuned", "untuned")):
            _show(f"control, shuffled labels: minus {reference[0]}", against(control, reference))


if __name__ == "__main__":
    main()
