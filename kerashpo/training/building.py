"""Creating every variable of a model before it is trained."""

from __future__ import annotations

import keras

from kerashpo.training.fitdata import FitData


def build_all(model: keras.Model, data: FitData) -> None:
    """Creates the variables of layers, metrics, loss and optimizer that do not exist yet.

    `fit` does the same lazily from its first batch. A checkpoint can be loaded, and a graph
    traced, only once they exist.

    Args:
        model: a compiled model.
        data: arrays; a pipeline is left to `fit`, which looks at its first batch.
    """
    if data.is_arrays:
        triple = data.weighted()
        batch = keras.tree.map_structure(
            lambda leaf: None if leaf is None else leaf[: data.batch], triple
        )
        packed = keras.utils.pack_x_y_sample_weight(*batch)
        # The only entry to what `fit` does before its first batch; Keras has no public one.
        model._symbolic_build(data_batch=packed)
    optimizer = model.optimizer
    if optimizer is not None and not optimizer.built and model.built:
        optimizer.build(model.trainable_variables)
