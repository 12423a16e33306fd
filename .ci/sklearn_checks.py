"""Runs scikit-learn's own `check_estimator` on SearchCV; fails on a check that is not listed."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import keras
from sklearn.utils.estimator_checks import check_estimator

import kerashpo as kt

NOT_MEANT = {
    "check_sample_weight_equivalence_on_dense_data": "rows are drawn in batches at random, so "
    "that a row of weight 2 is not the same as the row twice",
    "check_methods_sample_order_invariance": "float32: equal to 1e-6, not to 1e-7",
    "check_methods_subset_invariance": "float32: equal to 1e-6, not to 1e-7",
}


def build_model(hp: Any, meta: dict[str, Any]) -> keras.Model:
    """Returns a small network for any number of columns, classes or targets."""
    model = keras.Sequential([keras.Input((meta["n_features_in_"],))])
    model.add(keras.layers.Dense(hp.Choice("units", [16, 32]), activation="relu"))
    classes = meta["n_classes_"]
    if classes is None:
        model.add(keras.layers.Dense(meta["n_outputs_"]))
        loss = "mse"
    elif classes == 2:
        model.add(keras.layers.Dense(meta["n_outputs_"], activation="sigmoid"))
        loss = "binary_crossentropy"
    else:
        model.add(keras.layers.Dense(classes, activation="softmax"))
        loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.05), loss)
    return model


def run(task: str) -> int:
    """Runs all checks of a task; returns how many failed."""
    search = kt.SearchCV(
        build_model,
        task=task,  # type: ignore[arg-type]
        tuner="random",
        max_trials=1,
        max_epochs=25,
        estimator="best",
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(search, on_fail=None, expected_failed_checks=NOT_MEANT)
    for one in found:
        if one["status"] == "failed":
            print(f"FAILED {one['check_name']}: {one['exception']!r}")
    counts = {s: sum(one["status"] == s for one in found) for s in ("passed", "failed", "xfail")}
    listed = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"check_estimator, {task}: {listed}")
    return counts["failed"]


if __name__ == "__main__":
    sys.exit(1 if sum(map(run, ("classification", "regression"))) else 0)
