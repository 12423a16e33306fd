"""Prints the winners' tables from ``results/winners.csv``."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.winners.run import PATH


def against(rows: pd.DataFrame, peer: str) -> pd.DataFrame:
    """Returns our models beside KerasTuner's winner on the same sets and splits.

    Args:
        rows: of the file.
        peer: the peer's method, e.g. ``"keras_tuner_bayesian"``.

    Columns: cells, points of score gained in the mean, in how many cells it is better, and the
    geometric mean ratio of the losses in per cent.
    """
    winners = rows[(rows.method == peer) & (rows.model == "winner")]
    ours = rows[~rows.method.str.startswith("keras_tuner")]
    pairs = ours.merge(winners, on=["set", "split"], suffixes=("", "_peer"))
    pairs["points"] = 100 * (pairs.score - pairs.score_peer)
    pairs["log_ratio"] = np.log(pairs.loss / pairs.loss_peer)
    groups = pairs.groupby(["method", "model"])
    return pd.DataFrame(
        {
            "cells": groups.size(),
            "points": groups.points.mean().round(2),
            "better": groups.points.apply(lambda gain: int((gain > 0).sum())),
            "loss %": groups.log_ratio.apply(lambda r: round(100 * (np.exp(r.mean()) - 1), 1)),
        }
    )


def main() -> None:
    """The command line."""
    rows = pd.read_csv(PATH)
    shown = rows[rows.shown.notna()]
    optimism = (shown.shown - shown.score).groupby([shown.method, shown.model]).mean()
    for peer in ("keras_tuner_bayesian", "keras_tuner_hyperband"):
        print(f"\nminus {peer}'s winner, same sets and splits\n")
        print(against(rows, peer).to_string())
    print("\nscore shown minus test score, points\n")
    print((100 * optimism).round(2).to_string())


if __name__ == "__main__":
    main()
