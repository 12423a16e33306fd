"""Short searches of larger layers: CPU time of ours against `model.fit`, traces included.

    python experiments/speed/shorts.py --repeats 2 --cases cnn gru

Each case is a random search of two trials of eight epochs on 1,100 rows. Both sides are searches
of ours, ``fast="auto"`` and ``fast=False``, alternating in one process, each with traces of its
own; their scores must agree. Rows are appended to ``results/shorts.csv`` as they come.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from environment import describe

import kerashpo as kt

layers = keras.layers
ROWS, EPOCHS, TRIALS = 1_100, 8, 2
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(ROWS, 8, 8, 1)).astype("float32")
STEPS = RNG.normal(size=(ROWS, 12, 4)).astype("float32")
TOKENS = RNG.integers(0, 200, size=(ROWS, 16))
PAIRS = RNG.integers(0, 300, size=(ROWS, 2))
NUMBERS = RNG.normal(size=(ROWS, 10)).astype("float32")
LABELS = RNG.integers(0, 2, size=ROWS).astype("float32")
HERE = Path(__file__).parent
Build = Callable[[Any], keras.Model]


def _compiled(hp: Any, inputs: Any, hidden: Any, loss: str = "binary_crossentropy") -> keras.Model:
    out = layers.Dense(1, None if loss == "mse" else "sigmoid")(hidden)
    model = keras.Model(inputs, out)
    rate = hp.Float("rate", 1e-4, 1e-2, sampling="log")
    model.compile(keras.optimizers.Adam(rate), loss, metrics=[] if loss == "mse" else ["accuracy"])
    return model


def _width(hp: Any, low: int = 16, high: int = 64) -> int:
    return hp.Int("width", low, high, step=8)


def _image(hp: Any, augment: bool = False) -> keras.Model:
    x = inputs = keras.Input((8, 8, 1))
    if augment:
        x = layers.RandomFlip("horizontal")(x)
        x = layers.RandomRotation(0.1)(x)
    for _ in range(2):
        x = layers.Conv2D(_width(hp), 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(hp.Float("dropout", 0.0, 0.5))(layers.Flatten()(x))
    return _compiled(hp, inputs, x)


def _recurrent(layer: Any) -> Build:
    def build(hp: Any) -> keras.Model:
        inputs = keras.Input((12, 4))
        return _compiled(hp, inputs, layer(_width(hp))(inputs))

    return build


def attention(hp: Any) -> keras.Model:
    """Returns one block of a transformer over 16 tokens."""
    inputs = keras.Input((16,))
    width = _width(hp)
    x = layers.Embedding(200, width)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(width)(layers.Dense(32, "relu")(x)))
    return _compiled(hp, inputs, layers.GlobalAveragePooling1D()(x))


def factors(hp: Any) -> keras.Model:
    """Returns a factorisation of pairs, with biases."""
    inputs = keras.Input((2,), dtype="int32")
    left, right = inputs[:, 0], inputs[:, 1]
    width = hp.Int("width", 4, 32, step=4)
    penalty = keras.regularizers.L2(hp.Float("l2", 1e-7, 1e-3, sampling="log"))
    parts = [layers.Embedding(300, width, embeddings_regularizer=penalty)(i) for i in (left, right)]
    biases = [layers.Embedding(300, 1)(i) for i in (left, right)]
    x = layers.Concatenate()([layers.Dot(1)(parts), *biases])
    return _compiled(hp, inputs, x, "mse")


def two(hp: Any) -> keras.Model:
    """Returns a network of two inputs, numbers and tokens."""
    numbers, tokens = keras.Input((10,)), keras.Input((16,))
    left = layers.Dense(_width(hp), "relu")(numbers)
    right = layers.GlobalAveragePooling1D()(layers.Embedding(200, 16)(tokens))
    x = layers.Dropout(hp.Float("dropout", 0.0, 0.5))(layers.Concatenate()([left, right]))
    return _compiled(hp, [numbers, tokens], x)


def dataset() -> dict[str, Any]:
    """Returns images as a batched and shuffled `tf.data` pipeline."""
    import tensorflow as tf

    made = tf.data.Dataset.from_tensor_slices((IMAGES[:880], LABELS[:880]))
    made = made.shuffle(880, seed=0).batch(32).prefetch(2)
    return {"x": made, "validation_data": (IMAGES[880:], LABELS[880:])}


def arrays(x: Any) -> Callable[[], dict[str, Any]]:
    """Returns a function that makes the arguments of `fit`."""
    return lambda: {"x": x, "y": LABELS, "validation_split": 0.2, "batch_size": 32}


CASES: dict[str, tuple[Build, Callable[[], dict[str, Any]]]] = {
    "cnn": (_image, arrays(IMAGES)),
    "gru": (_recurrent(layers.GRU), arrays(STEPS)),
    "lstm": (_recurrent(layers.LSTM), arrays(STEPS)),
    "attention": (attention, arrays(TOKENS)),
    "factors": (factors, arrays(PAIRS)),
    "two inputs": (two, arrays([NUMBERS, TOKENS])),
    "augmented cnn": (lambda hp: _image(hp, augment=True), arrays(IMAGES)),
    "cnn on tf.data": (_image, dataset),
}


def search(case: str, fast: Any, seed: int) -> tuple[float, float, list[float]]:
    """Searches; returns CPU seconds, wall seconds and the trials' scores."""
    build, data = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt.RandomSearch(
            build, objective="val_loss", max_trials=TRIALS, seed=seed, directory=folder, fast=fast
        )
        arguments = data()
        cpu, wall = time.process_time(), time.perf_counter()
        tuner.search(**arguments, epochs=EPOCHS, verbose=0)
        spent = time.process_time() - cpu, time.perf_counter() - wall
        scores = [trial.score for trial in tuner.oracle.get_best_trials(TRIALS)]
    return *spent, scores


def main() -> None:
    """Prints for each case the ratio of CPU times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--out", type=Path, default=HERE / "results" / "shorts.csv")
    options = parser.parse_args()
    print(describe(), flush=True)
    search(options.cases[0], "auto", 99)  # imports and kernels
    for case in options.cases:
        ratios, gaps = [], []
        for seed in range(options.repeats):
            sides: list[Any] = ["auto", False] if seed % 2 else [False, "auto"]
            found = {side: search(case, side, seed) for side in sides}
            ours, theirs = found["auto"], found[False]
            ratios.append(ours[0] / theirs[0])
            gaps.append(max(abs(a - b) for a, b in zip(ours[2], theirs[2], strict=True)))
            with options.out.open("a", newline="") as file:
                row = (case, seed, keras.backend.backend(), *ours[:2], *theirs[:2], gaps[-1])
                csv.writer(file).writerow([round(x, 3) if type(x) is float else x for x in row])
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{case}: CPU of ours / fit {np.median(ratios):.2f} ({shown}), ", end="")
        print(f"scores differ by {max(gaps):.1e}", flush=True)


if __name__ == "__main__":
    main()
