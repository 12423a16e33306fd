"""Which way a metric improves, by the names that Keras and the field give it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

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
    """Returns which way a metric improves, or None where its name does not tell.

    The last known word of the name decides, and of words that end together the longest: a
    name is made of output, metric and number, as in ``val_head_precision_at_recall_1``. So
    ``val_f1_score``, ``mean_io_u`` and ``error_head_acc`` are maximised, ``recall_loss``
    minimised. Names of Keras's classes (``MeanIoU``) count as their metrics' names.
    ``dice`` alone is not told: Keras's function of that name is a loss, others' a coefficient.
    """
    name = _plain(metric)
    if name.startswith("neg_"):
        return "max"  # scikit-learn's scorers: the more, the better
    found = [
        (match.end(), len(word), way)
        for word, way in _WORDS.items()
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
        return tuple(to_objectives(one)[0] for one in given)
    if isinstance(given, str):
        direction = infer_direction(given)
        if direction is None:
            raise InvalidInput(
                f"It is not known whether {given!r} should be minimised or maximised."
                f"{_similar(given)} "
                f"Say it: kerashpo.Objective({given!r}, 'min') or "
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
