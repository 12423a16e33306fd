"""The expected score on new data: the best score, less the luck for which it was chosen.

The best of many noisy scores is too high, the more so the more trials there are and the fewer
rows they are scored on (the winner's curse; Cawley and Talbot, "On over-fitting in model
selection", JMLR 11, 2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from kerashpo.analysis.fold_scores import winner_score
from kerashpo.analysis.intervals import wilson
from kerashpo.analysis.saturation import PAIRED, saturation_of, scored_shares
from kerashpo.core.history import History
from kerashpo.i18n.numbers import shown, with_interval
from kerashpo.i18n.texts import Texts

LOOKS = 1.5
"""How many independent scores a trial contributes: it counts at its best epoch, and the scores of
its epochs are alike. Fixed on seven data sets and checked on seven others, see
`experiments/winners`."""


@final
@dataclass(frozen=True, slots=True)
class ExpectedScore:
    """What to expect on new data instead of the best score.

    Attributes:
        value: the expected score.
        low, high: its 95 % interval.
        shown: the best trial's score on the validation rows.
        trials: among how many it was chosen.
        rows: validation rows; 0 where a final round's folds are the basis.
        folds: folds of the final round whose averaged model the value is for; 0 for the best
            trial's own model.
    """

    value: float
    low: float
    high: float
    shown: float
    trials: int
    rows: int = 0
    folds: int = 0

    def __str__(self) -> str:
        return with_interval(self.value, self.low, self.high, Texts.of(None))

    def __repr__(self) -> str:
        texts = Texts.of(None)
        best = texts.plural("expected.shown", self.trials, score=shown(self.shown, texts))
        return f"<ExpectedScore: {self}; {best}>"


def expected_score(history: History) -> ExpectedScore | None:
    """Returns what to expect on new data, None where the log has no basis for it.

    After a final round: its winner's averaged model, from the folds. Without one: the best
    trial's model, if the objective is an accuracy on validation arrays.
    """
    best = history.best
    if history.several or best is None or best.score is None:
        return None
    found = winner_score(history)
    if found is not None and not math.isnan(found.low):
        trials = sum(history.scored(number) for number in history.trials)
        return ExpectedScore(
            found.value, found.low, found.high, best.score, trials, folds=found.folds
        )
    return expected_best(history)


def expected_best(history: History) -> ExpectedScore | None:
    """Returns what to expect of the best trial's own model, None where that is not known."""
    known = scored_shares(history)
    if known is None:
        return None
    own_splits = bool(history.settings.get("fit", {}).get("reshuffle"))
    return expected_of(*known, shared=not own_splits)


def expected_of(scores: Sequence[float], rows: int, shared: bool = True) -> ExpectedScore:
    """Returns the expected accuracy of the best of several trials.

    It is the share p from which the best score is as many standard errors away as the highest of
    so many scores usually is: ``best = p + s m sqrt(p (1 - p) / rows)``, where m is the expected
    maximum of ``LOOKS`` standard normal numbers for each trial that comes near the best (Blom,
    "Statistical estimates and transformed beta-variables", 1958), and s the share of the error in
    which models of one search differ on the same rows (both as in `saturation_of`). The interval
    is Wilson's for this share and the rows.

    Args:
        scores: the trials' accuracies in [0, 1], the best first (at least one).
        rows: validation rows.
        shared: whether all trials are scored on the same rows.
    """
    near = saturation_of(scores, rows).close
    luck = (PAIRED if shared else 1.0) * _highest(LOOKS * near)
    best = scores[0]
    value, _ = wilson(best, rows, luck)
    low, high = wilson(value, rows)
    return ExpectedScore(value, low, high, best, len(scores), rows)


def _highest(count: float) -> float:
    """Returns the expected maximum of so many standard normal numbers, 0 for one."""
    from scipy.special import ndtri

    return float(ndtri((count - 0.375) / (count + 0.25))) if count > 1 else 0.0
