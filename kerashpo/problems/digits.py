"""Digits: 1,797 handwritten digits of 8 x 8 pixels, and a small convolutional network.

Data: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI (1998),
its test part, as shipped with scikit-learn.
"""

from __future__ import annotations

from typing import Any

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import majority
from kerashpo.problems.splits import Array, Split, mapped, split_of
from kerashpo.problems.task import Task

SIDE = 8
LEVELS = 16.0
"""Pixels count ink from 0 to 16."""
CLASSES = tuple("0123456789")


def digits() -> Task:
    """Returns the task."""
    return Task(
        name="digits",
        build=build_model,
        load=load,
        objective=Objective("val_accuracy", "max"),
        target=0.97,
        batch_size=64,
        classes=CLASSES,
        title={"en": "Digits", "es": "Dígitos"},
        description={
            "en": "1,797 handwritten digits of 8 x 8 pixels: which digit is it? A convolutional "
            "network of one or two blocks; accuracy decides.",
            "es": "1797 dígitos manuscritos de 8 x 8 píxeles: ¿qué dígito es? Una red "
            "convolucional de uno o dos bloques; decide la exactitud.",
        },
        constant=majority,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled CNN: 1-2 blocks of convolution and pooling, then a dense layer.

    Its defaults: one block of 16 filters of 3 x 3, a dense layer of 64 units, dropout 0.2, Adam
    at its own rate of 1e-3.

    Args:
        hp: a `HyperParameters`.
    """
    import keras

    blocks = hp.Int("blocks", 1, 2)
    kernel = hp.Choice("kernel", [3, 5])
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1))])
    for i in range(blocks):
        filters = hp.Int(f"filters_{i}", 8, 32, step=8, default=16)
        model.add(keras.layers.Conv2D(filters, kernel, padding="same", activation="relu"))
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(hp.Int("units", 16, 128, step=16, default=64), activation="relu"))
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1, default=0.2)))
    model.add(keras.layers.Dense(len(CLASSES), activation="softmax"))
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def load(seed: int) -> Split:
    """Returns the split of a seed, stratified; images (n, 8, 8, 1) with ink from 0 to 1."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return mapped(split_of(x, y, seed, stratify=True), _image, lambda y: y)


def _image(x: Array) -> Array:
    return (x / LEVELS).reshape(-1, SIDE, SIDE, 1).astype("float32")
