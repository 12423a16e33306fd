"""Objectives: the direction in which a metric improves, scoring rules, weighted sums."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective

_MAX = (
    "accuracy acc auc precision recall f1 f2 fbeta r2 r_squared cosine_similarity iou jaccard "
    "dice_coefficient dice_coef dice_score precision_at_recall recall_at_precision "
    "sensitivity_at_specificity specificity_at_sensitivity true_positives true_negatives tp tn "
    "true_positive_rate true_negative_rate tpr tnr matthews mcc kappa specificity sensitivity "
    "pearson spearman kendall correlation pearson_correlation concordance_correlation "
    "explained_variance ndcg map mrr hit_rate bleu rouge meteor psnr ssim skill silhouette "
    "likelihood log_likelihood elbo reward"
).split()
_MIN = (
    "loss error mse mae mape msle rmse mean_squared_error mean_absolute_error "
    "mean_absolute_percentage_error mean_squared_logarithmic_error root_mean_squared_error "
    "logcosh log_cosh crossentropy cross_entropy poisson hinge squared_hinge categorical_hinge "
    "kl_divergence kullback_leibler_divergence false_positives false_negatives fp fn "
    "false_positive_rate false_negative_rate fpr fnr perplexity brier huber deviance ctc wer cer "
    "eer ece fid nll negative_log_likelihood regret seconds latency"
).split()
_WORDS = {**dict.fromkeys(_MAX, "max"), **dict.fromkeys(_MIN, "min")}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = {"io_u": "iou", "f_beta": "fbeta"}


def infer_direction(metric: str) -> Literal["min", "max"] | None:
    """Returns the direction in which a metric improves, or None if its name does not determine it.

    The last known word of the name decides, and of words that end together the longest: a
    name is made of output, metric and number, as in ``val_head_precision_at_recall_1``. So
    ``val_f1_score``, ``mean_io_u`` and ``error_head_acc`` are maximised, ``recall_loss``
    minimised. Names of Keras's classes (``MeanIoU``) count as their metrics' names.
    ``dice`` alone is ambiguous: Keras's function of that name is a loss, others' a coefficient.
    """
    name = _plain(metric)
    if name.startswith("neg_"):
        return "max"  # scikit-learn's scorers: the more, the better
    found = [
        (match.end(), len(word), direction)
        for word, direction in _WORDS.items()
        for match in re.finditer(rf"(?:^|_){re.escape(word)}(?=_|$)", name)
    ]
    if not found:
        return None
    return "max" if max(found)[2] == "max" else "min"


def _plain(metric: str) -> str:
    """Returns a name in lower case with underscores, without ``val_`` and its number."""
    name = re.sub(r"^val_", "", _HUMP.sub("_", metric).lower())
    name = re.sub(r"_\d+$", "", name)
    for pieces, whole in _SPLIT.items():
        name = name.replace(pieces, whole)
    return name


def _similar(given: str) -> str:
    prefix = "val_" if given.startswith("val_") else ""
    return nearest(given, [f"{prefix}{word}" for word in (*_MAX, *_MIN)])


def to_objectives(given: Any) -> tuple[Objective, ...]:
    """Returns objectives from a name, an `Objective` (ours or KerasTuner's), or several.

    Raises:
        InvalidInput: if a name's direction is unknown, or nothing usable came.
    """
    if isinstance(given, Sequence) and not isinstance(given, str):
        if not given:
            raise InvalidInput("objective is an empty list: name at least one metric.")
        found = tuple(to_objectives(one)[0] for one in given)
        names = [one.name for one in found]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise InvalidInput(f"objective names {', '.join(map(repr, twice))} more than once.")
        return found
    if isinstance(given, str):
        direction = infer_direction(given)
        if direction is None:
            raise InvalidInput(
                f"It is not known whether {given!r} should be minimised or maximised."
                f"{_similar(given)} "
                f"State it: kerashpo.Objective({given!r}, 'min') or "
                f"kerashpo.Objective({given!r}, 'max')."
            )
        return (Objective(given, direction),)
    if hasattr(given, "name") and hasattr(given, "direction"):
        if hasattr(given, "objectives"):
            return tuple(to_objectives(one)[0] for one in given.objectives)
        if isinstance(given, Objective):
            return (given,)
        return (Objective(str(given.name), given.direction),)
    if isinstance(getattr(given, "name", None), str):
        raise InvalidInput(
            "objective must be the name under which a metric is logged, not the metric itself: "
            f"objective='val_{given.name}', or objective='{given.name}' on the training data. "
            f"Received: {given!r}."
        )
    raise InvalidInput(
        "objective must be a metric's name (such as 'val_accuracy'), an Objective, or a list "
        f"of them. Received: {given!r}."
    )


@dataclass(frozen=True, slots=True)
class Best:
    """The best epoch of a run. Ordered: less is better, and what keeps the limits comes first.

    Attributes:
        cost: the objective to minimise (negated if maximised), inf if it was not finite.
        loss: the loss of the same split, which breaks ties.
        epoch: the earliest epoch with that cost and loss; 0 if none was finite.
        violation: by how much the limits were exceeded, see `core.limits.violation`.
    """

    cost: float
    loss: float
    epoch: int
    violation: float = 0.0

    def __lt__(self, other: Best) -> bool:
        return (self.violation, self.cost, self.loss, self.epoch) < (
            other.violation,
            other.cost,
            other.loss,
            other.epoch,
        )

    @property
    def finite(self) -> bool:
        """Whether any epoch had a finite objective."""
        return self.cost < math.inf


NOTHING = Best(math.inf, math.inf, 0, math.inf)


def judge(
    objective: Objective, metrics: Mapping[str, float], epoch: int, violation: float = 0.0
) -> Best:
    """Scores one epoch; returns `NOTHING` if its objective is not finite.

    Args:
        objective: the objective.
        metrics: the metrics of the epoch.
        epoch: the epoch's number.
        violation: by how much it exceeds the limits.
    """
    cost = objective.cost(metrics.get(objective.name, math.nan))
    loss = metrics.get(objective.loss, math.inf)
    if cost == math.inf:
        return NOTHING
    return Best(cost, loss if math.isfinite(loss) else math.inf, epoch, violation)


@final
@dataclass(frozen=True, slots=True)
class Scoring:
    """The rule for a run's score: its best epoch, or the mean of its last ones.

    Attributes:
        last: 0 for the best epoch, else how many last epochs with a finite objective are averaged.
    """

    last: int = 0

    @classmethod
    def read(cls, given: Any) -> Scoring:
        """Parses ``"best"``, ``"last"`` or ``"mean_last_5"``.

        Raises:
            InvalidInput: for anything else.
        """
        if given in ("best", "last"):
            return cls(0 if given == "best" else 1)
        match = re.fullmatch(r"mean_last_([1-9]\d*)", given) if isinstance(given, str) else None
        if match is None:
            raise InvalidInput(
                'score must be "best", "last" or "mean_last_" and a number, e.g. "mean_last_5". '
                f"Received: {given!r}."
            )
        return cls(int(match[1]))

    def pick(self, epochs: Sequence[Best]) -> Best:
        """Returns a run's score from the values of its epochs, in order.

        A mean has the number of the last epoch, whose weights it describes.
        """
        if not self.last:
            return min(epochs, default=NOTHING)
        tail = [one for one in epochs if one.finite][-self.last :]
        if not tail:
            return NOTHING
        n = len(tail)
        cost, loss = sum(one.cost for one in tail) / n, sum(one.loss for one in tail) / n
        return Best(cost, loss, tail[-1].epoch, sum(one.violation for one in tail) / n)


WEIGHTED = "multi_objective"
"""The name under which the sum is logged, the same as KerasTuner's."""


def several_rank(objectives: Sequence[Objective]) -> bool:
    """Whether several objectives rank trials by Pareto dominance instead of a weighted sum."""
    return len(objectives) > 1 and objectives[0].name != WEIGHTED


@final
@dataclass(frozen=True, slots=True)
class Weighing:
    """A weighted sum of costs, less is better.

    Attributes:
        parts: objectives with their weights.
    """

    parts: tuple[tuple[Objective, float], ...]

    @property
    def objective(self) -> Objective:
        """The sum as an objective."""
        return Objective(WEIGHTED, "min")

    def value(self, metrics: Mapping[str, float]) -> float:
        """Returns the sum over an epoch's metrics, NaN where one of them is missing."""
        costs = [one.cost(metrics.get(one.name, math.nan)) * weight for one, weight in self.parts]
        total = sum(costs)
        return total if math.isfinite(total) else math.nan


def read_weights(objectives: Sequence[Objective], weights: Any) -> Weighing | None:
    """Returns the weighted sum of the objectives; None if no weights are given.

    Args:
        objectives: the objectives.
        weights: a positive number for each, in their order or by their names.

    Raises:
        InvalidInput: if they do not fit the objectives.
    """
    if weights is None:
        return None
    names = [one.name for one in objectives]
    if isinstance(weights, Mapping):
        fits = set(weights) == set(names)
        weights = [weights.get(name) for name in names]
    else:
        weights = list(weights) if isinstance(weights, Sequence) else [weights]
        fits = len(weights) == len(names)
    numbers = [w for w in weights if isinstance(w, (int, float)) and not isinstance(w, bool)]
    if not fits or len(numbers) != len(names) or not all(0 < w < math.inf for w in numbers):
        raise InvalidInput(
            "weights must hold a positive number for each objective "
            f"({', '.join(names)}), in their order or by their names. Received: {weights!r}."
        )
    return Weighing(tuple(zip(objectives, (float(w) for w in numbers))))
