"""The lab's data and the registry of tasks."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.problems.registry import make_task, task_names
from kerashpo.problems.task import Split, majority


@pytest.fixture(scope="module")
def split() -> Split:
    return make_task("breast_cancer").load(0)


def test_sizes(split):
    parts = (split.train, split.validation, split.test)
    assert [x.shape for x, _ in parts] == [(364, 30), (91, 30), (114, 30)]
    assert all(x.dtype == np.float32 for x, _ in parts)


def test_the_split_is_stratified(split):
    shares = [y.mean() for _, y in (split.train, split.validation, split.test)]
    assert max(shares) - min(shares) < 0.01


def test_the_scaler_saw_the_training_part_alone(split):
    x, _ = split.train
    assert np.allclose(x.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(x.std(axis=0), 1, atol=1e-4)
    assert not np.allclose(split.test[0].mean(axis=0), 0, atol=1e-3)


def test_the_parts_are_disjoint_and_whole(split):
    rows = [{row.tobytes() for row in x} for x, _ in (split.train, split.validation, split.test)]
    assert sum(map(len, rows)) == len(set.union(*rows)) == 569


def test_a_seed_gives_its_own_split_again(split):
    load = make_task("breast_cancer").load
    assert np.array_equal(load(0).test[0], split.test[0])
    assert not np.array_equal(load(1).test[1], split.test[1])


def test_majority_by_hand():
    train, some = np.array([1, 1, 1, 0]), np.array([1, 0])
    split = Split((train, train), (some, some), (train, train))
    found = majority(split)
    assert found["val_accuracy"] == 0.5
    assert found["test_accuracy"] == 0.75
    assert found["val_loss"] == pytest.approx(-(np.log(0.75) + np.log(0.25)) / 2)


def test_an_unknown_task():
    with pytest.raises(InvalidInput, match="Did you mean 'breast_cancer'"):
        make_task("breast_cancr")
    assert "breast_cancer" in task_names()


def test_the_labs_model_follows_its_values():
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = {
        "layers": 2, "activation": "tanh", "units_0": 64, "dropout_0": 0.2, "units_1": 32,
        "dropout_1": 0.5, "learning_rate": 0.01,
    }  # fmt: skip
    model = make_task("breast_cancer").build(hp)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert [layer.units for layer in model.layers[::2]] == [64, 32, 1]
    assert [layer.rate for layer in model.layers[1::2]] == [0.2, 0.5]
    assert model.layers[0].activation.__name__ == "tanh"
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.01)
    assert model.loss == "binary_crossentropy"
