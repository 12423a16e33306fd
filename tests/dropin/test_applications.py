"""KerasTuner's ready-made hypermodels under our tuners."""

from __future__ import annotations

import numpy as np

import kerashpo as kt
from kerashpo.core.records import Status


def test_hyperxception_is_searched(tmp_path):
    hp = kt.HyperParameters()
    hp.Fixed("num_residual_blocks", 2)
    hp.Fixed("conv2d_num_filters", 32)
    hp.Fixed("sep_num_filters", 128)
    tuner = kt.RandomSearch(
        kt.applications.HyperXception(input_shape=(16, 16, 3), classes=2),
        "val_loss",
        max_trials=1,
        hyperparameters=hp,
        seed=0,
        directory=tmp_path,
    )
    assert {"activation", "pooling", "learning_rate"} <= {*tuner.space.names}
    images = np.random.default_rng(0).random((4, 16, 16, 3)).astype("float32")
    labels = np.eye(2)[[0, 1, 0, 1]]
    tuner.search(images, labels, validation_data=(images, labels), verbose=0)
    (trial,) = tuner.results.history.trials.values()
    assert trial.status is Status.COMPLETED
    assert trial.config["num_residual_blocks"] == 2
    assert tuner.get_best_models()[0].count_params() > 10_000
