"""Kinds of training data, and the arguments of `fit` that control their use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pandas as pd
import scipy.sparse

from tests.helpers.fit_cases.case import (
    LABELS,
    ON_TENSORFLOW,
    ROWS,
    VALUES,
    WEIGHTS,
    Case,
    arrays,
    compiled,
    dense,
    layers,
    stack,
)

MODEL = stack(dense(4), lambda: layers.Dropout(0.2), metrics=["accuracy"])
FRAME = pd.DataFrame(ROWS.astype("float64"), columns=list("abcdef")).assign(f=LABELS > 0)
HELD_OUT = (ROWS[:10], LABELS[:10])
WORDS = np.array(["red", "green", "blue"])[np.arange(45) % 3]


class Batches(keras.utils.PyDataset):
    """Batches of 8 rows."""

    def __len__(self) -> int:
        return math.ceil(len(ROWS) / 8)

    def __getitem__(self, index: int) -> Any:
        rows = slice(8 * index, 8 * index + 8)
        return ROWS[rows], LABELS[rows], WEIGHTS[rows]


class Shuffled(keras.utils.PyDataset):
    """Batches of 8 rows in an order that it draws after each epoch, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.rng = np.arange(40), np.random.default_rng(1)

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Any:
        rows = self.rows[8 * index : 8 * index + 8]
        return ROWS[rows], LABELS[rows]

    def on_epoch_end(self) -> None:
        self.rng.shuffle(self.rows)


class Growing(Batches):
    """Has a batch more after each epoch, and other values; `fit` keeps the number of batches."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = 0

    def __len__(self) -> int:
        return 2 + self.epochs

    def __getitem__(self, index: int) -> Any:
        rows, labels, weights = super().__getitem__(index)
        return rows * (1 + self.epochs), labels, weights

    def on_epoch_end(self) -> None:
        self.epochs += 1


def generator() -> Iterator[Any]:
    while True:
        for start in range(0, 40, 8):
            yield ROWS[start : start + 8], LABELS[start : start + 8]


def dataset(cached: bool = False, shuffled: bool = False) -> Any:
    import tensorflow as tf

    made = tf.data.Dataset.from_tensor_slices((ROWS, LABELS))
    if shuffled:
        made = made.shuffle(45, seed=3, reshuffle_each_iteration=False)
    made = made.batch(8)
    return made.cache() if cached else made


def weighted_dataset() -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((ROWS, LABELS, WEIGHTS)).batch(8)


def two_inputs() -> keras.Model:
    inputs = {name: keras.Input((3,), name=name) for name in ("left", "right")}
    joined = layers.Concatenate()([layers.Dense(3, "relu")(x) for x in inputs.values()])
    return compiled(keras.Model(inputs, layers.Dense(1, "sigmoid")(joined)))


def of_words() -> keras.Model:
    look_up = layers.StringLookup(vocabulary=["red", "green", "blue"], output_mode="one_hot")
    text = keras.Input((1,), dtype="string")
    return compiled(keras.Model(text, layers.Dense(1, "sigmoid")(look_up(text))))


def of_texts() -> keras.Model:
    count = layers.TextVectorization(vocabulary=["red", "green", "blue"], output_sequence_length=3)
    text = keras.Input((), dtype="string")
    hidden = layers.GlobalAveragePooling1D()(layers.Embedding(6, 3)(count(text)))
    return compiled(keras.Model(text, layers.Dense(1, "sigmoid")(hidden)))


def tensor(array: Any) -> Any:
    return keras.ops.convert_to_tensor(array)


KINDS = {
    "tensors": Case(MODEL, lambda: arrays(tensor(ROWS), tensor(LABELS))),
    "a data frame and a series": Case(MODEL, lambda: arrays(FRAME, pd.Series(LABELS))),
    "a mapping of inputs": Case(
        two_inputs, arrays({"right": ROWS[:, 3:], "left": ROWS[:, :3]}, LABELS)
    ),
    "a sparse matrix": Case(
        MODEL,
        lambda: {
            "x": scipy.sparse.csr_matrix(np.where(ROWS > 0.5, ROWS, 0)),
            "y": LABELS,
            "batch_size": 8,
        },
    ),
    "strings by fit": Case(
        of_words,
        lambda: arrays(tensor(WORDS[:, None])),
        compiled=False,
        fast=False,
        applies=ON_TENSORFLOW,
    ),
    "strings": Case(of_words, lambda: arrays(tensor(WORDS[:, None])), applies=ON_TENSORFLOW),
    "texts as tensors": Case(
        of_texts, lambda: {"x": tensor(WORDS), "y": LABELS, "batch_size": 8}, applies=ON_TENSORFLOW
    ),
    "half floats and whole numbers": Case(
        MODEL,
        arrays(ROWS.astype("float16"), LABELS.astype("int64"), sample_weight=WEIGHTS),
    ),
    "doubles and booleans": Case(MODEL, arrays(ROWS.astype("float64"), LABELS > 0)),
    "bfloat16": Case(MODEL, lambda: {"x": tensor_bfloat16(), "y": LABELS, "batch_size": 8}),
    "a dataset": Case(
        MODEL, lambda: {"x": dataset(), "validation_data": HELD_OUT}, compiled=ON_TENSORFLOW
    ),
    "a dataset, cached and in a drawn order": Case(
        MODEL,
        lambda: {"x": dataset(True, True), "validation_data": dataset()},
        compiled=ON_TENSORFLOW,
    ),
    "a dataset and class weights": Case(
        MODEL, lambda: {"x": dataset(), "class_weight": {0: 0.2, 1: 3.0}}, compiled=ON_TENSORFLOW
    ),
    "a dataset whose epochs continue": Case(
        MODEL, lambda: {"x": dataset(), "steps_per_epoch": 4}, applies=ON_TENSORFLOW
    ),
    "a dataset for validation": Case(
        MODEL,
        lambda: arrays(validation_split=0.0, validation_data=dataset(), validation_freq=2),
        compiled=ON_TENSORFLOW,
    ),
    "a dataset of an unknown number of batches": Case(
        MODEL, lambda: {"x": dataset().filter(lambda x, y: True)}, compiled=False
    ),
    "a dataset with weights and steps": Case(
        MODEL,
        lambda: {
            "x": weighted_dataset().repeat(),
            "steps_per_epoch": 4,
            "validation_data": weighted_dataset(),
            "validation_steps": 2,
        },
        compiled=ON_TENSORFLOW,
    ),
    "a PyDataset": Case(
        MODEL, lambda: {"x": Batches(), "validation_data": Batches()}, compiled=False
    ),
    "a PyDataset that shuffles its rows": Case(
        MODEL, lambda: {"x": Shuffled(), "validation_data": HELD_OUT}, compiled=False
    ),
    "a PyDataset that grows": Case(
        MODEL,
        lambda: {"x": Growing(), "validation_data": HELD_OUT, "shuffle": False},
        compiled=False,
    ),
    "a generator": Case(MODEL, lambda: {"x": generator(), "steps_per_epoch": 3}, compiled=False),
}


def tensor_bfloat16() -> Any:
    return keras.ops.cast(tensor(ROWS), "bfloat16")


ARGUMENTS = {
    "arrays that are not compiled": Case(
        MODEL, arrays(class_weight={0: 0.2, 1: 3.0}), compiled=False, fast=False
    ),
    "steps of arrays that are not compiled": Case(
        two_inputs,
        arrays({"right": ROWS[:, 3:], "left": ROWS[:, :3]}, sample_weight=WEIGHTS)
        | {"batch_size": 8, "steps_per_epoch": 3},
        compiled=False,
        fast=False,
    ),
    "one batch for all": Case(MODEL, arrays(batch_size=100)),
    "batches of one": Case(MODEL, arrays(ROWS[:10], LABELS[:10], batch_size=1)),
    "defaults": Case(MODEL, {"x": ROWS, "y": LABELS}),
    "weighted validation in batches of its own": Case(
        stack(weighted_metrics=["accuracy"], metrics=["mse"]),
        {
            "x": ROWS,
            "y": LABELS,
            "batch_size": 7,
            "validation_data": (*HELD_OUT, np.linspace(0, 1, 10)),
            "validation_batch_size": 3,
        },
    ),
    "validation after every other epoch": Case(MODEL, arrays(validation_freq=2)),
    "validation after some epochs": Case(MODEL, arrays(validation_freq=[1, 3])),
    "a part of the validation": Case(
        MODEL, arrays(validation_data=HELD_OUT, validation_split=0.0, validation_steps=1)
    ),
    "steps that continue in the next epoch": Case(
        MODEL,
        {"x": ROWS, "y": LABELS, "batch_size": 8, "steps_per_epoch": 4},
    ),
    "several steps an execution": Case(
        stack(metrics=["accuracy"], steps_per_execution=3), arrays(ROWS, LABELS)
    ),
    "class weights without some classes": Case(
        MODEL, arrays(y=LABELS[:, None], class_weight={1: 3.0})
    ),
    "targets and weights of two axes": Case(
        stack(last=dense(1, None), loss="mse"), arrays(y=VALUES, sample_weight=WEIGHTS[:, None])
    ),
}

CASES = {**KINDS, **ARGUMENTS}
