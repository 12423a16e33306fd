"""Creating every variable of a model before it is trained."""

from __future__ import annotations

from typing import Any

import keras

from kerashpo.training.data import FitData
from kerashpo.training.jax_initialisers import shared_initialiser_shapes


def build_all(model: keras.Model, data: FitData) -> None:
    """Creates the variables of layers, metrics, loss and optimizer that do not exist yet.

    `fit` does the same lazily from its first batch. A checkpoint can be loaded, and a graph
    traced, only once they exist.

    Args:
        model: a compiled model.
        data: arrays; a pipeline is left to `fit`, which looks at its first batch.
    """
    if not model.compiled:
        return  # its training is the user's own
    if data.is_arrays and data.x is not None:
        triple = data.weighted()
        batch = keras.tree.map_structure(
            lambda leaf: None if leaf is None else leaf[: data.batch], triple
        )
        if not _build_from_shapes(model, batch):
            # The only entry to what `fit` does before its first batch; Keras has no public one.
            model._symbolic_build(data_batch=keras.utils.pack_x_y_sample_weight(*batch))
    optimizer = model.optimizer
    if optimizer is not None and not optimizer.built and model.built:
        with shared_initialiser_shapes():
            optimizer.build(model.trainable_variables)


def _build_from_shapes(model: keras.Model, batch: tuple[Any, Any, Any]) -> bool:
    """Builds metrics and loss from the shapes of target and output, if that is all it takes.

    Keras would trace the model, the loss and the metrics to learn what a model with one symbolic
    output already knows; on small models that takes longer than an epoch.

    Returns:
        whether everything was built.
    """
    target = batch[1]
    outputs = getattr(model, "outputs", None) if model.built else None
    if not outputs or len(outputs) != 1 or not hasattr(target, "shape"):
        return False
    if model._compile_loss is None or not _is_plain(model):
        return False
    known = keras.KerasTensor(target.shape, str(target.dtype))
    metrics = model._compile_metrics
    if metrics is not None and not metrics.built:
        metrics.build(known, outputs[0])
    if not model._compile_loss.built:
        model._compile_loss.build(known, outputs[0])
    return True


def _is_plain(model: keras.Model) -> bool:
    """Whether all metrics are means of a function, whose state exists from the start."""
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
