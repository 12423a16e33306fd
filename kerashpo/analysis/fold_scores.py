"""The finalists of a final round: their fold scores, their ranking and the winner."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from kerashpo.analysis.intervals import is_proportion, score_bounds, student, wilson
from kerashpo.core.history import History
from kerashpo.core.objective import Best
from kerashpo.core.trial import Trial
from kerashpo.i18n.numbers import shown
from kerashpo.i18n.texts import Texts

FOLD_LUCK = 0.4
"""By how many standard errors of one fold the mean over folds is too high for the averaged model:
each fold counts at its best epoch and the finalists were chosen on one of them, which the average
of the fold models makes up for in part. Measured, see `experiments/winners`."""


NEAR = 1.2
"""The mean loss, in multiples of the winner's, up to which a finalist without a recorded weight is
averaged with it: an average over one that is far worse loses more than it gains."""


@final
@dataclass(frozen=True, slots=True)
class FoldScore:
    """An estimate of the score on new data, from the folds of one configuration.

    Attributes:
        value: the expected score of the averaged fold models.
        low, high: its 95 % interval; NaN for fewer than two folds.
        folds: how many there are.
    """

    value: float
    low: float
    high: float
    folds: int

    def text(self, texts: Texts) -> str:
        """Returns the value with its interval and folds, in the reader's language."""
        if math.isnan(self.low):
            return texts("expected.one_fold", value=shown(self.value, texts))
        low, high = shown(self.low, texts), shown(self.high, texts)
        value = shown(self.value, texts)
        return texts("expected.of_folds", value=value, low=low, high=high, count=self.folds)

    def __str__(self) -> str:
        return self.text(Texts.of(None))

    def __repr__(self) -> str:
        return f"<FoldScore: {self}>"


def mean_score(values: Sequence[float], metric: str) -> FoldScore:
    """Returns the mean over folds with Student's interval.

    The variance is corrected for the training rows that folds share (Nadeau and Bengio,
    "Inference for the generalization error", Machine Learning 52, 2003). The interval ends where
    the metric does, such as an accuracy at 1.

    Args:
        values: the score of each fold, in the objective's own direction.
        metric: its name.
    """
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return FoldScore(mean, math.nan, math.nan, n)
    half = student(n - 1) * statistics.stdev(values) * math.sqrt(_overlap(n) / n)
    low, high = score_bounds(metric)
    return FoldScore(mean, max(low, mean - half), min(high, mean + half), n)


def averaged_score(values: Sequence[float], metric: str, rows: float | None) -> FoldScore:
    """Returns what to expect on new data of the average of the fold models.

    Of an accuracy, `FOLD_LUCK` standard errors of a fold are taken off the mean over folds: the
    share p whose folds would show this mean, ``mean = p + FOLD_LUCK sqrt(p (1 - p) / rows)``. Its
    interval is Wilson's for all rows of the folds, fewer where the folds differ by more than
    chance (the design effect of cluster sampling) and for the training rows that they share. For
    other metrics it is `mean_score`.

    Args:
        values: the score of each fold, each at its best epoch.
        metric: its name.
        rows: validation rows of one fold; None if not known.
    """
    plain = mean_score(values, metric)
    share = is_proportion(metric) and all(0.0 <= value <= 1.0 for value in values)
    if not share or not rows or plain.folds < 2:
        return plain
    return averaged_share(plain.value, statistics.stdev(values), plain.folds, rows)


def averaged_share(mean: float, spread: float, folds: int, rows: float) -> FoldScore:
    """Returns the `averaged_score` of an accuracy.

    Args:
        mean: over the folds.
        spread: standard deviation over the folds.
        folds: how many, at least 2.
        rows: validation rows of one fold.
    """
    value, _ = wilson(mean, rows, FOLD_LUCK)
    chance = value * (1.0 - value) / rows
    effect = max(1.0, spread**2 / chance) if chance > 0 else 1.0
    low, high = wilson(value, rows * folds / (effect * _overlap(folds)))
    return FoldScore(value, low, high, folds)


def finalists(history: History) -> list[Trial]:
    """Returns the trials that a final round trained on further folds."""
    return [trial for trial in history.trials.values() if trial.extra]


def ranked(history: History) -> list[Trial]:
    """Returns the finalists with a finite score on every fold, the lowest mean loss first."""
    trials = finalists(history)
    most = max((len(runs_of(trial)) for trial in trials), default=0)
    whole = [
        trial
        for trial in trials
        if len(runs_of(trial)) == most
        and trial.folds_done
        and all(best.finite for best in bests_of(trial))
    ]
    return sorted(whole, key=rank)


WEIGHT = "final_weight"
"""The fact of a finalist that records its weight, see `finalist_weights`."""


def finalist_weights(history: History) -> dict[int, float]:
    """Returns the weight of each finalist, by its trial, in the average of all; the winner first.

    They were found by ensemble selection and recorded when the final round ended, see
    `kerashpo.analysis.ensemble_selection`. If they were not (a model without a loss, or a search
    that was cut), the finalists near the winner in mean loss have equal weights, see `NEAR`.
    """
    whole = ranked(history)
    recorded = {trial.number: trial.facts.get(WEIGHT) for trial in whole}
    if whole and all(isinstance(weight, (int, float)) for weight in recorded.values()):
        return {number: float(weight or 0.0) for number, weight in recorded.items()}
    near = _near(whole)
    return {trial.number: (trial in near) / len(near) for trial in whole}


def _near(whole: Sequence[Trial]) -> list[Trial]:
    losses = [rank(trial)[0] for trial in whole]
    if not all(math.isfinite(loss) and loss >= 0.0 for loss in losses):
        return [*whole]
    return [trial for trial, loss in zip(whole, losses) if loss <= NEAR * losses[0]]


def winner_score(history: History) -> FoldScore | None:
    """Returns what to expect of the final round's winner, None where there is none."""
    best = ranked(history)
    return expectation(history, best[0]) if best else None


def expectation(history: History, trial: Trial) -> FoldScore:
    """Returns what to expect on new data of a finalist's averaged fold models."""
    metric = history.objective.name
    return averaged_score(values_of(history, trial), metric, _fold_rows(history, trial))


def runs_of(trial: Trial) -> list[int]:
    """Returns the runs that are a finalist's folds, the search's own first."""
    return sorted({*range(trial.runs), *trial.extra})


def bests_of(trial: Trial) -> list[Best]:
    """Returns the best epoch of each of a finalist's folds."""
    return [trial.best_of_run(run) for run in runs_of(trial)]


def values_of(history: History, trial: Trial) -> list[float]:
    """Returns a finalist's finite fold scores, in the objective's own direction."""
    sign = 1 if history.objective.direction == "min" else -1
    return [sign * best.cost for best in bests_of(trial) if best.finite]


def rank(trial: Trial) -> tuple[float, float, int]:
    """Returns a finalist's sort key: mean loss over its folds, mean cost, number."""
    bests = [best for best in bests_of(trial) if best.finite]
    if not bests:
        return (math.inf, math.inf, trial.number)
    loss = statistics.fmean(best.loss for best in bests)
    return (loss, statistics.fmean(best.cost for best in bests), trial.number)


def _fold_rows(history: History, trial: Trial) -> float | None:
    """Returns the validation rows of a fold: the mean of the search's own and the further ones,
    which cut the training rows into parts (those of a splitter are about as large)."""
    first = history.environment.get("validation_samples")
    rest = history.environment.get("training_samples")
    if not first or not rest or not trial.extra:
        return None
    return float(first + rest) / len(runs_of(trial))


def _overlap(folds: int) -> float:
    """Returns the factor of a mean's variance for training rows that folds share."""
    return 1.0 + folds / (folds - 1)
