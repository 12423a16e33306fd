"""Batch normalisation is trained as by `model.fit`: what differs is float rounding alone.

The bias of a layer in front of it has no effect on the loss, so its gradient is rounding, which
Adam divides by its own size: in single precision such biases walk at random, by up to the learning
rate at each step. They differ as much between `fit` with and without `run_eagerly`.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import pytest

from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys

layers = keras.layers
RATE, STEPS = 0.01, 6


@pytest.fixture(params=["float32", "float64"])
def precision(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX computes in single precision unless it is told otherwise")
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx(before)
    keras.config.set_dtype_policy(policy)


def trained(loop: TrainingLoop, *, bias: bool) -> dict[str, np.ndarray]:
    """Returns the weights after six steps."""
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(3)
    parts = [
        keras.Input((8, 8, 1)),
        layers.Conv2D(8, 3, use_bias=bias, name="first"),
        layers.BatchNormalization(name="normalised"),
        layers.ReLU(),
        layers.Conv2D(6, 3, use_bias=bias, name="second"),
        layers.BatchNormalization(momentum=0.8, epsilon=1e-2, name="again"),
        layers.Flatten(),
    ]
    model = keras.Sequential([*parts, layers.Dense(1, "sigmoid", name="last")])
    model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy", jit_compile=False)
    images, labels = rng.normal(size=(96, 8, 8, 1)), rng.integers(0, 2, 96)
    data = FitData.from_fit(images, labels, batch_size=96 // STEPS, shuffle=False)
    loop.train(model, data, 1, 1, [], EpochKeys(0, 0))
    return {weight.path.split("/", 1)[-1]: np.asarray(weight) for weight in model.weights}


@pytest.mark.parametrize("bias", [False, True])
def test_batch_normalisation_differs_from_fit_by_rounding(precision: str, bias: bool) -> None:
    ours, fitted = trained(CompiledLoop(), bias=bias), trained(FitLoop(), bias=bias)
    walks = {"first/bias", "second/bias"}
    assert ours.keys() == fitted.keys() and bias == (walks <= ours.keys())
    for name, value in ours.items():
        tolerance = 1e-10 if precision == "float64" else 1e-3 if bias else 5e-5
        if precision == "float32" and name in walks:
            tolerance = 2 * RATE * STEPS
        np.testing.assert_allclose(value, fitted[name], atol=tolerance, err_msg=name)
    assert not np.allclose(ours["again/moving_variance"], 1, atol=0.1)
