"""What a built model's prediction costs: operations, activations and latency, on TF and JAX."""

from __future__ import annotations

import functools
import inspect
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput

_WARM_UP = 5
_FEWEST, _MOST = 20, 200
_SECONDS = 0.5


def count_operations(model: keras.Model) -> float:
    """Returns the floating-point operations of the prediction of one sample, as the backend counts.

    A multiplication and an addition count as two. The body of a loop counts once, so that recurrent
    layers are underestimated.

    Args:
        model: built.

    Raises:
        InvalidInput: for a model whose input shapes are not known, or another backend.
    """
    inputs = zeros(model, 1)
    match keras.backend.backend():
        case "tensorflow":
            return _count_on_tensorflow(model, inputs)
        case "jax":
            import jax

            lowered = jax.jit(_stateless(model)).lower(_variables(model), inputs)
            found = lowered.cost_analysis()
            costs = found[0] if isinstance(found, list) else found
            return float((costs or {}).get("flops", 0.0))
    raise InvalidInput(
        "flops are counted on the TensorFlow and JAX backends. Received: "
        f"{keras.backend.backend()!r}."
    )


def tensor_bytes(shape: Iterable[int], dtype: Any) -> int:
    """Returns how many bytes a tensor takes, its type given as NumPy's, Keras's or a name."""
    name = str(getattr(dtype, "name", dtype))
    item = 2 if name == "bfloat16" else np.dtype(name).itemsize
    return math.prod(shape) * int(item)


def count_activation_bytes(model: keras.Model, batch_size: int) -> float:
    """Returns the bytes of the outputs of all of a model's layers for a batch.

    A tensor that several layers return (a nested model and its last layer, dropout that passes on
    its input) counts once, a layer that is called twice counts twice. The body of a loop counts
    once.

    Args:
        model: built.
        batch_size: samples in the batch.

    Raises:
        InvalidInput: for a model whose input shapes are not known, or another backend.
    """
    inputs = zeros(model, batch_size)
    outputs: dict[int, Any] = {}
    with _recorded_outputs(model, outputs):
        match keras.backend.backend():
            case "tensorflow":
                _traced(model, inputs)
            case "jax":
                import jax

                jax.eval_shape(_stateless(model), _variables(model), inputs)
            case other:
                raise InvalidInput(
                    "activations are counted on the TensorFlow and JAX backends. Received: "
                    f"{other!r}."
                )
    return float(sum(tensor_bytes(one.shape, one.dtype) for one in outputs.values()))


@contextmanager
def _recorded_outputs(model: keras.Model, outputs: dict[int, Any]) -> Iterator[None]:
    """Notes the tensors, by identity, that layers compute while they are called inside."""

    def recording(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def recorded(*args: Any, **options: Any) -> Any:
            given = {id(one) for one in keras.tree.flatten((args, options))}
            found = call(*args, **options)
            for one in keras.tree.flatten(found):
                if id(one) not in given and hasattr(one, "dtype"):
                    outputs[id(one)] = one  # kept, so that no other tensor gets its identity
            return found

        return recorded

    layers = [one for one in model._flatten_layers(include_self=False) if "call" not in vars(one)]
    for layer in layers:  # past Keras's own __setattr__, which tracks what is assigned
        object.__setattr__(layer, "call", recording(layer.call))
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def time_predictions(model: keras.Model, batch_size: int, device: str | None) -> list[float]:
    """Returns the seconds of repeated predictions of a batch, compiled and warmed up.

    Repeats between 20 and 200 times, about half a second in all.

    Args:
        model: built.
        batch_size: samples in the batch, which holds zeros.
        device: a name of `keras.device`, e.g. ``"cpu:0"``; None for the backend's own choice.

    Raises:
        InvalidInput: for a model whose input shapes are not known, or another backend.
    """
    with _on(device):
        predict = _compiled(model, zeros(model, batch_size))
        for _ in range(_WARM_UP):
            predict()
        seconds: list[float] = []
        while len(seconds) < _FEWEST or (sum(seconds) < _SECONDS and len(seconds) < _MOST):
            began = time.perf_counter()
            predict()
            seconds.append(time.perf_counter() - began)
    return seconds


def repeated_predictions(model: keras.Model) -> Callable[[], int]:
    """Returns a function that predicts one row for half a second and returns how often it did.

    The prediction is compiled and warm before the function is returned.

    Args:
        model: built.

    Raises:
        InvalidInput: for a model whose input shapes are not known, or another backend.
    """
    predict = _compiled(model, zeros(model, 1))
    for _ in range(_WARM_UP):
        predict()

    def repeat() -> int:
        count, began = 0, time.perf_counter()
        while count < _FEWEST or (count < 1000 and time.perf_counter() - began < _SECONDS):
            predict()
            count += 1
        return count

    return repeat


def zeros(model: keras.Model, batch_size: int) -> Any:
    """Returns a batch of zeros in the structure of a built model's inputs.

    Raises:
        InvalidInput: if their shapes are not known.
    """
    symbolic = getattr(model, "_inputs_struct", None)
    if symbolic is None:
        symbolic = getattr(model, "inputs", None) or None
    if symbolic is None:
        config = model.get_build_config() or {}
        shape = config.get("input_shape")
        if shape is None:
            raise InvalidInput(
                f"The shapes of the inputs of {type(model).__name__} are not known: begin the "
                "model with keras.Input, or give it a method build(input_shape)."
            )
        symbolic = keras.KerasTensor(tuple(shape), dtype=keras.config.floatx())
    if isinstance(symbolic, list) and len(symbolic) == 1:
        symbolic = symbolic[0]

    def batch(tensor: Any) -> np.ndarray:
        shape = (batch_size, *tensor.shape[1:])
        if None in shape:
            raise InvalidInput(
                f"The input {tensor.name!r} has a dimension of unknown size: {tensor.shape}. Give "
                "it a size in keras.Input to measure the model."
            )
        return np.zeros(shape, dtype=keras.backend.standardize_dtype(tensor.dtype))

    return keras.tree.map_structure(batch, symbolic)


def _on(device: str | None) -> AbstractContextManager[Any]:
    if device is None:
        return nullcontext()
    found: AbstractContextManager[Any] = keras.device(device)
    return found


def _compiled(model: keras.Model, inputs: Any) -> Callable[[], None]:
    """Returns a function that predicts a batch and waits until that is done."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            batch = tf.nest.map_structure(tf.constant, inputs)
            traced = tf.function(lambda x: model(x, **_not_training(model)), autograph=False)

            def wait() -> None:
                for one in tf.nest.flatten(traced(batch)):
                    one.numpy()

            return wait
        case "jax":
            import jax

            variables, batch = _variables(model), jax.device_put(inputs)
            jitted = jax.jit(_stateless(model))

            def block() -> None:
                jax.block_until_ready(jitted(variables, batch))

            return block
    raise InvalidInput(
        "latency is measured on the TensorFlow and JAX backends. Received: "
        f"{keras.backend.backend()!r}."
    )


def _variables(model: keras.Model) -> tuple[list[Any], list[Any]]:
    trainable = [v.value for v in model.trainable_variables]
    return trainable, [v.value for v in model.non_trainable_variables]


def _stateless(model: keras.Model) -> Callable[[Any, Any], Any]:
    options = _not_training(model)

    def predict(variables: Any, inputs: Any) -> Any:
        return model.stateless_call(*variables, inputs, **options)[0]

    return predict


def _not_training(model: keras.Model) -> dict[str, bool]:
    """Returns the argument of a call for inference, if the model's own `call` takes it."""
    taken = inspect.signature(model.call).parameters
    return {"training": False} if "training" in taken else {}


def _traced(model: keras.Model, inputs: Any) -> Any:
    """Returns TensorFlow's concrete function of a prediction."""
    import tensorflow as tf

    specs = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
    traced = tf.function(lambda x: model(x, **_not_training(model)), autograph=False)
    return traced.get_concrete_function(specs)


def _count_on_tensorflow(model: keras.Model, inputs: Any) -> float:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )

    # With constants for the variables all shapes are known, which the count needs.
    frozen, _ = convert_variables_to_constants_v2_as_graph(_traced(model, inputs))
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # it warns that one of its own functions is deprecated
    try:
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(frozen.graph.as_graph_def(), name="")
            found = tf.compat.v1.profiler.profile(graph=graph, cmd="op", options=options)
    finally:
        logger.setLevel(level)
    return float(found.total_float_ops if found is not None else 0)
