"""Test losses are those of the predictions, for one network as for an average of several."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kerashpo.compare.evaluate import on_test
from kerashpo.problems.registry import make_task


def extreme(units: float) -> keras.Model:
    """A network whose logits are far beyond what a probability can say, with a penalty."""
    inputs = keras.Input((30,))
    dense = keras.layers.Dense(1, "sigmoid", kernel_regularizer=keras.regularizers.L2(0.1))
    model = keras.Model(inputs, dense(inputs))
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    dense.set_weights([np.full((30, 1), units, "float32"), np.zeros(1, "float32")])
    return model


@pytest.mark.parametrize("compiled", [False, True])
def test_an_average_of_one_has_the_loss_of_its_network(compiled):
    task = make_task("breast_cancer")
    split = task.load(0)
    single = extreme(50.0)
    average = keras.Model(single.inputs, keras.layers.Rescaling(1.0)(single.outputs[0]))
    average.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    scores, _ = on_test(single, split, task, compiled)
    of_average, _ = on_test(average, split, task, compiled)
    x, y = split.test
    assert scores["loss"] == pytest.approx(of_average["loss"], rel=1e-5)
    probability = np.clip(single.predict(x, verbose=0).ravel(), 1e-7, 1 - 1e-7)
    right = np.where(np.ravel(y) > 0.5, probability, 1 - probability)
    assert scores["loss"] == pytest.approx(float(-np.log(right).mean()), rel=1e-3)
    evaluated = single.evaluate(x, y, verbose=0, return_dict=True)
    assert evaluated["loss"] > 10 * scores["loss"]
    assert scores["accuracy"] == pytest.approx(evaluated["accuracy"])
