"""The JAX engine: compiled epochs by structure and shapes, variables handed in and out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerashpo.training.compiled.engine import Engine, Logs, Session, packed
from kerashpo.training.compiled.jax import graphs
from kerashpo.training.compiled.structure import structure_of
from kerashpo.training.fitdata import FitData, Triple, length

_DATA_HELD = 16
#: An executable is large, and code of one model is of no use once it is gone.
_PRIVATE_HELD = 8
Compiled = Callable[..., Any]


@final
class JaxEngine(Engine):
    """Executables by key, least recently used out first; data on the device once.

    XLA compiles for exact shapes, so only models of equal shapes share an executable; what
    differs between them (learning rate, initial values) is an input.

    Args:
        traces: how many shared executables to hold, of each kind.
    """

    def __init__(self, traces: int) -> None:
        self._capacity = 3 * traces
        self._shared: OrderedDict[Hashable, tuple[Compiled, Any]] = OrderedDict()
        self._private: OrderedDict[Hashable, tuple[Compiled, Any]] = OrderedDict()
        self._data: OrderedDict[int, tuple[FitData, Any, Any]] = OrderedDict()

    @property
    def templates(self) -> int:
        """How many shared executables are held."""
        return len(self._shared)

    def open(self, model: keras.Model, data: FitData) -> Session:
        """See `Engine.open`."""
        return JaxSession(self, model, data, *self._arrays(data))

    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """See `Engine.evaluate`."""
        data, state = arrays(packed(triple)), values_of(model)
        logs, _ = self.compiled("test", model, graphs.testing, batch, state, data)(state, data)
        return numbers(logs)

    def predict(self, model: keras.Model, x: Any, batch: int) -> Any:
        """See `Engine.predict`."""
        state, parts = values_of(model), []
        for start in range(0, length(x), batch):
            rows = slice(start, start + batch)
            part = arrays((keras.tree.map_structure(lambda leaf, r=rows: leaf[r], x),))
            make = self.compiled("predict", model, _predicting, batch, state, part)
            parts.append(make(state, part))
        return keras.tree.map_structure(
            lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts
        )

    def compiled(
        self,
        kind: str,
        model: keras.Model,
        make: Callable[[keras.Model, int], Callable[..., Any]],
        batch: int,
        *arguments: Any,
    ) -> Compiled:
        """Returns the executable of ``make(model, batch)`` for arguments of these shapes."""
        structure = structure_of(model, free=False, lifted=False)
        held = self._private if structure.key is None else self._shared
        owner: Any = id(model) if structure.key is None else structure.key
        key = (kind, owner, batch, _shapes(arguments))
        if key not in held:
            executable = jax.jit(make(model, batch)).lower(*arguments).compile()
            # A private key is an identity, which must not be given to another model.
            held[key] = executable, model if structure.key is None else structure.keep
            while len(held) > (_PRIVATE_HELD if held is self._private else self._capacity):
                held.popitem(last=False)
        held.move_to_end(key)
        return held[key][0]

    def _arrays(self, data: FitData) -> tuple[Any, Any]:
        held = self._data.get(id(data))
        if held is None:
            validation = None if data.validation is None else arrays(packed(data.validation))
            held = self._data[id(data)] = (data, arrays(packed(data.weighted())), validation)
            while len(self._data) > _DATA_HELD:
                self._data.popitem(last=False)
        self._data.move_to_end(id(data))
        return held[1], held[2]


@final
class JaxSession(Session):
    """One model whose values go through an executable once an epoch."""

    def __init__(
        self, engine: JaxEngine, model: keras.Model, data: FitData, training: Any, validation: Any
    ) -> None:
        self._engine, self._model, self._data = engine, model, data
        self._training, self._validation = training, validation
        self._train: Compiled | None = None
        self._test: Compiled | None = None

    def train_epoch(self, order: np.ndarray) -> Logs:
        """See `Session.train_epoch`."""
        arguments = (values_of(self._model), self._training, jnp.asarray(order))
        if self._train is None:
            self._train = self._engine.compiled(
                "train", self._model, graphs.training, self._data.batch, *arguments
            )
        logs, state = self._train(*arguments)
        for variables, values in zip(graphs.variables_of(self._model), state, strict=True):
            _set(variables, values)
        return numbers(logs)

    def test_epoch(self) -> Logs:
        """See `Session.test_epoch`."""
        arguments = (values_of(self._model), self._validation)
        if self._test is None:
            self._test = self._engine.compiled(
                "test", self._model, graphs.testing, self._data.validation_batch, *arguments
            )
        logs, metrics = self._test(*arguments)
        _set(self._model.metrics_variables, metrics)
        return numbers(logs)

    def close(self) -> None:
        """Nothing to give back: the values are the model's own after each epoch."""


def values_of(model: keras.Model) -> graphs.State:
    """Returns the current values of all variables."""
    trainable, fixed, optimizer, metrics = (
        [variable.value for variable in variables] for variables in graphs.variables_of(model)
    )
    return trainable, fixed, optimizer, metrics


def _set(variables: list[Any], values: list[Any]) -> None:
    # `assign` would check again, for each variable and epoch, what compilation has checked.
    for variable, value in zip(variables, values, strict=True):
        variable._value = value


def arrays(nested: Any) -> Any:
    """Returns nested arrays on the device; lists become tuples, as in Keras's own adapters."""
    return keras.tree.map_structure(jnp.asarray, keras.tree.lists_to_tuples(nested))


def numbers(logs: Any) -> Logs:
    """Returns logs as Python floats where they are scalars, else as arrays."""
    host: dict[str, Any] = jax.device_get(dict(logs))
    return {name: float(v) if np.ndim(v) == 0 else np.asarray(v) for name, v in host.items()}


def _predicting(model: keras.Model, batch: int) -> Callable[..., Any]:
    return graphs.predicting(model)


def _shapes(arguments: Any) -> Hashable:
    leaves, tree = jax.tree.flatten(arguments)
    return tree, tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves)
