"""Creating the variables of models before they are trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.training.build import build_all
from kerashpo.training.data import FitData

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="steps are traced on TensorFlow alone"
)


class OwnStep(keras.Model):
    """Keeps its optimizer where only its train_step knows what it updates."""

    def __init__(self) -> None:
        super().__init__()
        self.dense, self.inner = keras.layers.Dense(2), keras.optimizers.Adam()
        self.traces: list[str] = []

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)

    def train_step(self, data: Any) -> Any:
        import tensorflow as tf

        self.traces.append("train")
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(data)))
        weights = self.dense.trainable_variables
        self.inner.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}

    def test_step(self, data: Any) -> Any:
        self.traces.append("test")
        return {"loss": keras.ops.mean(self(data))}


@pytest.mark.parametrize("validates", [False, True])
def test_own_steps_are_traced_once_and_their_variables_can_be_read(validates):
    model = OwnStep()
    model.compile()
    x = np.ones((4, 3), "float32")
    data = FitData.from_fit(x, validation_data=(x,) if validates else None)
    for _ in range(2):
        build_all(model, data)
    assert model.traces == ["train", "test"][: 1 + validates]
    # iterations, learning rate, and two momenta of kernel and bias
    assert [tuple(v.numpy().shape) for v in model.inner.variables[2:]] == [(3, 2)] * 2 + [(2,)] * 2
    assert not np.any(model.inner.variables[2].numpy())
