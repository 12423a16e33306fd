"""Epochs of the tables' small networks in numpy, where TensorFlow spends a millisecond a step.

The models, their initial weights, their optimizers' state and their checkpoints are Keras's; the
steps between are written out here: a chain of dense and dropout layers under Adam. Without dropout
the values are those of ``model.fit`` up to rounding (``python -m experiments.winners.check``);
dropout masks are drawn from another generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import keras
import numpy as np

from kerashpo.core import rng
from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.randomness import EpochKeys, epoch_order

Array = Any


@final
class NumpyLoop(TrainingLoop):
    """Trains chains of dense and dropout layers under Adam."""

    def train(
        self,
        model: keras.Model,
        data: FitData,
        first: int,
        last: int,
        callbacks: list[keras.callbacks.Callback],
        keys: EpochKeys,
    ) -> None:
        """See `TrainingLoop.train`."""
        build_all(model, data)
        listeners = keras.callbacks.CallbackList(callbacks, add_history=True, model=model)
        model.stop_training = False
        network = _Network(model)
        listeners.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(first, last + 1):
            listeners.on_epoch_begin(epoch - 1)
            draw = rng.stream(keys.seed, "layers", keys.trial, keys.run, epoch)
            logs = network.train(data, epoch_order(data, epoch, keys), draw)
            network.put_weights()
            if data.validation is not None:
                listeners.on_test_begin()
                found = network.test(data)
                listeners.on_test_end(found)
                logs |= {f"val_{name}": value for name, value in found.items()}
            if epoch == last:
                network.put_optimizer()
            listeners.on_epoch_end(epoch - 1, logs)
            if model.stop_training:
                break
        network.put_optimizer()
        listeners.on_train_end(logs)

    def fit(
        self,
        model: keras.Model,
        x: Array,
        y: Array,
        *,
        epochs: int = 1,
        initial_epoch: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        keys: EpochKeys = EpochKeys(0, 0, 0),
        **given: Any,
    ) -> keras.callbacks.History:
        """Trains as ``model.fit(x, y, ...)`` does; returns what it returns."""
        history = keras.callbacks.History()
        data = FitData.from_fit(x, y, **given)
        self.train(model, data, initial_epoch + 1, epochs, [history, *callbacks], keys)
        return history


LOOP = NumpyLoop()


class _Network:
    """A model's parameters and Adam's moments, each as one flat array with views into it."""

    def __init__(self, model: keras.Model) -> None:
        self.optimizer = model.optimizer
        if type(self.optimizer) is not keras.optimizers.Adam:
            raise ValueError(f"Expected Adam. Received: {self.optimizer!r}.")
        self.layers = [_layer(layer) for layer in model.layers]
        self.variables = list(model.trainable_variables)
        self.flat, self.parameters = _flat([_array(v) for v in self.variables])
        self.m, _ = _flat([_array(v) for v in self.optimizer._momentums])
        self.v, _ = _flat([_array(v) for v in self.optimizer._velocities])
        self.gradient, self.gradients = _flat([np.zeros_like(p) for p in self.parameters])
        self.step = int(self.optimizer.iterations)
        self.rate = float(self.optimizer.learning_rate)
        self.kind = str(model.loss)

    def train(self, data: FitData, order: Array, draw: np.random.Generator) -> dict[str, float]:
        outputs = []
        for start in range(0, len(order), data.batch):
            rows = order[start : start + data.batch]
            output = self._step(data.x[rows], data.y[rows], draw)
            outputs.append(output)
        return _logs(self.kind, np.concatenate(outputs), data.y[order])

    def test(self, data: FitData) -> dict[str, float]:
        x, y, _ = data.validation
        if data.validation_rows is not None:
            x, y = x[data.validation_rows], y[data.validation_rows]
        return _logs(self.kind, self._forward(x, None)[-1], y)

    def put_weights(self) -> None:
        """Gives the model its weights."""
        for variable, value in zip(self.variables, self.parameters, strict=True):
            variable.assign(value)

    def put_optimizer(self) -> None:
        """Gives the optimizer its state."""
        for variables, flat in (
            (self.optimizer._momentums, self.m),
            (self.optimizer._velocities, self.v),
        ):
            place = 0
            for variable in variables:
                size = int(np.prod(variable.shape))
                variable.assign(flat[place : place + size].reshape(variable.shape))
                place += size
        self.optimizer.iterations.assign(self.step)

    def _forward(self, x: Array, draw: np.random.Generator | None) -> list[Array]:
        """Returns what each layer gives; the last one's are logits, or numbers."""
        values, place = [x], 0
        self.masks: list[Array] = []
        for kind, option in self.layers:
            if kind == "dropout":
                mask = None
                if draw is not None and option > 0:
                    kept = draw.random(values[-1].shape, dtype=np.float32) >= option
                    mask = kept / np.float32(1.0 - option)
                self.masks.append(mask)
                values.append(values[-1] if mask is None else values[-1] * mask)
                continue
            self.masks.append(None)
            w, b = self.parameters[place : place + 2]
            place += 2
            values.append(_ACTIVATIONS[option](values[-1] @ w + b))
        return values

    def _step(self, x: Array, y: Array, draw: np.random.Generator) -> Array:
        values = self._forward(x, draw)
        delta = _slope(self.kind, values[-1], y)
        place = len(self.parameters)
        for i in reversed(range(len(self.layers))):
            kind, option = self.layers[i]
            if kind == "dropout":
                delta = delta if self.masks[i] is None else delta * self.masks[i]
                continue
            place -= 2
            delta = _backward(option, values[i + 1], delta)
            np.matmul(values[i].T, delta, out=self.gradients[place])
            np.sum(delta, axis=0, out=self.gradients[place + 1])
            if place:
                delta = delta @ self.parameters[place].T
        self._adam()
        return values[-1]

    def _adam(self) -> None:
        adam = self.optimizer
        self.step += 1
        first, second = 1 - adam.beta_1**self.step, 1 - adam.beta_2**self.step
        alpha = np.float32(self.rate * np.sqrt(second) / first)
        self.m += (self.gradient - self.m) * np.float32(1 - adam.beta_1)
        self.v += (self.gradient * self.gradient - self.v) * np.float32(1 - adam.beta_2)
        self.flat -= alpha * self.m / (np.sqrt(self.v) + np.float32(adam.epsilon))


def _array(variable: Any) -> Array:
    return keras.ops.convert_to_numpy(variable)


def _sigmoid(z: Array) -> Array:
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * z) + np.float32(1.0))


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": lambda z: np.maximum(z, np.float32(0.0)),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "output": lambda z: z,
}


def _backward(activation: str, value: Array, delta: Array) -> Array:
    if activation == "relu":
        return delta * (value > 0)
    if activation == "tanh":
        return delta * (1 - value * value)
    return delta * value * (1 - value) if activation == "sigmoid" else delta


def _layer(layer: keras.layers.Layer) -> tuple[str, Any]:
    """Returns what a layer does; the last one's activation is the loss's to know."""
    if isinstance(layer, keras.layers.Dropout):
        return "dropout", float(layer.rate)
    if isinstance(layer, keras.layers.Dense):
        is_last = layer.activation.__name__ in ("linear", "softmax") or layer.units == 1
        return "dense", "output" if is_last else layer.activation.__name__
    raise ValueError(f"Expected dense and dropout layers. Received: {layer!r}.")


def _flat(arrays: list[Array]) -> tuple[Array, list[Array]]:
    """Returns one array that holds them all, and views of their shapes into it."""
    flat = np.concatenate([array.reshape(-1) for array in arrays]).astype(np.float32)
    views, place = [], 0
    for array in arrays:
        views.append(flat[place : place + array.size].reshape(array.shape))
        place += array.size
    return flat, views


def _slope(loss: str, output: Array, y: Array) -> Array:
    """Returns the gradient of the mean loss by logits, or by a regression's outputs."""
    if loss == "mse":
        delta = 2 * (output - y[:, None])
    elif loss == "binary_crossentropy":
        delta = _sigmoid(output) - y[:, None]
    else:
        delta = np.exp(output - output.max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        delta[np.arange(len(y)), y] -= 1
    return delta.astype(np.float32) / np.float32(len(y))


def _logs(loss: str, output: Array, y: Array) -> dict[str, float]:
    """Returns loss and metric as Keras logs them, from logits."""
    if loss == "mse":
        error = float(np.mean((output[:, 0] - y) ** 2))
        return {"loss": error, "r2_score": 1 - error / float(np.var(y))}
    if loss == "binary_crossentropy":
        z = output[:, 0]
        losses = np.logaddexp(0, z) - y * z
        return {"loss": float(losses.mean()), "accuracy": float(np.mean((z > 0) == (y == 1)))}
    top = output.max(axis=1, keepdims=True)
    losses = np.log(np.exp(output - top).sum(axis=1)) + top[:, 0] - output[np.arange(len(y)), y]
    right = output.argmax(axis=1) == y
    return {"loss": float(losses.mean()), "accuracy": float(right.mean())}
