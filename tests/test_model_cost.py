"""Floating-point operations and latency of models, as objectives and limits of a tuner."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import filelock
import keras
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.model_cost import (
    count_activation_bytes,
    count_operations,
    time_predictions,
    zeros,
)
from kerashpo.store.blobs import FileBlobs, MemoryBlobs
from kerashpo.store.measuring import measuring
from kerashpo.training.settings import Derived
from tests.helpers.small_models import DATA, build_few, place


def dense(*widths):
    return keras.Sequential([keras.Input((20,)), *map(keras.layers.Dense, widths)])


def test_operations_are_two_for_each_weight_of_a_dense_layer():
    small, wide = count_operations(dense(64, 1)), count_operations(dense(640, 1))
    assert 2 * 64 * 21 <= small <= 1.1 * 2 * 64 * 21
    assert wide == pytest.approx(10 * small, rel=0.01)


def test_operations_of_a_convolution_count_its_positions():
    layers = [keras.Input((8, 8, 1)), keras.layers.Conv2D(16, 3)]
    assert count_operations(keras.Sequential(layers)) == pytest.approx(2 * 36 * 9 * 16, rel=0.1)


def test_several_and_whole_number_inputs_have_batches_of_zeros():
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b", dtype="int32")
    joined = keras.layers.Concatenate()([a, keras.ops.cast(b, "float32")])
    model = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(joined))
    batch = zeros(model, 2)
    assert (batch["a"].shape, batch["b"].dtype) == ((2, 3), np.dtype("int32"))
    assert count_operations(model) >= 14


def test_a_functional_model_of_one_input_is_measured():
    x = keras.Input((20,))
    model = keras.Model(x, keras.layers.Dense(5)(x))
    assert zeros(model, 3).shape == (3, 20)
    assert count_operations(model) == count_operations(dense(5))
    assert len(time_predictions(model, 1, None)) >= 20


def test_activations_are_the_outputs_of_the_layers_for_a_batch():
    layers = [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3),
        keras.layers.Dropout(0.5),
        keras.layers.Flatten(),
        keras.layers.Dense(2, dtype="bfloat16"),
    ]
    model = keras.Sequential(layers)
    sample = 2 * 4 * 36 * 16 + 2 * 2
    assert count_activation_bytes(model, 1) == sample
    assert kt.objectives.memory(5).of(model) == kt.objectives.memory().of(model) + 5 * sample
    assert model.predict(np.zeros((2, 8, 8, 1)), verbose=0).shape == (2, 2)


def test_a_shared_layer_has_an_activation_each_time_and_a_nested_model_none_of_its_own():
    x, shared = keras.Input((10,)), keras.layers.Dense(10)
    inner = keras.Sequential([keras.Input((10,)), keras.layers.Dense(7)])
    model = keras.Model(x, inner(shared(shared(x))))
    assert count_activation_bytes(model, 3) == 3 * 4 * (10 + 10 + 7)


def test_activations_of_no_samples_are_refused():
    with pytest.raises(InvalidInput, match="batch_size must be a whole number of at least 1"):
        kt.objectives.memory(batch_size=0)


class Silent(keras.Model):
    """Its inputs are not known until it is called."""

    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(1)

    def call(self, x):
        return self.inner(x)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Silent(), "inputs of Silent are not known: begin the model with keras.Input"),
        (
            keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(1)]),
            "has a dimension of unknown size",
        ),
    ],
)
def test_a_model_without_sizes_is_refused(model, message):
    with pytest.raises(InvalidInput, match=message):
        count_operations(model)


def test_a_called_model_without_declared_inputs_is_measured():
    model = Silent()
    model(np.zeros((2, 5), "float32"))
    assert count_operations(model) >= 10


def test_latency_is_repeated_and_grows_with_the_work():
    def median(model, batch):
        seconds = time_predictions(model, batch, "cpu:0")
        assert len(seconds) >= 20
        return np.median(seconds)

    assert median(dense(2000, 2000, 1), 512) > median(dense(2), 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"percentile": 101}, "percentile must be from 0 to 100"),
    ],
)
def test_a_latency_that_cannot_be_measured_is_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        kt.objectives.latency(**given)


def test_latency_can_be_sent_to_a_worker_and_has_a_spread():
    objective = pickle.loads(pickle.dumps(kt.objectives.latency(batch_size=2)))
    found = Derived((objective,)).untrained(dense(2))
    assert [*found] == ["latency", "latency_spread"]
    assert found["latency"] > 0.0 <= found["latency_spread"]


def test_workers_measure_one_at_a_time(tmp_path):
    inside, most = [], []

    def measure(_):
        with measuring(FileBlobs(tmp_path)):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(measure, range(4)))
    assert most == [1] * 4
    assert isinstance(measuring(FileBlobs(tmp_path)), filelock.BaseFileLock)
    with measuring(MemoryBlobs()):
        pass


def test_a_tuner_stores_what_was_measured_and_keeps_its_limits(tmp_path):
    objective = ["val_loss", kt.objectives.latency()]
    limits = {"flops": 2 * 8 * 6 * 1.3}
    tuner = kt.GridSearch(build_few, **place(tmp_path, objective=objective, limits=limits))
    tuner.search(**DATA, epochs=2)
    trials = tuner.results.history.trials.values()
    assert {t.config["units"] for t in trials if not t.feasible} == {12}
    for trial in trials:
        found = trial.untrained[0]
        assert {*found} == {"latency", "latency_spread", "flops"}
        logged = [report.metrics["latency"] for report in trial.reports.get(0, {}).values()]
        assert logged == [found["latency"]] * len(logged)
    again = kt.open_study(tuner.project_dir).results
    assert again.pareto().equals(tuner.results.pareto())
