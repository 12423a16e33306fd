"""Plain Python values that losses, layers, metrics and optimizers read, and callbacks change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.helpers.fit_cases.case import (
    ON_TENSORFLOW,
    VALUES,
    Case,
    Make,
    arrays,
    compiled,
    dense,
    layers,
    stack,
)

ops = keras.ops
SCALE = 1.0
SETTINGS: dict[str, Any] = {"scale": 1.0}
NESTED: dict[str, list[float]] = {"scales": [1.0]}
ARRAY = np.ones(1, "float32")


class Shared:
    scale = 1.0


def errors(y: Any, p: Any) -> Any:
    return ops.mean((y - p) ** 2, axis=-1)


def of_global(y: Any, p: Any) -> Any:
    return SCALE * errors(y, p)


def of_dict(y: Any, p: Any) -> Any:
    return SETTINGS["scale"] * errors(y, p)


def of_list(y: Any, p: Any) -> Any:
    return sum(NESTED["scales"]) * errors(y, p)


def of_array(y: Any, p: Any) -> Any:
    return float(ARRAY[0]) * errors(y, p)


def of_class(y: Any, p: Any) -> Any:
    return Shared.scale * errors(y, p)


class OwnLoss(keras.losses.Loss):
    scale = 1.0

    def __init__(self) -> None:
        super().__init__()
        self._power = 2.0

    def call(self, y: Any, p: Any) -> Any:
        return self.scale * ops.mean(ops.abs(y - p) ** self._power, axis=-1)


class OwnLayer(layers.Layer):
    """Scales by an attribute, in training only."""

    def __init__(self) -> None:
        super().__init__()
        self._scale = 1.0

    def call(self, x: Any, training: bool = False) -> Any:
        return x * self._scale if training else x


class Sets(keras.callbacks.Callback):
    """Calls a function of model and epoch at the start and the end of each epoch."""

    def __init__(self, at_begin: Any = None, at_end: Any = None, at_test: Any = None) -> None:
        super().__init__()
        self.at_begin, self.at_end, self.at_test = at_begin, at_end, at_test

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.at_begin:
            self.at_begin(self.model, epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.at_end:
            self.at_end(self.model, epoch)

    def on_test_begin(self, logs: Any = None) -> None:
        if self.at_test:
            self.at_test(self.model, 2.0)

    def on_test_end(self, logs: Any = None) -> None:
        if self.at_test:
            self.at_test(self.model, 1.0)


def net(
    loss: Any = "mse",
    hidden: Any = None,
    optimizer: Any = None,
    eager: bool = False,
    jit: bool = False,
) -> Any:
    """Returns a builder that first sets the shared values to 1, as scripts with a search do."""

    def build() -> keras.Model:
        global SCALE
        SCALE = SETTINGS["scale"] = Shared.scale = ARRAY[0] = 1.0
        NESTED["scales"] = [1.0]
        made = stack(dense(4), *([hidden] if hidden else []), last=dense(1, None))()
        return compiled(made, optimizer, loss, run_eagerly=eager, jit_compile=jit)

    return build


def halve_global(model: Any, epoch: int) -> None:
    global SCALE
    SCALE *= 0.5


def halve_dict(model: Any, epoch: int) -> None:
    SETTINGS["scale"] *= 0.5


def set_dict(model: Any, value: float) -> None:
    SETTINGS["scale"] = value


def set_dict_anew(model: Any, value: float) -> None:
    """Another value in each validation, and the same one in all training."""
    SETTINGS["scale"] = 1.0 if value == 1.0 else 1.0 + int(model.optimizer.iterations)


def grow_list(model: Any, epoch: int) -> None:
    NESTED["scales"].append(1.0 + epoch)


def halve_array(model: Any, epoch: int) -> None:
    ARRAY[:] *= 0.5


def halve_class(model: Any, epoch: int) -> None:
    Shared.scale *= 0.5


def halve_loss(model: Any, epoch: int) -> None:
    model.loss.scale *= 0.5
    model.loss._power *= 1.5


def halve_layer(model: Any, epoch: int) -> None:
    model.layers[1]._scale *= 0.5


def set_rate(model: Any, epoch: int) -> None:
    model.layers[1].rate = 0.2 * (epoch + 1)


def set_momentum(model: Any, epoch: int) -> None:
    model.optimizer.momentum = 0.3 * epoch


def trace_anew(model: Any, epoch: int) -> None:
    halve_dict(model, epoch)
    if epoch == 1:
        model.make_train_function(force=True)


def closure() -> tuple[Any, Any]:
    scale = 1.0

    def loss(y: Any, p: Any) -> Any:
        return scale * errors(y, p)

    def halve(model: Any, epoch: int) -> None:
        nonlocal scale
        scale *= 0.5

    return loss, halve


CLOSURE, HALVE_CLOSURE = closure()


def of_closure() -> keras.Model:
    CLOSURE.__closure__[0].cell_contents = 1.0
    return net(CLOSURE)()  # type: ignore[no-any-return]


SGD = lambda: keras.optimizers.SGD(0.1)
DATA = arrays(y=VALUES)
OWN_LOSS = Make(OwnLoss)
READS: dict[str, tuple[Callable[[], keras.Model], dict[str, Any]]] = {
    "a global number, halved": (net(of_global), {"at_end": halve_global}),
    "a dict, halved at the start": (net(of_dict), {"at_begin": halve_dict}),
    "a dict, halved, train step made again": (net(of_dict), {"at_end": trace_anew}),
    "a dict, other in validations": (net(of_dict), {"at_test": set_dict}),
    "a dict, other in each validation": (net(of_dict), {"at_test": set_dict_anew}),
    "a list that grows": (net(of_list), {"at_end": grow_list}),
    "an array, halved": (net(of_array), {"at_begin": halve_array}),
    "an attribute of a class, halved": (net(of_class), {"at_end": halve_class}),
    "attributes of a loss, changed": (net(OWN_LOSS), {"at_end": halve_loss}),
    "an attribute of a layer, halved": (net(hidden=OwnLayer), {"at_end": halve_layer}),
    "a rate of dropout, raised": (net(hidden=lambda: layers.Dropout(0.2)), {"at_end": set_rate}),
    "the momentum, changed": (net(optimizer=SGD), {"at_end": set_momentum}),
    "a closure's number, halved": (of_closure, {"at_end": HALVE_CLOSURE}),
}
#: `fit` traces its steps, on JAX too.
TRACED = {
    "a dict, halved, by XLA": (net(of_dict, jit=True), {"at_end": halve_dict}),
    "a dict, other in each validation, by XLA": (
        net(of_dict, jit=True),
        {"at_test": set_dict_anew},
    ),
}
EAGER = {
    "a dict, halved, eagerly": (net(of_dict, eager=True), {"at_end": halve_dict}),
    "an attribute of a layer, halved, eagerly": (
        net(hidden=OwnLayer, eager=True),
        {"at_begin": halve_layer},
    ),
}


def _case(build: Any, changes: Any, **given: Any) -> Case:
    if changes.get("at_end") is set_momentum:
        # On JAX `fit` itself fails: the optimizer has made no variables for a momentum.
        given["applies"] = ON_TENSORFLOW
    return Case(build, DATA, lambda folder: [Sets(**changes)], **given)


CASES = {
    **{name: _case(*parts) for name, parts in READS.items()},
    **{
        f"{name}, not compiled epochs": _case(*parts, compiled=False, fast=False)
        for name, parts in READS.items()
    },
    **{name: _case(*parts, applies=not ON_TENSORFLOW) for name, parts in TRACED.items()},
    **{name: _case(*parts, compiled=False, applies=ON_TENSORFLOW) for name, parts in EAGER.items()},
}
