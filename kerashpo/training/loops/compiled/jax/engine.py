"""The JAX engine: executables by structure and shapes, variables handed in and out."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, final

import jax
import jax.numpy as jnp
import keras
import numpy as np

from kerashpo.training.data import FitData, Triple, length
from kerashpo.training.loops.compiled.engine import CompiledSession, Engine, Logs, packed
from kerashpo.training.loops.compiled.jax.executables import Compiled, Executables, Values
from kerashpo.training.loops.compiled.jax.lifting import can_be_lifted
from kerashpo.training.loops.compiled.jax.padding import Padding, padding_of
from kerashpo.training.loops.compiled.signature import structure_of

_DATA_HELD = 16


@final
class JaxEngine(Engine):
    """Templates by structure, least recently used out first; data on the device once.

    XLA compiles for exact shapes. Small models are padded, so that those of one structure have
    equal shapes (`padding`); otherwise only models of equal widths share an executable.

    Args:
        traces: how many shared templates to hold.
    """

    def __init__(self, traces: int) -> None:
        self._capacity = traces
        self._shared: OrderedDict[Hashable, Executables] = OrderedDict()
        self._private: weakref.WeakKeyDictionary[keras.Model, Executables] = (
            weakref.WeakKeyDictionary()
        )
        self._data: OrderedDict[int, tuple[FitData, Any, Any]] = OrderedDict()

    @property
    def templates(self) -> int:
        """How many shared templates are held."""
        return len(self._shared)

    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """See `Engine.open`."""
        padding = padding_of(model, data.steps, data.batch)
        return JaxSession(self.template(model, padding), model, padding, data, *self._arrays(data))

    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """See `Engine.evaluate`."""
        data, (template, padding, values) = arrays(packed(triple)), self._whole(model)
        arguments = (values.state(), values.knobs(), data)
        logs, _ = template.compiled("testing", model, padding, batch, *arguments)(*arguments)
        return numbers(logs)

    def predict(self, model: keras.Model, x: Any, batch: int) -> Any:
        """See `Engine.predict`."""
        (template, padding, values), parts = self._whole(model), []
        state, knobs = values.state(), values.knobs()
        for start in range(0, length(x), batch):
            rows = slice(start, start + batch)
            part = arrays((keras.tree.map_structure(lambda leaf, r=rows: leaf[r], x),))
            arguments = (state, knobs, part)
            run = template.compiled("predicting", model, padding, batch, *arguments)
            parts.append(run(*arguments))
        return keras.tree.map_structure(
            lambda *leaves: np.concatenate([np.asarray(leaf) for leaf in leaves]), *parts
        )

    def template(self, model: keras.Model, padding: Padding) -> Executables:
        """Returns the template for a model padded so, made now if there is none."""
        lifted = can_be_lifted(model)
        structure = structure_of(
            model, free=padding.shared, lifted=lifted, alike=padding.shared and lifted
        )
        if structure.key is None:
            return self._private_template(model)
        key = (structure.key, lifted)
        found = self._shared.setdefault(key, Executables(structure.keep, lifted=lifted))
        self._shared.move_to_end(key)
        while len(self._shared) > self._capacity:
            self._shared.popitem(last=False)
        return found

    def _private_template(self, model: keras.Model) -> Executables:
        # `compile` makes these anew.
        made = (model.optimizer, model._compile_loss, model._compile_metrics)
        found = self._private.get(model)
        if found is None or any(old is not new for old, new in zip(found.keep, made, strict=True)):
            found = self._private[model] = Executables(made, lifted=False)
        return found

    def _whole(self, model: keras.Model) -> tuple[Executables, Padding, Values]:
        padding = padding_of(model, 1, 32)
        template = self.template(model, padding)
        return template, padding, Values(model, padding, lifted=template.lifted)

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
class JaxSession(CompiledSession):
    """One model whose values go through an executable once an epoch."""

    def __init__(
        self,
        template: Executables,
        model: keras.Model,
        padding: Padding,
        data: FitData,
        training: Any,
        validation: Any,
    ) -> None:
        self._template, self._model, self._padding = template, model, padding
        self._data, self._training, self._validation = data, training, validation
        self._values = Values(model, padding, lifted=template.lifted)
        self._train: Compiled | None = None
        self._test: Compiled | None = None

    def train_epoch(self, order: np.ndarray) -> Logs:
        """See `CompiledSession.train_epoch`."""
        values, batch = self._values, self._data.batch
        arguments = (values.state(), values.knobs(), self._training, jnp.asarray(order))
        if self._train is None:
            self._train = self._template.compiled(
                "training", self._model, self._padding, batch, *arguments
            )
        logs, state = self._train(*arguments)
        values.set(state)
        values.advance_seeds(-(-len(order) // batch))
        return numbers(logs)

    def test_epoch(self) -> Logs:
        """See `CompiledSession.test_epoch`."""
        values, batch = self._values, self._data.validation_batch
        arguments = (values.state(), values.knobs(), self._validation)
        if self._test is None:
            self._test = self._template.compiled(
                "testing", self._model, self._padding, batch, *arguments
            )
        logs, metrics = self._test(*arguments)
        values.set_metrics(metrics)
        return numbers(logs)

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """Without the checks of `Variable.assign`."""
        variable._value = jnp.asarray(state.astype(variable.dtype))

    def close(self) -> None:
        """Nothing to give back: the values are the model's own after each epoch."""


def arrays(nested: Any) -> Any:
    """Returns nested arrays on the device; lists become tuples, as in Keras's own adapters."""
    return keras.tree.map_structure(jnp.asarray, keras.tree.lists_to_tuples(nested))


def numbers(logs: Any) -> Logs:
    """Returns logs as Python floats where they are scalars, else as arrays."""
    host: dict[str, Any] = jax.device_get(dict(logs))
    return {name: float(v) if np.ndim(v) == 0 else np.asarray(v) for name, v in host.items()}
