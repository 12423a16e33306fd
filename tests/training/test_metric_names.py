"""Keras's whole list of metrics against our table of directions."""

from __future__ import annotations

import inspect

import keras
import pytest

from kerashpo.core.objective import infer_direction

#: No metric of its own: a base class, a mean of anything, or what looks metrics up.
UNKNOWN = {"Mean", "MeanMetricWrapper", "Metric", "Sum", "deserialize", "get", "serialize"}
LOWER = (
    "BinaryCrossentropy CategoricalCrossentropy CategoricalHinge FalseNegatives FalsePositives "
    "Hinge KLDivergence LogCoshError MeanAbsoluteError MeanAbsolutePercentageError "
    "MeanSquaredError MeanSquaredLogarithmicError Poisson RootMeanSquaredError "
    "SparseCategoricalCrossentropy SquaredHinge binary_crossentropy binary_focal_crossentropy "
    "categorical_crossentropy categorical_focal_crossentropy categorical_hinge hinge huber "
    "kl_divergence log_cosh mean_absolute_error mean_absolute_percentage_error "
    "mean_squared_error mean_squared_logarithmic_error poisson sparse_categorical_crossentropy "
    "squared_hinge"
).split()
HIGHER = (
    "AUC Accuracy BinaryAccuracy BinaryIoU CategoricalAccuracy ConcordanceCorrelation "
    "CosineSimilarity F1Score FBetaScore IoU MeanIoU OneHotIoU OneHotMeanIoU PearsonCorrelation "
    "Precision PrecisionAtRecall R2Score Recall RecallAtPrecision SensitivityAtSpecificity "
    "SparseCategoricalAccuracy SparseTopKCategoricalAccuracy SpecificityAtSensitivity "
    "TopKCategoricalAccuracy TrueNegatives TruePositives binary_accuracy categorical_accuracy "
    "concordance_correlation pearson_correlation sparse_categorical_accuracy "
    "sparse_top_k_categorical_accuracy top_k_categorical_accuracy"
).split()
ARGUMENTS = {
    "IoU": (2, [0]),
    "MeanIoU": (2,),
    "OneHotIoU": (2, [0]),
    "OneHotMeanIoU": (2,),
    "PrecisionAtRecall": (0.5,),
    "RecallAtPrecision": (0.5,),
    "SensitivityAtSpecificity": (0.5,),
    "SpecificityAtSensitivity": (0.5,),
}
PUBLIC = {
    name
    for name in dir(keras.metrics)
    if not name.startswith("_") and not inspect.ismodule(getattr(keras.metrics, name))
}


def test_every_public_metric_is_listed():
    # Older versions of Keras have fewer; a new metric must be added to one of the lists.
    assert not PUBLIC - UNKNOWN - {*LOWER} - {*HIGHER}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_its_class_and_its_logged_name_have_one_direction(name):
    expected = "max" if name in HIGHER else "min" if name in LOWER else None
    assert infer_direction(name) == expected
    if inspect.isclass(getattr(keras.metrics, name)) and name not in UNKNOWN:
        logged = getattr(keras.metrics, name)(*ARGUMENTS.get(name, ())).name
        for spelling in (logged, f"val_{logged}", f"{logged}_1", f"val_head_{logged}"):
            assert infer_direction(spelling) == expected
