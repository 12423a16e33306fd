"""Which way a metric improves, by the names that Keras and the field give it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Objective

_MAX = (
    "accuracy acc auc precision recall f1 fbeta f2 r2 r_squared cosine_similarity iou dice "
    "precision_at_recall recall_at_precision sensitivity_at_specificity "
    "specificity_at_sensitivity true_positives true_negatives tp tn matthews mcc kappa "
    "balanced_accuracy specificity sensitivity ndcg map mrr hit_rate bleu rouge psnr ssim"
).split()
_MIN = (
    "loss error mse mae mape msle rmse mean_squared_error mean_absolute_error "
    "mean_absolute_percentage_error mean_squared_logarithmic_error root_mean_squared_error "
    "logcosh log_cosh crossentropy cross_entropy poisson hinge squared_hinge categorical_hinge "
    "kl_divergence kullback_leibler_divergence false_positives false_negatives fp fn "
    "perplexity brier huber deviance nll regret seconds latency"
).split()


def infer_direction(metric: str) -> Literal["min", "max"] | None:
    """Returns which way a metric improves, or None where its name does not tell.

    A name that ends in ``loss`` or ``error`` is minimised; else the longest known word that
    it contains decides, so that ``val_f1_score``, ``binary_accuracy``, ``mean_io_u`` and
    ``auc_1`` are maximised.
    """
    name = re.sub(r"^val_", "", metric.lower())
    name = re.sub(r"_\d+$", "", name).replace("io_u", "iou")
    if re.search(r"(^|_)(loss|error)$", name):
        return "min"
    found = [(word, "max") for word in _MAX if _contains(name, word)]
    found += [(word, "min") for word in _MIN if _contains(name, word)]
    if not found:
        return None
    way = max(found, key=lambda pair: len(pair[0]))[1]
    return "max" if way == "max" else "min"


def _contains(name: str, word: str) -> bool:
    return re.search(rf"(^|_){re.escape(word)}(_|$)", name) is not None


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
        return (Objective(str(given.name), given.direction),)
    raise InvalidInput(
        "objective must be a metric's name (such as 'val_accuracy'), an Objective, or a list "
        f"of them. Received: {given!r}."
    )
