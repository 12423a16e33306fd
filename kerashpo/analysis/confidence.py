"""How sure the best score is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from kerashpo.analysis.statistics import interval
from kerashpo.core.history import History
from kerashpo.core.trial import Trial

_SHARES = (
    "accuracy acc binary_accuracy categorical_accuracy sparse_categorical_accuracy "
    "top_k_categorical_accuracy sparse_top_k_categorical_accuracy"
).split()
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Sure:
    """A 95 % interval of a score.

    Attributes:
        low: its lower end.
        high: its upper end.
        source: ``"runs"`` for Student's over several trainings, ``"samples"`` for Wilson's.
        n: how many trainings or samples it rests on.
    """

    low: float
    high: float
    source: Literal["runs", "samples"]
    n: int


def sure(history: History, trial: Trial) -> Sure | None:
    """Returns how sure a trial's score is, None where nothing tells.

    Several runs give Student's interval of their mean. One run gives Wilson's interval where
    the objective is a share of validation samples and the study knows how many there were.
    """
    if trial.score is None:
        return None
    sign = 1.0 if trial.objective.direction == "min" else -1.0
    scores = [sign * best.cost for best in trial.run_bests.values() if best.finite]
    if len(scores) > 1:
        found = interval(scores)
        return Sure(found.low, found.high, "runs", len(scores))
    n = history.environment.get("validation_samples")
    name = trial.objective.name
    share = name.startswith("val_") and name.removeprefix("val_") in _SHARES
    if not share or not n or not 0.0 <= trial.score <= 1.0:
        return None
    return Sure(*wilson(trial.score, int(n)), "samples", int(n))


def wilson(share: float, n: int) -> tuple[float, float]:
    """Returns the 95 % interval of a share of n independent samples.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
    Inference", JASA 22 (1927).
    """
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low = 0.0 if share == 0.0 else max(middle - half, 0.0)
    return low, 1.0 if share == 1.0 else min(middle + half, 1.0)


def within(history: History, bounds: Sure, best: Trial) -> int:
    """Returns how many other trials that did not fail score within an interval."""
    return sum(
        trial is not best and trial.score is not None and bounds.low <= trial.score <= bounds.high
        for trial in history.trials.values()
        if math.isfinite(history.rank(trial.number)[0])
    )
