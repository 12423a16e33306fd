"""Ensemble selection finds the weights of the lowest loss, and none where there is no loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerashpo.analysis.ensemble_selection import selection_weights


def test_two_complementary_models_share_and_a_useless_one_is_left_out() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=400)
    error = rng.normal(size=400)
    models = np.stack([truth + 3.0, truth + error, truth - error])

    def loss(weights):
        return float(np.mean((np.asarray(weights) @ models - truth) ** 2))

    weights = selection_weights(3, loss)
    assert weights == [0.0, 0.5, 0.5] and loss(weights) == pytest.approx(0.0, abs=1e-20)
    assert selection_weights(3, lambda w: 1.0) == [1.0, 0.0, 0.0]  # of equals the first


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_model_without_a_finite_loss_is_not_added(bad: float) -> None:
    assert selection_weights(2, lambda w: bad if w[0] else 1.0) == [0.0, 1.0]
    assert selection_weights(2, lambda w: bad) is None
