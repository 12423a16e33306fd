"""The TensorFlow engine: which template a model uses, and its epochs as graph calls."""

from __future__ import annotations

import contextlib
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, final

import keras
import numpy as np
import tensorflow as tf

from kerashpo.training.data import FitData, Triple, length
from kerashpo.training.loops.compiled.engine import CompiledSession, Engine, Logs, packed
from kerashpo.training.loops.compiled.signature import structure_of
from kerashpo.training.loops.compiled.tensorflow import graphs
from kerashpo.training.loops.compiled.tensorflow.runtime import (
    clear_kernels,
    is_small,
    one_thread,
    quick_start,
)
from kerashpo.training.loops.compiled.tensorflow.traces import SharedTrace, Trace

#: How many data sets (folds, as a rule) keep their tensors between trials.
_DATA_HELD = 16
#: Sessions between two clearings of TensorFlow's cache of kernels.
_SESSIONS_PER_CLEARING = 100


@final
class TensorFlowEngine(Engine):
    """Templates by structure, least recently used out first; data on the device once.

    Args:
        traces: how many shared templates to hold.
    """

    def __init__(self, traces: int) -> None:
        self._capacity = traces
        self._shared: OrderedDict[Hashable, SharedTrace] = OrderedDict()
        self._private: weakref.WeakKeyDictionary[keras.Model, SharedTrace] = (
            weakref.WeakKeyDictionary()
        )
        self._data: OrderedDict[int, tuple[FitData, Any, Any]] = OrderedDict()
        self._sessions = 0

    @property
    def templates(self) -> int:
        """How many shared templates are held."""
        return len(self._shared)

    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """See `Engine.open`."""
        self._sessions += 1
        if self._sessions % _SESSIONS_PER_CLEARING == 0:
            clear_kernels()
        training, validation = self._tensors(data)
        return TensorFlowSession(self.template(model), model, data, training, validation)

    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """See `Engine.evaluate`."""
        data, template = tensors(packed(triple)), self.template(model)
        with _Lent(template, model):
            graph = template.graph(graphs.trace_testing, model, data)
            return numbers(graph(data, tf.constant(batch)))

    def predict(self, model: keras.Model, x: Any, batch: int) -> Any:
        """See `Engine.predict`."""
        template = self.template(model)
        with _Lent(template, model):
            parts = []
            for start in range(0, length(x), batch):
                rows = slice(start, start + batch)
                part = tensors((keras.tree.map_structure(lambda leaf, r=rows: leaf[r], x),))
                parts.append(template.graph(graphs.trace_predicting, model, part)(part))
        return keras.tree.map_structure(
            lambda *leaves: np.concatenate([leaf.numpy() for leaf in leaves]), *parts
        )

    def template(self, model: keras.Model) -> SharedTrace:
        """Returns the template for this model, made now if there is none."""
        structure = structure_of(model)
        if structure.key is None:
            return self._private_template(model)
        found = self._shared.get(structure.key)
        if found is None:
            found = self._shared[structure.key] = SharedTrace(model, structure)
            while len(self._shared) > self._capacity:
                self._shared.popitem(last=False)
        self._shared.move_to_end(structure.key)
        return found

    def _private_template(self, model: keras.Model) -> SharedTrace:
        found = self._private.get(model)
        if found is None or not found.reads(model):
            found = self._private[model] = SharedTrace(model, structure_of(model))
        return found

    def _tensors(self, data: FitData) -> tuple[Any, Any]:
        held = self._data.get(id(data))
        if held is None:
            validation = None if data.validation is None else tensors(packed(data.validation))
            held = self._data[id(data)] = (data, tensors(packed(data.weighted())), validation)
            while len(self._data) > _DATA_HELD:
                self._data.popitem(last=False)
        self._data.move_to_end(id(data))
        return held[1], held[2]


@final
class TensorFlowSession(CompiledSession):
    """One model lent the variables of its template."""

    def __init__(
        self,
        template: SharedTrace,
        model: keras.Model,
        data: FitData,
        training: Any,
        validation: Any,
    ) -> None:
        self._lent = _Lent(template, model)
        self._model, self._template = model, template
        self._training, self._validation = training, validation
        self._batch = tf.constant(data.batch)
        self._validation_batch = tf.constant(data.validation_batch)
        products = model.count_params() * min(data.batch, length(data.x))
        self._small = is_small(products)
        self._lent.__enter__()

    def train_epoch(self, order: np.ndarray) -> Logs:
        """See `CompiledSession.train_epoch`."""
        data, batch = self._training, self._batch
        return self._run(graphs.trace_training, data, tf.constant(order), batch)

    def test_epoch(self) -> Logs:
        """See `CompiledSession.test_epoch`."""
        return self._run(graphs.trace_testing, self._validation, self._validation_batch)

    def _run(self, trace: Trace, data: Any, *inputs: Any) -> Logs:
        if self._small:
            graph = self._template.small_graph(trace, self._model, data)
            if graph is not None:
                with one_thread():
                    return numbers(graph(data, *inputs))
        return numbers(self._template.graph(trace, self._model, data)(data, *inputs))

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """Without the checks of `Variable.assign`, which cost three times as much."""
        slot = variable._value
        value = tf.constant(state.astype(variable.dtype))
        tf.raw_ops.AssignVariableOp(resource=slot.handle, value=value, validate_shape=False)

    def close(self) -> None:
        """See `CompiledSession.close`."""
        self._lent.__exit__(None, None, None)


@final
class _Lent:
    """The time for which a model lives in its template's variables."""

    def __init__(self, template: SharedTrace, model: keras.Model) -> None:
        self._template, self._model = template, model
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> None:
        if self._template.quick:
            self._stack.enter_context(quick_start())
        loan = self._template.lend(self._model)
        if loan is not None:
            self._stack.callback(loan.end)

    def __exit__(self, *_: Any) -> None:
        self._stack.close()


def tensors(arrays: Any) -> Any:
    """Returns nested arrays as tensors; lists become tuples, which graphs take as arguments."""
    return keras.tree.map_structure(tf.convert_to_tensor, keras.tree.lists_to_tuples(arrays))


def numbers(logs: Any) -> Logs:
    """Returns logs as Python floats where they are scalars, else as arrays."""
    return {
        name: float(value) if value.shape.rank == 0 else value.numpy()
        for name, value in logs.items()
    }
