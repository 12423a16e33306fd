"""TensorFlow engine: finds the trace of a model and runs its epochs as graph calls."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, final

import keras
import numpy as np
import tensorflow as tf

from kerashpo.training.arrays import Triple
from kerashpo.training.data import FitData
from kerashpo.training.late_variables import allocate
from kerashpo.training.loops.compiled.engine import (
    CompiledSession,
    Engine,
    Logs,
    packed,
    to_numbers,
)
from kerashpo.training.loops.compiled.open_widths import convolutions_of, recurrent_of
from kerashpo.training.loops.compiled.signature import structure_of
from kerashpo.training.loops.compiled.tensorflow import graphs
from kerashpo.training.loops.compiled.tensorflow.activations import switched_activations_of
from kerashpo.training.loops.compiled.tensorflow.runtime import (
    clear_kernels,
    collect_overdue,
    has_gpu,
    is_small,
    single_threaded_executor,
    without_grappler,
)
from kerashpo.training.loops.compiled.tensorflow.streams import Stream
from kerashpo.training.loops.compiled.tensorflow.traces import SharedTrace, Trace

#: Number of sessions after which TensorFlow's kernel cache is cleared.
_SESSIONS_PER_CLEARING = 100
#: Products of a model whose sizes are not known: not few.
_UNKNOWN = 10**12


@final
class TensorFlowEngine(Engine[SharedTrace]):
    """Engine for compiled epochs on TensorFlow: traces that do not depend on layer widths.

    Args:
        capacity: the largest number of shared traces.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self._sessions = 0

    def open(self, model: keras.Model, data: FitData) -> CompiledSession:
        """See `Engine.open`."""
        self._sessions += 1
        if self._sessions % _SESSIONS_PER_CLEARING == 0:
            clear_kernels()
        training, validation = self._on_device(data)
        if not data.trains_on_arrays:
            training = Stream.of_training(model, data)
        if data.validation is not None and validation is None:
            validation = Stream.of_validation(model, data)
        return TensorFlowSession(self.trace(model), model, data, training, validation)

    def close(self) -> None:
        """See `Engine.close`: kernels and graphs of many short searches would add up."""
        clear_kernels()
        collect_overdue()

    def evaluate(self, model: keras.Model, triple: Triple, batch: int) -> Logs:
        """See `Engine.evaluate`."""
        data, trace = self._to_device(packed(triple)), self.trace(model)
        with _BoundModel(trace, model) as bound:
            graph = bound.graph(graphs.trace_testing, data)
            return to_numbers(graph(data, tf.constant(batch)))

    @contextlib.contextmanager
    def predictor(self, model: keras.Model) -> Iterator[Callable[[Any], Any]]:
        """See `Engine.predictor`."""
        trace = self.trace(model)
        with _BoundModel(trace, model) as bound:
            yield lambda part: bound.graph(graphs.trace_predicting, part)(part)

    def to_tensor(self, array: np.ndarray) -> Any:
        """See `Engine.to_tensor`."""
        return tf.convert_to_tensor(array)

    def trace(self, model: keras.Model) -> SharedTrace:
        """Returns the trace for this model; it is made if there is none."""
        activations = [layer for layer, _ in switched_activations_of(model)]
        structure = structure_of(
            model, activations=activations, images=True, recurrent=not has_gpu()
        )
        if structure.key is None:
            return self._of_model(
                model, lambda held: held.reads(model), lambda: SharedTrace(model, structure)
            )
        return self._of_signature(structure.key, lambda: SharedTrace(model, structure))


@final
class TensorFlowSession(CompiledSession):
    """Session that binds a model to the variables of a shared trace while it trains."""

    def __init__(
        self,
        shared: SharedTrace,
        model: keras.Model,
        data: FitData,
        training: Any,
        validation: Any,
    ) -> None:
        self._bound = _BoundModel(shared, model)
        self._shared = shared.shared
        self._training, self._validation = training, validation
        self._small = False
        if not isinstance(training, Stream):
            self._batch = tf.constant(data.batch)
            self._small = is_small(_products_of(model) * min(data.batch, data.samples))
        if validation is not None and not isinstance(validation, Stream):
            self._validation_batch = tf.constant(data.validation_batch)
            order = data.validation_order(model.steps_per_execution)
            self._validation_order = None if order is None else tf.constant(order)
        self._bound.__enter__()

    def skip(self, epochs: int) -> None:
        """See `CompiledSession.skip`."""
        if isinstance(self._training, Stream):
            self._training.skip(epochs)

    def train_epoch(self, order: np.ndarray | None) -> Logs:
        """See `CompiledSession.train_epoch`."""
        if isinstance(self._training, Stream):
            return self._read(graphs.trace_training_stream, self._training)
        data, batch = self._training, self._batch
        return to_numbers(self._run(graphs.trace_training, data, tf.constant(order), batch))

    def train_until_nan(self, order: np.ndarray) -> tuple[Logs, int]:
        """See `CompiledSession.train_until_nan`."""
        inputs = self._training, tf.constant(order), self._batch
        logs, batches = self._run(graphs.trace_training_until_nan, *inputs)
        return to_numbers(logs), int(batches)

    def test_epoch(self) -> Logs:
        """See `CompiledSession.test_epoch`."""
        if isinstance(self._validation, Stream):
            self._validation.restart()
            return self._read(graphs.trace_testing_stream, self._validation)
        data, batch, order = self._validation, self._validation_batch, self._validation_order
        if order is None:
            return to_numbers(self._run(graphs.trace_testing, data, batch))
        return to_numbers(self._run(graphs.trace_testing_rows, data, order, batch))

    def _read(self, trace: Trace, stream: Stream) -> Logs:
        with stream.epoch() as (iterator, most):
            graph = self._bound.graph(trace, iterator)
            return to_numbers(graph(iterator, tf.constant(most)))

    def _run(self, trace: Trace, data: Any, *inputs: Any) -> Any:
        if self._small:
            graph = self._bound.small_graph(trace, data)
            if graph is not None:
                with single_threaded_executor():
                    return graph(data, *inputs)
        return self._bound.graph(trace, data)(data, *inputs)

    def set_seed(self, variable: Any, state: np.ndarray) -> None:
        """Sets a seed without the checks of `Variable.assign`, which take three times as long."""
        allocate([variable])
        slot = variable._value
        value = tf.constant(state.astype(variable.dtype))
        tf.raw_ops.AssignVariableOp(resource=slot.handle, value=value, validate_shape=False)

    def close(self) -> None:
        """See `CompiledSession.close`."""
        self._bound.__exit__(None, None, None)

    def reopen(self) -> bool:
        """See `CompiledSession.reopen`; private traces and pipelines are opened anew."""
        if not self._shared or isinstance(self._training, Stream):
            return False
        self._bound.__enter__()
        return True


@final
class _BoundModel:
    """Context in which a model uses the variables of a trace."""

    def __init__(self, shared: SharedTrace, model: keras.Model) -> None:
        self._trace, self._model = shared, model
        # As `fit`, which reads a layer's activation once.
        self._activations = shared.activations(model)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> _BoundModel:
        if self._trace.quick:
            self._stack.enter_context(without_grappler())
        binding = self._trace.bind(self._model)
        if binding is not None:
            self._stack.callback(binding.end)
        return self

    def __exit__(self, *_: Any) -> None:
        self._stack.close()

    def graph(self, trace: Trace, data: Any) -> Any:
        """See `SharedTrace.graph`."""
        return self._trace.graph(trace, self._model, data, self._activations)

    def small_graph(self, trace: Trace, data: Any) -> Any:
        """See `SharedTrace.small_graph`."""
        return self._trace.small_graph(trace, self._model, data, self._activations)


def _products_of(model: keras.Model) -> int:
    """Returns the products of one sample, for `is_small`: one for each parameter.

    Four of a convolution's count as one: it uses each parameter at many places, and its update is
    not among them. Measured on two cores: one thread takes 25 to 40 % less CPU time up to 5 million
    of them in a step, 17 % more at 20 million, and no more seconds.
    """
    products = sum(math.prod(variable.shape) for variable in model.variables)
    if recurrent_of(model):
        return _UNKNOWN
    for layer in convolutions_of(model):
        outputs = [node.output_tensors[0].shape[1:-1] for node in layer._inbound_nodes]
        places = [size for shape in outputs for size in shape]
        if None in places or not places:
            return _UNKNOWN
        products += math.prod(layer._kernel.shape) * sum(map(math.prod, outputs)) // 4
    return products
