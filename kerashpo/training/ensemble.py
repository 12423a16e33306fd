"""Ensembles: several trained models as one Keras model that averages their predictions.

Averaging the best models of a search, or the models of its folds, generalises better than any
rule that picks one of them (Caruana et al., "Ensemble selection from libraries of models", ICML
2004; Hansen and Salamon, "Neural network ensembles", PAMI 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import keras
from keras import ops

from kerashpo.core.errors import InvalidInput
from kerashpo.training.validated_values import share_values

_SIGMOID = ("BinaryCrossentropy", "BinaryFocalCrossentropy")
_SOFTMAX = (
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "SparseCategoricalCrossentropy",
)
_TINY = 1e-7
"""Keras's own epsilon: probabilities are kept this far from 0 and 1 where logits are averaged."""


@final
@keras.saving.register_keras_serializable(package="kerashpo")
class WeightedAverage(keras.layers.Layer):  # type: ignore[misc]
    """Averages outputs, of equal or given weights; logits as probabilities.

    The mean of logits is not the logit of the mean probability, so that the outputs of models
    whose loss has ``from_logits=True`` are averaged after a sigmoid or softmax, and the average is
    returned as logits.

    Args:
        weights: the weight of each input; they sum to 1. None for equal weights.
        activation: ``"sigmoid"`` or ``"softmax"`` (over the last axis) for logits, else None.
        **kwargs: as for any layer.
    """

    def __init__(
        self, weights: Sequence[float] | None = None, activation: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.shares = None if weights is None else [float(weight) for weight in weights]
        self.activation = activation

    def call(self, inputs: Sequence[Any]) -> Any:
        """Returns the average; every input has the output's shape."""
        shares = self.shares or [1.0 / len(inputs)] * len(inputs)
        if self.activation is None:
            return sum(share * one for share, one in zip(shares, inputs, strict=True))
        squash = ops.sigmoid if self.activation == "sigmoid" else ops.softmax
        mean = sum(share * squash(one) for share, one in zip(shares, inputs, strict=True))
        mean = ops.clip(mean, _TINY, 1.0 - _TINY)
        if self.activation == "sigmoid":
            return ops.log(mean) - ops.log1p(-mean)
        return ops.log(mean)

    def compute_output_shape(self, input_shape: Sequence[Any]) -> Any:
        """Returns the shape of one member's output."""
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """Returns the layer's arguments."""
        return {**super().get_config(), "weights": self.shares, "activation": self.activation}


def average_models(
    members: Sequence[keras.Model],
    names: Sequence[str],
    inputs: Any = None,
    name: str = "ensemble",
    weights: Sequence[float] | None = None,
) -> keras.Model:
    """Returns one compiled model whose outputs are the averages of its members' outputs.

    Probabilities and numbers are averaged as they are, logits as probabilities (see
    `WeightedAverage`), each output of a multi-output model by itself. Loss and metrics are
    the first member's. It saves to one ``.keras`` file; members of the user's own classes need
    these classes where it is loaded, as a single model of them does.

    Args:
        members: built models that take the same inputs and return outputs of the same structure
            and shapes. Their names are changed to `names`.
        names: the name of each member within the ensemble; names must differ.
        inputs: arrays or tensors in the structure of the inputs, whose shapes and dtypes are used
            for models without `keras.Input`.
        name: the ensemble's name.
        weights: the weight of each member; they sum to 1. None for equal weights.

    Raises:
        InvalidInput: if there is no member, or their inputs or outputs do not agree.
    """
    if not members:
        raise InvalidInput("An ensemble needs at least one model. Received: none.")
    symbols = _fresh_inputs(members[0], inputs)
    compiled = _compile_config(members[0])
    outputs = []
    for member, called in zip(members, names, strict=True):
        member.name, member.compiled = called, False  # only the ensemble is compiled
        outputs.append(_call(member, symbols))
    _check_alike(outputs, names)
    flat = [keras.tree.flatten(one) for one in outputs]
    labels = output_names(members[0], outputs[0])
    kinds = logit_activations(members[0], labels)
    means = [
        _average([one[place] for one in flat], kind, label, weights)
        for place, (label, kind) in enumerate(zip(labels, kinds))
    ]
    model = keras.Model(symbols, keras.tree.pack_sequence_as(outputs[0], means), name=name)
    if compiled is not None:
        _compile_like(model, members[0], compiled)
        share_values(members[0], model)
    return model


def _call(member: keras.Model, symbols: Any) -> Any:
    try:
        return member(symbols, training=False)
    except Exception as error:
        raise InvalidInput(
            f"The models of an ensemble must take the same inputs, but {member.name!r} does not "
            f"take those of the first one: {error}"
        ) from error


def _check_alike(outputs: Sequence[Any], names: Sequence[str]) -> None:
    first = keras.tree.map_structure(lambda one: tuple(one.shape), outputs[0])
    for other, called in zip(outputs[1:], names[1:]):
        shapes = keras.tree.map_structure(lambda one: tuple(one.shape), other)
        if shapes != first:
            raise InvalidInput(
                "The models of an ensemble must give outputs of equal shapes, but "
                f"{names[0]!r} gives {first} and {called!r} gives {shapes}."
            )


def _average(
    outputs: list[Any], activation: str | None, name: str, weights: Sequence[float] | None
) -> Any:
    if activation is not None or weights is not None:
        return WeightedAverage(weights, activation, name=name)(outputs)
    if len(outputs) == 1:
        return keras.layers.Identity(name=name)(outputs[0])
    return keras.layers.Average(name=name)(outputs)


def output_names(model: keras.Model, outputs: Any) -> list[str]:
    """Returns a name for each output: the key of a dict, else the model's output name."""
    flat = keras.tree.flatten(outputs)
    if isinstance(outputs, dict):
        paths, _ = zip(*keras.tree.flatten_with_path(outputs))
        return ["_".join(map(str, path)) for path in paths]
    own = list(getattr(model, "output_names", None) or ())
    if len(own) == len(flat) == len(set(own)):
        return own
    return ["output"] if len(flat) == 1 else [f"output_{i}" for i in range(len(flat))]


def _fresh_inputs(model: keras.Model, given: Any) -> Any:
    """Returns new symbolic inputs with the structure of the model's own, else that of `given`."""
    own = getattr(model, "_inputs_struct", None)
    if isinstance(model, keras.Sequential) and model.built and model.inputs:
        own = model.inputs[0]
    if own is None:
        own = given
    if own is None:
        raise InvalidInput(
            f"The inputs of the model {model.name!r} are not known: an ensemble is built from "
            "models that begin with keras.Input, or given the data that they were trained on."
        )
    return keras.tree.map_structure(
        lambda one: keras.Input(
            batch_shape=(None, *one.shape[1:]), dtype=one.dtype, name=getattr(one, "name", None)
        ),
        own,
    )


def logit_activations(model: keras.Model, labels: Sequence[str]) -> list[str | None]:
    """Returns the activation that turns each output's logits into probabilities, else None."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        own = list(getattr(model, "output_names", None) or labels)
        other = own if len(own) == len(labels) else labels
        losses = [loss.get(label, loss.get(alias)) for label, alias in zip(labels, other)]
    elif isinstance(loss, (list, tuple)):
        losses = list(loss)
    else:
        losses = [loss] * len(labels)
    return [_logits(one) for one in losses]


def _logits(loss: Any) -> str | None:
    if not getattr(loss, "from_logits", getattr(loss, "_fn_kwargs", {}).get("from_logits", False)):
        return None
    kind = type(loss).__name__
    if kind in _SIGMOID:
        return "sigmoid"
    return "softmax" if kind in _SOFTMAX else None


def _compile_config(member: keras.Model) -> dict[str, Any] | None:
    """Returns the compile arguments of `member`, serialised by Keras; None if not compiled."""
    return (member.get_compile_config() or {}) if getattr(member, "compiled", False) else None


def _compile_like(model: keras.Model, member: keras.Model, config: dict[str, Any]) -> None:
    """Compiles with the loss and metrics of a member.

    The optimizer is SGD, which has no state: an ensemble is not meant to be trained further, and
    optimizer slots would make its file larger.
    """
    try:
        arguments = keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError):
        # A loss or metric that Keras cannot serialise is shared with the member as it is.
        arguments = {"loss": member.loss}
    model.compile(**{**arguments, "optimizer": keras.optimizers.SGD()})
