"""A final round as a table: a row for each finalist, the winner first."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import final

from kerashpo.analysis.fold_scores import (
    FoldScore,
    bests_of,
    finalist_weights,
    finalists,
    mean_score,
    rank,
    ranked,
    values_of,
)
from kerashpo.core.history import History
from kerashpo.core.records import Config
from kerashpo.core.trial import Trial
from kerashpo.space.space import key


@final
@dataclass(frozen=True, slots=True)
class FinalistRow:
    """A finalist's scores over the folds of a final round.

    Attributes:
        trial: its number.
        tuned: whether it is another configuration than the untuned default.
        score: the mean over its finite folds; of no fold where none is finite.
        loss: the mean validation loss over the finite folds, NaN without one.
        epochs: the mean best epoch of the finite folds, NaN without one.
        folds: how many folds have a finite score.
        weight: its weight in the average of all finalists, 0 where it is left out.
        failure: why its folds could not be trained, None if they could.
    """

    trial: int
    tuned: bool
    score: FoldScore
    loss: float
    epochs: float
    folds: int
    weight: float
    failure: str | None


def finalist_rows(history: History, default: Config) -> list[FinalistRow]:
    """Returns the finalists of a final round: those with every fold by rank, then the others.

    Args:
        history: the study.
        default: the untuned configuration.
    """
    whole, weights, untuned = ranked(history), finalist_weights(history), key(default)
    others = sorted((trial for trial in finalists(history) if trial not in whole), key=rank)

    def row(trial: Trial) -> FinalistRow:
        bests = [best for best in bests_of(trial) if best.finite]
        score = FoldScore(math.nan, math.nan, math.nan, 0)
        if bests:
            score = mean_score(values_of(history, trial), history.objective.name)
        loss = statistics.fmean(best.loss for best in bests) if bests else math.nan
        failure = trial.facts.get("final_round_failure")
        return FinalistRow(
            trial=trial.number,
            tuned=key(trial.config) != untuned,
            score=score,
            loss=loss if math.isfinite(loss) else math.nan,
            epochs=statistics.fmean(best.epoch for best in bests) if bests else math.nan,
            folds=len(bests),
            weight=weights.get(trial.number, 0.0),
            failure=None if failure is None else str(failure),
        )

    return [row(trial) for trial in (*whole, *others)]
