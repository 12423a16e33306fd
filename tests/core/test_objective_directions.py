"""Which way a metric improves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.core.objective import infer_direction, to_objectives
from kerashpo.core.records import Objective

HIGHER = """accuracy val_accuracy val_acc binary_accuracy sparse_top_k_categorical_accuracy
val_f1_score fbeta_score val_r2_score val_cosine_similarity val_mean_io_u one_hot_mean_io_u
binary_io_u auc val_auc_1 precision val_recall_2 precision_at_recall recall_at_precision
sensitivity_at_specificity true_positives dense_1_accuracy val_head_precision_3 dice_coefficient
error_head_acc loss_head_auc_2 neg_mean_squared_error brier_skill_score pearson_correlation
val_MeanIoU FBetaScore F1Score CosineSimilarity AUC val_out_R2Score jaccard_score log_likelihood
""".split()

LOWER = """loss val_loss head_loss val_accuracy_loss recall_loss val_dice_loss mean_iou_loss
mae mean_squared_error val_mean_squared_logarithmic_error root_mean_squared_error
binary_crossentropy sparse_categorical_crossentropy kl_divergence poisson hinge
categorical_hinge logcosh false_negatives perplexity word_error top_k_error auc_error
word_error_rate val_accuracy_head_loss auc_hinge negative_log_likelihood false_positive_rate
KLDivergence LogCoshError val_MeanSquaredError wer
""".split()


@pytest.mark.parametrize("metric", HIGHER)
def test_more_is_better(metric):
    assert infer_direction(metric) == "max"


@pytest.mark.parametrize("metric", LOWER)
def test_less_is_better(metric):
    assert infer_direction(metric) == "min"


@pytest.mark.parametrize("metric", ["val_quality", "accurate", "score", "lossless", "", "dice"])
def test_an_unknown_name_is_not_guessed(metric):
    assert infer_direction(metric) is None


def test_an_unknown_name_asks_for_an_objective():
    with pytest.raises(InvalidInput, match=r"Objective\('val_quality', 'min'\)"):
        to_objectives("val_quality")


def test_objectives_of_every_kind():
    loss, auc = Objective("val_loss", "min"), Objective("val_auc", "max")
    foreign = SimpleNamespace(name="val_auc", direction="max")
    several = SimpleNamespace(name="multi_objective", direction="min", objectives=[loss, foreign])
    assert to_objectives("val_loss") == (loss,)
    assert to_objectives(loss) == (loss,)
    assert to_objectives(foreign) == (auc,)
    assert to_objectives(["val_loss", foreign]) == (loss, auc)
    assert to_objectives(several) == (loss, auc)


@pytest.mark.parametrize(
    "given, message",
    [
        ([], "empty list"),
        (7, "Received: 7"),
        (None, "Received: None"),
        (SimpleNamespace(name="auc", direction="up"), "Received: 'up'"),
        (SimpleNamespace(name="auc"), "objective='val_auc', or objective='auc'"),
    ],
)
def test_what_is_no_objective(given, message):
    with pytest.raises(InvalidInput, match=message):
        to_objectives(given)
