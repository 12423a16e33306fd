"""Confidence intervals: of a mean over seeds or runs, and of a share of validation rows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.rng import stream
from kerashpo.core.trial import Trial


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval.

    Attributes:
        mean: the mean.
        half: half the width of the interval; NaN for fewer than two values.
        n: how many values there were.
    """

    mean: float
    half: float
    n: int

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half


def interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Returns mean and Student-t interval of independent values.

    Args:
        values: one for each seed; NaN is left out.
        level: the interval's coverage.
    """
    kept = np.array([value for value in values if not math.isnan(value)], dtype=float)
    n = len(kept)
    if n == 0:
        return Interval(math.nan, math.nan, 0)
    if n == 1:
        return Interval(float(kept[0]), math.nan, 1)
    spread = float(kept.std(ddof=1)) / math.sqrt(n)
    return Interval(float(kept.mean()), student(n - 1, level) * spread, n)


def student(freedom: int, level: float = 0.95) -> float:
    """Returns how many standard errors Student's interval reaches to each side."""
    # Imported here: displays use this module too, and a random search needs no scipy.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The two ends of an interval that need not be symmetric."""

    low: float
    high: float


def bootstrap(
    values: Sequence[float], seed: int = 0, level: float = 0.95, draws: int = 9999
) -> Bounds:
    """Returns the bootstrap interval of a mean, bias-corrected and accelerated.

    Source: B. Efron, "Better Bootstrap Confidence Intervals", JASA 82 (1987), by
    `scipy.stats.bootstrap`. Values that are all equal have an interval of no width.

    Args:
        values: one for each seed; NaN is left out, and an infinite one has no interval.
        seed: the seed of the resampling.
        level: the interval's coverage.
        draws: number of resamples.
    """
    kept = np.array([value for value in values if not math.isnan(value)], dtype=float)
    if len(kept) < 2 or np.isinf(kept).any():
        return Bounds(math.nan, math.nan)
    if np.allclose(kept, kept[0], rtol=1e-9, atol=0.0):
        return Bounds(float(kept[0]), float(kept[0]))
    from scipy.stats import bootstrap as resample

    found = resample(
        (kept,),
        np.mean,
        n_resamples=draws,
        confidence_level=level,
        method="BCa",
        rng=stream(seed, "bootstrap"),
    )
    return Bounds(float(found.confidence_interval.low), float(found.confidence_interval.high))


_PROPORTIONS = (
    "accuracy acc binary_accuracy categorical_accuracy sparse_categorical_accuracy "
    "top_k_categorical_accuracy sparse_top_k_categorical_accuracy"
).split()
_UNIT = re.compile(
    r"(.*_)?(accuracy|acc|auc|precision|recall|f1_score|fbeta_score|iou|io_u)(_\d+)?"
)
_Z = 1.959964


def is_proportion(metric: str) -> bool:
    """Returns whether a validation metric is a share of correct rows, e.g. ``"val_accuracy"``."""
    return metric.startswith("val_") and metric.removeprefix("val_") in _PROPORTIONS


def score_bounds(metric: str) -> tuple[float, float]:
    """Returns the lowest and highest value that a metric can have, infinite where not known."""
    if _UNIT.fullmatch(metric):
        return 0.0, 1.0
    return -math.inf, 1.0 if re.fullmatch(r"(.*_)?r2_score(_\d+)?", metric) else math.inf


@dataclass(frozen=True, slots=True)
class ScoreInterval:
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


def score_interval(history: History, trial: Trial) -> ScoreInterval | None:
    """Returns the 95 % interval of a trial's score, None where the log has no basis for one.

    Several runs give Student's interval of their mean. One run gives Wilson's interval where
    the objective is a share of validation samples and their number was logged.
    """
    if trial.score is None:
        return None
    sign = 1.0 if trial.objective.direction == "min" else -1.0
    scores = [sign * best.cost for best in trial.run_bests.values() if best.finite]
    if len(scores) > 1:
        found = interval(scores)
        return ScoreInterval(found.low, found.high, "runs", len(scores))
    n = history.environment.get("validation_samples")
    if not n or not is_proportion(trial.objective.name) or not 0.0 <= trial.score <= 1.0:
        return None
    return ScoreInterval(*wilson(trial.score, int(n)), "samples", int(n))


def wilson(share: float, n: float, z: float = _Z) -> tuple[float, float]:
    """Returns the interval of a share of n independent samples: 95 % by default.

    Its ends are the shares p from which the given one is z standard errors away,
    ``sqrt(p (1 - p) / n)`` each. Source: E. B. Wilson, "Probable Inference, the Law of Succession,
    and Statistical Inference", JASA 22 (1927).

    Args:
        share: in [0, 1].
        n: how many samples.
        z: standard errors to each end, 0 or more.
    """
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low = 0.0 if share == 0.0 else max(middle - half, 0.0)
    return low, 1.0 if share == 1.0 else min(middle + half, 1.0)


def trials_within(history: History, bounds: ScoreInterval, best: Trial) -> int:
    """Returns how many other trials that did not fail score within an interval."""
    return sum(
        trial is not best and trial.score is not None and bounds.low <= trial.score <= bounds.high
        for trial in history.trials.values()
        if history.scored(trial.number)
    )
