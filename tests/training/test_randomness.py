"""Randomness by key: the same key the same numbers, any other key others."""

from __future__ import annotations

import random
from collections.abc import Callable

import keras
import numpy as np

from kerashpo.training.randomness import EpochKeys, seed_variables, seeded_build, set_layer_seeds


def test_permutations_are_keyed_by_everything() -> None:
    orders = [
        EpochKeys(seed, trial, run).permutation(epoch, 50).tobytes()
        for seed in (0, 1)
        for trial in (0, 1)
        for run in (0, 1)
        for epoch in (1, 2)
    ]
    assert len(set(orders)) == 16
    again = EpochKeys(0, 0, 0).permutation(1, 50)
    assert again.tobytes() == orders[0] and sorted(again) == list(range(50))


def test_layer_states_differ_and_extend_one_another() -> None:
    states = [
        tuple(state)
        for trial in range(5)
        for epoch in range(1, 5)
        for state in EpochKeys(0, trial).layer_states(epoch, 5)
    ]
    assert len(set(states)) == 100
    keys = EpochKeys(3, 1)
    np.testing.assert_array_equal(keys.layer_states(2, 6)[:3], keys.layer_states(2, 3))


def test_nested_and_shared_seed_generators_are_found_once(keys: EpochKeys) -> None:
    shared = keras.layers.Dropout(0.5)
    inner = keras.Sequential([keras.Input((4,)), shared, keras.layers.GaussianNoise(0.1)])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dropout(0.2)(shared(inner(inputs))))
    variables = seed_variables(model)
    assert len(variables) == 3
    set_layer_seeds(model, keys, 2)
    values = {tuple(np.asarray(variable.value)) for variable in variables}
    assert values == set(map(tuple, keys.layer_states(2, 3)))


def test_build_is_a_function_of_its_keys_and_leaves_no_trace(
    mlp: Callable[..., keras.Model],
) -> None:
    def kernel(*names: int) -> bytes:
        with seeded_build(*names):
            layer = keras.layers.Dense(3)
            layer.build((None, 4))
            return np.asarray(layer.kernel).tobytes() + np.random.rand(2).tobytes()

    random.seed(5)
    expected = random.random()
    random.seed(5)
    first = kernel(0, 1)
    assert random.random() == expected
    assert first == kernel(0, 1)
    assert len({first, kernel(1, 1), kernel(0, 2), kernel(0, 1, 1)}) == 4


def test_automatic_names_do_not_depend_on_what_was_built_before() -> None:
    def name() -> str:
        with seeded_build(0, 1):
            return keras.metrics.AUC().name

    outside = keras.metrics.AUC().name
    assert name() == name() == "auc"
    assert keras.metrics.AUC().name != outside
