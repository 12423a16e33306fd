"""Open widths: convolutions and recurrent layers whose size a trace on TensorFlow leaves open."""

from __future__ import annotations

import keras

#: Layers that may have an open width where the channels are the last axis.
IMAGES = frozenset(
    "Conv1D Conv2D MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D "
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D "
    "Flatten Embedding Dot".split()
)
#: Recurrent layers that may have one, and their cells.
RECURRENT = frozenset("GRU LSTM SimpleRNN GRUCell LSTMCell SimpleRNNCell".split())


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns all layers of a model, nested ones too, each once, in a fixed order."""
    return list(model._flatten_layers(include_self=False))


def convolutions_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the convolutions of a model."""
    kinds = (keras.layers.Conv1D, keras.layers.Conv2D)
    return [layer for layer in layers_of(model) if type(layer) in kinds]


def recurrent_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the recurrent layers of a model that may have an open width."""
    kinds = (keras.layers.GRU, keras.layers.LSTM, keras.layers.SimpleRNN)
    return [layer for layer in layers_of(model) if type(layer) in kinds]


def is_dense(model: keras.Model) -> bool:
    """Whether a model has none of the layers whose size Grappler makes use of."""
    large = keras.layers.Embedding
    other = (*convolutions_of(model), *recurrent_of(model))
    return not other and not any(type(layer) is large for layer in layers_of(model))


def can_be_open(layer: keras.layers.Layer) -> bool:
    """Whether the graph of a layer, one of `IMAGES` or `RECURRENT`, can leave its width open."""
    if type(layer).__name__ not in RECURRENT:
        return _has_plain_channels(layer)
    return _is_plain_recurrence(layer) if hasattr(layer, "cell") else _is_plain_cell(layer)


def _has_plain_channels(layer: keras.layers.Layer) -> bool:
    """Whether a layer's channels are the last axis, and a convolution mixes all of them.

    An embedding makes no mask, which a recurrent layer would give a known shape.
    """
    values = vars(layer)
    return (
        values.get("data_format", "channels_last") == "channels_last"
        and values.get("groups", 1) == 1
        and set(values.get("dilation_rate", (1,))) == {1}
        and values.get("padding") != "causal"
        and not values.get("lora_enabled", False)
        and not values.get("mask_zero", False)
    )


def _is_plain_recurrence(layer: keras.layers.Layer) -> bool:
    """Whether a recurrent layer begins at zeros for every batch."""
    alone = all(len(node.input_tensors) == 1 for node in layer._inbound_nodes)
    return alone and not layer.stateful


def _is_plain_cell(cell: keras.layers.Layer) -> bool:
    """Whether a cell drops nothing, and slices no variable by its number of units."""
    whole = getattr(cell, "implementation", 2) == 2 and getattr(cell, "reset_after", True)
    return bool(whole and not (cell.dropout or cell.recurrent_dropout))
