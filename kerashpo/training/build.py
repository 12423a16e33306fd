"""Builds a model: creates every variable before it is trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import keras

from kerashpo.training.batch_spec import BatchSpec, batch_spec, from_json, to_json
from kerashpo.training.data import FitData
from kerashpo.training.jax_initialisers import shared_initialiser_shapes
from kerashpo.training.late_variables import build_optimizer

#: Methods whose override may create variables in a training step, not in a call of the model.
_STEPS = ("train_step", "test_step", "compute_loss", "compute_metrics")
#: Attribute of a model: the names of its steps that were traced to create their variables.
_TRACED = "_kerashpo_traced_steps"


def build_all(model: keras.Model, data: FitData) -> None:
    """Creates the variables of layers, metrics, loss and optimizers that do not exist yet.

    `fit` does the same lazily from its first batch. Loading a checkpoint and tracing a graph need
    the variables before.

    Args:
        model: a compiled model.
        data: the training data; for a pipeline that cannot be read without consuming it, `fit`
            creates the variables.
    """
    if model.compiled:  # models that are not compiled are trained by user code
        build(model, batch_spec(data), validates=data.validation is not None)


def build(model: keras.Model, spec: BatchSpec | None, validates: bool = True) -> None:
    """Creates all variables of a compiled model from the shapes and dtypes of a batch.

    Args:
        model: a compiled model.
        spec: specification of (x, y, sample_weight); None if it is not known.
        validates: whether the model will be evaluated.
    """
    with strategy_scope(model):
        if spec is not None and not _build_from_shapes(model, spec):
            _build_by_steps(model, spec, validates)
        optimizer = model.optimizer
        if optimizer is not None and not optimizer.built and model.built:
            with shared_initialiser_shapes():
                build_optimizer(optimizer, model.trainable_variables)


def strategy_scope(model: keras.Model) -> AbstractContextManager[Any]:
    """Returns the scope of the `tf.distribute` strategy that a model was built under, if any."""
    strategy = getattr(model, "_distribute_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


@contextlib.contextmanager
def built_already(model: keras.Model) -> Iterator[None]:
    """Context in which `fit` does not build a model under a `tf.distribute` strategy again.

    For that it would read a batch from an iterator and discard the iterator, which occasionally
    crashes TensorFlow 2.21 under `MirroredStrategy`.
    """
    if getattr(model, "_distribute_strategy", None) is None or not model.built:
        yield
        return
    vars(model)["_maybe_symbolic_build"] = lambda iterator=None, data_batch=None: None
    try:
        yield
    finally:
        vars(model).pop("_maybe_symbolic_build", None)


def inputs_to_json(model: keras.Model, spec: BatchSpec | None) -> Any:
    """Returns the inputs of `build_from_json`, with which it builds an equal model, as JSON values.

    Args:
        model: a built model.
        spec: specification of a batch; None to use the model's own build configuration.
    """
    if spec is not None:
        return {"batch": to_json(spec)}
    return {"build_config": to_json(model.get_build_config())}


def build_from_json(model: keras.Model, inputs: Any) -> None:
    """Creates the variables of a model from the result of `inputs_to_json`."""
    match inputs:
        case {"batch": spec}:
            build(model, from_json(spec))
        case {"build_config": config} if config:
            with strategy_scope(model):
                model.build_from_config(from_json(config))


def _build_by_steps(model: keras.Model, spec: BatchSpec, validates: bool) -> None:
    """Builds a model as `fit` does at its first batch, without training it."""
    packed = keras.utils.pack_x_y_sample_weight(*spec)
    own = any(not getattr(type(model), name).__module__.startswith("keras.") for name in _STEPS)
    if keras.backend.backend() == "tensorflow" and own:
        _trace_steps(model, packed, validates)
        return
    # Private in Keras: `fit` calls it before its first batch, and there is no public function.
    model._symbolic_build(data_batch=packed)


def _trace_steps(model: keras.Model, packed: Any, validates: bool) -> None:
    """Traces the model's own steps, which creates their variables, and discards the graphs.

    A trace takes longer than a short epoch, so each step is traced once per model. Unlike
    `tf.function`, which traces again after variables were created, a bare graph allows them.
    """
    import tensorflow as tf

    if model.run_eagerly:
        return  # nothing can be traced: `fit` creates what is missing

    def placeholder(leaf: Any) -> Any:
        return None if leaf is None else tf.compat.v1.placeholder(leaf.dtype, leaf.shape)

    traced = vars(model).setdefault(_TRACED, set())
    for name in ("train_step", "test_step")[: 1 + validates]:
        if name not in traced:
            with tf.__internal__.FuncGraph(name).as_default():
                batch = keras.tree.map_structure(placeholder, keras.tree.lists_to_tuples(packed))
                tf.autograph.experimental.do_not_convert(getattr(model, name))(batch)
            traced.add(name)


def _build_from_shapes(model: keras.Model, spec: BatchSpec) -> bool:
    """Builds metrics and loss from the shapes of target and output, if these are sufficient.

    Keras would trace the model, the loss and the metrics to find shapes that a model with one
    symbolic output already has; for small models this takes longer than an epoch.

    Returns:
        whether everything was built.
    """
    target = spec[1]
    outputs = getattr(model, "outputs", None) if model.built else None
    if not outputs or len(outputs) != 1 or not hasattr(target, "shape"):
        return False
    if model._compile_loss is None or not _is_plain(model):
        return False
    known = keras.KerasTensor(target.shape, target.dtype)
    metrics = model._compile_metrics
    if metrics is not None and not metrics.built:
        metrics.build(known, outputs[0])
    if not model._compile_loss.built:
        model._compile_loss.build(known, outputs[0])
    return True


def _is_plain(model: keras.Model) -> bool:
    """Whether all metrics are means of a function, whose variables need no input shape."""
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        return False
    given = [*_flat(model, "metrics"), *_flat(model, "weighted_metrics")]
    return all(
        isinstance(metric, keras.metrics.Mean) or metric in ("accuracy", "acc", "mae", "mse")
        for metric in given
    )


def _flat(model: keras.Model, name: str) -> list[Any]:
    compiled = getattr(model, "_compile_config", None)
    return [] if compiled is None else keras.tree.flatten(compiled.config.get(name) or [])
