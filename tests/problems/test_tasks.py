"""The data, the hypermodels and the registry of tasks."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.problems.baselines import majority, mean_answer
from kerashpo.problems.registry import make_task, task_names
from kerashpo.problems.splits import Split

#: Problems on data of scikit-learn; the others are in test_domains.py.
SIZES = {"breast_cancer": 569, "wine": 178, "digits": 1797, "digits_cost": 1797, "diabetes": 442}
SHAPES = {"breast_cancer": (30,), "wine": (13,), "digits": (8, 8, 1), "diabetes": (10,)}
SHAPES["digits_cost"] = SHAPES["digits"]


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


@pytest.mark.parametrize("name", SIZES)
def test_every_split_has_three_disjoint_parts_of_the_whole(name):
    split = make_task(name).load(0)
    parts = [x for x, _ in (split.train, split.validation, split.test)]
    shares = [len(x) / SIZES[name] for x in parts]
    assert shares == pytest.approx([0.64, 0.16, 0.2], abs=0.01)
    assert all(x.shape[1:] == SHAPES[name] and x.dtype == np.float32 for x in parts)
    rows = [row.tobytes() for x in parts for row in x]
    assert len(rows) == SIZES[name]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("name", [name for name in SIZES if make_task(name).classes])
def test_every_part_has_every_class_in_the_same_shares(name):
    task = make_task(name)
    split = task.load(3)
    counts = [np.bincount(y) for _, y in (split.train, split.validation, split.test)]
    assert all(len(count) == len(task.classes) for count in counts)
    shares = np.array([count / count.sum() for count in counts])
    assert np.ptp(shares, axis=0).max() < 0.04


def test_diabetes_is_scaled_by_its_training_part():
    split = make_task("diabetes").load(0)
    x, y = split.train
    assert y.shape == (282, 1)
    assert float(y.mean()) == pytest.approx(0, abs=1e-5)
    assert float(y.std()) == pytest.approx(1, abs=1e-5)
    assert np.allclose(x.std(axis=0), 1, atol=1e-4)
    assert abs(float(split.test[1].mean())) > 1e-3


def test_digits_are_images_of_ink_from_0_to_1():
    x, _ = make_task("digits").load(0).train
    assert (x.min(), x.max()) == (0.0, 1.0)


def test_the_mean_answer_against_scikit_learn():
    from sklearn.metrics import mean_squared_error, r2_score

    split = make_task("diabetes").load(1)
    found = mean_answer(split)
    for part, (_, y) in (("val", split.validation), ("test", split.test)):
        answer = np.full(y.shape, split.train[1].mean())
        assert found[f"{part}_r2_score"] == pytest.approx(r2_score(y, answer), abs=1e-6)
        assert found[f"{part}_loss"] == pytest.approx(mean_squared_error(y, answer), rel=1e-5)


@pytest.mark.parametrize(("name", "baseline"), [("wine", "majority"), ("diabetes", "mean")])
def test_the_baseline_follows_from_the_kind(name, baseline):
    assert make_task(name).baseline == baseline


@pytest.mark.parametrize("name", SIZES)
def test_every_model_trains_and_logs_its_objective(name):
    import keras_tuner

    task = make_task(name)
    split = task.load(0)
    model = task.build(keras_tuner.HyperParameters())
    few = slice(task.batch_size)
    x, y = split.train[0][few], split.train[1][few]
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert set(logs) == {"loss", task.metric}


def test_the_digits_network_follows_its_values():
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.values = {
        "blocks": 2, "kernel": 5, "filters_0": 16, "filters_1": 24, "units": 48, "dropout": 0.3,
        "learning_rate": 0.02,
    }  # fmt: skip
    model = make_task("digits").build(hp)
    first, second = (layer for layer in model.layers if type(layer).__name__ == "Conv2D")
    assert [first.filters, second.filters] == [16, 24]
    assert first.kernel_size == (5, 5)
    assert model.output_shape == (None, 10)
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.02)
