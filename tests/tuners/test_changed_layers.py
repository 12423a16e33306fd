"""Layers of `build_model` that changed at a resume are refused; equal ones never are."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kerashpo as kt
from kerashpo.core.errors import StudyMismatch
from kerashpo.study.compatibility import StudySpec, differences
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.model_structure import structure_of
from kerashpo.tuners.describe import describe_model
from tests.helpers.small_models import DATA, place

COLUMNS = DATA["x"].shape[1]
Build = Callable[[Any], keras.Model]


def finished(model: keras.Model) -> keras.Model:
    model.compile("adam", "mse")
    return model


def sequential(*middle: Any) -> Build:
    def build(hp: Any) -> keras.Model:
        hp.Float("rate", 0.0, 0.5)
        made = [one() for one in middle]
        return finished(keras.Sequential([keras.Input((COLUMNS,)), *made, layers.Dense(1)]))

    return build


def graph(skip: bool) -> Build:
    def build(hp: Any) -> keras.Model:
        rate = hp.Float("rate", 0.0, 0.5)
        inputs = keras.Input((COLUMNS,))
        one = layers.Dense(COLUMNS)(inputs)
        two = layers.Dense(COLUMNS)(layers.Dropout(rate)(one))
        joined = layers.Add()([inputs if skip else one, two])
        return finished(keras.Model(inputs, layers.Dense(1)(joined)))

    return build


def branching(units: int) -> Build:
    def build(hp: Any) -> keras.Model:
        middle = layers.Dense(units if hp.Boolean("wide") else 4)
        return finished(keras.Sequential([keras.Input((COLUMNS,)), middle, layers.Dense(1)]))

    return build


def lambdas(factor: float) -> Build:
    return sequential(lambda: layers.Lambda(lambda x: x * factor))


class Scaled(layers.Layer):
    def __init__(self, factor: float, **given: Any) -> None:
        super().__init__(**given)
        self.factor = factor

    def call(self, x: Any) -> Any:
        return x * self.factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class NoConfig(layers.Layer):
    def __init__(self, table: Any) -> None:
        super().__init__()
        self.table = table

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("cannot be saved")


class Block(layers.Layer):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.inner = layers.Dense(units, activation="relu")

    def call(self, x: Any) -> Any:
        return self.inner(x)


class Own(keras.Model):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.first, self.last = layers.Dense(units), layers.Dense(1)

    def call(self, x: Any) -> Any:
        return self.last(self.first(x))


def subclassed(units: int) -> Build:
    def build(hp: Any) -> keras.Model:
        hp.Float("rate", 0.0, 0.5)
        return finished(Own(units))

    return build


def dense(units: int, activation: str = "relu", **given: Any) -> Callable[[], Any]:
    return lambda: layers.Dense(units, activation, **given)


def search(build: Build, folder: Path, trials: int) -> Any:
    tuner = kt.RandomSearch(build, max_trials=trials, **place(folder))
    tuner.search(**DATA)
    return tuner.results


OTHERS: dict[str, tuple[Build, Build, str]] = {
    "units": (
        sequential(dense(4)),
        sequential(dense(5)),
        "layer 2 in build_model, Dense: units was 4, now 5",
    ),
    "activation": (
        sequential(dense(4)),
        sequential(dense(4, "tanh")),
        "Dense: activation was 'relu', now 'tanh'",
    ),
    "initializer": (
        sequential(dense(4)),
        sequential(dense(4, kernel_initializer="he_normal")),
        "layer 2 in build_model, Dense: other arguments",
    ),
    "one more": (
        sequential(dense(4)),
        sequential(dense(4), dense(4)),
        "layers in build_model: were Sequential, InputLayer, Dense, Dense, now Sequential, "
        "InputLayer, Dense, Dense, Dense",
    ),
    "connections": (graph(False), graph(True), "Add: inputs was"),
    "another branch": (branching(8), branching(9), "the same for the default values, others for"),
    "a lambda": (lambdas(2.0), lambdas(3.0), "Lambda: function was"),
    "an own layer": (
        sequential(lambda: Scaled(2.0)),
        sequential(lambda: Scaled(3.0)),
        "Scaled: factor was 2.0, now 3.0",
    ),
    "within a layer": (
        sequential(lambda: Block(4)),
        sequential(lambda: Block(5)),
        "Dense: units was 4, now 5",
    ),
    "within a model": (subclassed(4), subclassed(5), "Dense: units was 4, now 5"),
    "wrapped": (
        sequential(dense(8), lambda: layers.Reshape((4, 2)), lambda: layers.GRU(2)),
        sequential(
            dense(8),
            lambda: layers.Reshape((4, 2)),
            lambda: layers.Bidirectional(layers.GRU(2)),
        ),
        "layers in build_model: were",
    ),
}


@pytest.mark.parametrize(("before", "after", "line"), OTHERS.values(), ids=OTHERS)
def test_other_layers_are_refused_with_the_difference(
    before: Build, after: Build, line: str, tmp_path: Path
):
    search(before, tmp_path, 1)
    with pytest.raises(StudyMismatch, match=f"(?s){line}.*overwrite=True"):
        search(after, tmp_path, 2)
    assert len(search(before, tmp_path, 2)) == 2


def test_a_finished_search_warns_of_other_layers_and_answers(tmp_path: Path):
    search(sequential(dense(4)), tmp_path, 1)
    with pytest.warns(UserWarning, match="finished.*units was 4, now 5"):
        assert len(search(sequential(dense(5)), tmp_path, 1)) == 1


def named() -> Any:
    return layers.Dense(4, name=f"dense_{random.SystemRandom().randrange(10**9)}")


def seeded() -> Any:
    seed = random.SystemRandom().randrange(10**6)
    return layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed=seed))


EQUAL: dict[str, tuple[Build, Build]] = {
    "other names": (sequential(named), sequential(named)),
    "other seeds": (sequential(seeded), sequential(seeded)),
    "a lambda of another line": (
        sequential(lambda: layers.Lambda(lambda x: x * 2.0)),
        sequential(
            lambda: layers.Lambda(lambda x: x * 2.0),
        ),
    ),
    "no configuration": (
        sequential(lambda: NoConfig(np.zeros(3))),
        sequential(lambda: NoConfig(np.ones(3))),
    ),
    "dropout": (
        sequential(lambda: layers.Dropout(0.5)),
        sequential(lambda: layers.Dropout(0.5, seed=3)),
    ),
    "graph": (graph(True), graph(True)),
}


@pytest.mark.parametrize(("before", "after"), EQUAL.values(), ids=EQUAL)
def test_equal_layers_are_never_a_difference(before: Build, after: Build, tmp_path: Path):
    search(before, tmp_path, 1)
    layers.Dense(1)  # automatic names count on
    assert len(search(after, tmp_path, 2)) == 2


def test_studies_of_another_keras_and_older_ones_are_not_compared(tmp_path: Path):
    results = search(sequential(dense(4)), tmp_path, 1)
    history = results.history
    spec = StudySpec(
        history.space, (("val_loss", "min"),), None, json.loads(json.dumps(history.settings))
    )
    assert list(differences(spec, history)) == []
    model = spec.settings["model"]
    model["layers"]["default"][1]["class"] = "Other"
    assert len(list(differences(spec, history))) == 1
    model["layers"]["keras"] = "0.0"
    assert list(differences(spec, history)) == []
    del model["layers"]
    assert list(differences(replace(spec, settings=spec.settings), history)) == []


def test_discovery_that_runs_again_describes_the_same():
    builder = ModelBuilder(branching(8))
    found = []
    for _ in range(2):
        builder.discover(0)
        found.append(describe_model(builder, []))
    assert found[0] == found[1] and found[0]["model"]["layers"]["default"]


def test_a_structure_reads_no_graph_of_a_sequential_model():
    model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    names = [name for name, _ in structure_of(model)]
    assert names == ["Sequential", "Dense", "Dense"] and not model.built
    assert structure_of("no model") == []
