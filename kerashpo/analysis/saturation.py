"""Saturation of the validation data: whether it can still distinguish the best trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import final

from kerashpo.analysis.intervals import is_proportion
from kerashpo.core.history import History

WANTED = 0.01
"""The difference for which the number of rows is computed: one point of accuracy."""

_POWER = 2.49
"""z(0.95) + z(0.80): a one-sided test at 5 % that finds a true difference four times in five."""
_NEXT = 9
"""How many of the next best trials the best one is compared with."""
PAIRED = 0.6
"""Paired spread of two models, as a share of what independent errors would give: models of one
search err on the same rows. Measured with 24 small networks on each of nine data sets and three
splits, the rows needed came out at 0.8 to 2.4 times those from the models' own predictions."""


@final
@dataclass(frozen=True, slots=True)
class Saturation:
    """Saturation: how well a number of validation rows distinguishes the best trials.

    Attributes:
        trials: trials that have a score.
        tied: how many of them share the best score, the best trial included.
        close: how many lie within `detectable` of it, those included.
        best: the best score.
        rows: validation rows that a score is computed from.
        detectable: the smallest true difference that this number of rows shows.
        needed: rows that would show a difference of `WANTED`.
    """

    trials: int
    tied: int
    close: int
    best: float
    rows: int
    detectable: float
    needed: int

    @property
    def saturated(self) -> bool:
        """Whether the best trials cannot be distinguished: ties, or two others within reach."""
        return self.tied > 1 or self.close > 2


def saturation(history: History) -> Saturation | None:
    """Returns the saturation of the validation rows, None where that is not known.

    It is known for one objective, an accuracy (any share of correct rows), on validation arrays;
    pipelines have no known number of rows, and for other metrics the spread over rows is not
    logged.
    """
    known = scored_shares(history)
    return None if known is None else saturation_of(*known)


def scored_shares(history: History) -> tuple[list[float], int] | None:
    """Returns the trials' accuracies, the best first, and the rows that each is computed from.

    None where the objective is no accuracy, or the number of rows is not known.
    """
    rows, objective = validation_rows(history), history.objective
    if history.several or not rows or objective.direction != "max":
        return None
    if not is_proportion(objective.name):
        return None
    ranked = [history.rank(number) for number in history.trials]
    scores = sorted((-cost for cost, _, _ in ranked if math.isfinite(cost)), reverse=True)
    if not scores or not all(0.0 <= score <= 1.0 for score in scores):
        return None
    return scores, rows


def saturation_of(scores: Sequence[float], rows: int) -> Saturation:
    """Returns how well a number of validation rows distinguishes accuracies.

    Rows needed to see a difference d: ``(2.49 max(s, 1 / sqrt(n)) / d)**2`` with s the median
    over the next nine models of the paired spread against the best one (the standard deviation
    over rows of the difference in correctness). The spread is estimated from the accuracies, see
    `PAIRED`; its floor is one row that differs.

    Args:
        scores: the trials' accuracies in [0, 1], the best first (at least one).
        rows: validation rows.
    """
    best = scores[0]
    spreads = [_spread(best, score) for score in scores[1 : 1 + _NEXT]]
    spread = max(median(spreads) if spreads else 0.0, 1.0 / math.sqrt(rows))
    detectable = _POWER * spread / math.sqrt(rows)
    # A score is a whole number of rows: less than half a row apart is a tie.
    tied = sum(best - score < 0.5 / rows for score in scores)
    close = sum(best - score <= detectable for score in scores)
    needed = math.ceil((_POWER * spread / WANTED) ** 2)
    return Saturation(len(scores), tied, close, best, rows, detectable, needed)


def validation_rows(history: History) -> int | None:
    """Returns how many rows a score is computed from, None where that is not known.

    Under cross-validation by a number of folds every training row validates once.
    """
    sizes = history.environment
    folds = history.settings.get("cv")
    if folds is None:
        found = sizes.get("validation_samples")
    else:
        found = sizes.get("training_samples") if str(folds).isdigit() else None
    return int(found) if found else None


def judged_on_folds(history: History) -> bool:
    """Returns whether trials were cross-validated, by ``cv=`` or in a final round."""
    final = any(trial.extra for trial in history.trials.values())
    return final or history.settings.get("cv") is not None


def _spread(best: float, other: float) -> float:
    """Returns the paired spread of two models' correctness, from their accuracies."""
    one, two = 1.0 - best, 1.0 - other
    disagree = one * (1.0 - two) + two * (1.0 - one)
    return PAIRED * math.sqrt(max(disagree - (one - two) ** 2, 0.0))
