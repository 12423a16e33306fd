"""Trace signature of a model: models with equal signatures share one compiled graph."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import keras

from kerashpo.training.captured_state import Opaque
from kerashpo.training.loops.compiled.canonical_config import (
    IGNORED,
    Inputs,
    canonical,
    describe,
)
from kerashpo.training.loops.compiled.open_widths import (
    IMAGES,
    RECURRENT,
    can_be_open,
    layers_of,
)
from kerashpo.training.model_state import state_variables

#: Layers whose graph does not depend on their widths if their variables' shapes are left open.
_FREE = frozenset(
    "InputLayer Dense Dropout Activation ReLU LeakyReLU ELU Softmax Identity Rescaling "
    "GaussianNoise BatchNormalization Add Subtract Multiply Average Maximum Minimum "
    "Concatenate".split()
)
#: Layers whose graph their configuration and their variables' shapes determine.
_KNOWN = _FREE | frozenset(
    "Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose DepthwiseConv1D DepthwiseConv2D "
    "SeparableConv1D SeparableConv2D MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D "
    "AveragePooling2D AveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
    "GlobalAveragePooling1D GlobalAveragePooling2D Flatten Reshape Permute RepeatVector "
    "ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D UpSampling1D UpSampling2D "
    "LayerNormalization GroupNormalization UnitNormalization Embedding LSTM GRU SimpleRNN "
    "LSTMCell GRUCell SimpleRNNCell Bidirectional TimeDistributed SpatialDropout1D "
    "SpatialDropout2D GaussianDropout AlphaDropout PReLU Masking MultiHeadAttention "
    "EinsumDense Attention Dot Sequential Functional "
    # Layers for images. Not AugMix: it draws by Python's `random` while it is traced.
    "RandomFlip RandomRotation RandomTranslation RandomZoom RandomContrast RandomBrightness "
    "RandomCrop CenterCrop Resizing RandomHue RandomSaturation RandomSharpness RandomShear "
    "RandomPerspective RandomGaussianBlur RandomErasing RandomGrayscale RandomColorJitter "
    "RandomColorDegeneration RandomInvert RandomPosterization Solarization AutoContrast "
    "Equalization RandAugment MixUp".split()
)
#: Layers without products at each position of a sequence or image: one thread can be faster.
_LIGHT = _FREE | frozenset(
    "Flatten Reshape Permute RepeatVector GlobalMaxPooling1D GlobalAveragePooling1D "
    "LayerNormalization UnitNormalization Embedding SpatialDropout1D PReLU Masking Dot".split()
)
#: The most parameters of a model of fixed widths for which Grappler is not worth its time.
_FEW_PARAMETERS = 100_000
_PLAIN = (bool, int, float, str, type(None))
#: Optimizers that update every variable element by element.
_FREE_OPTIMIZERS = frozenset("SGD Adam AdamW RMSprop Adagrad Adadelta Adamax Nadam Lion".split())
#: Penalties and constraints whose graph does not depend on the shape of their argument.
_FREE_LIMITS = frozenset("L1 L2 L1L2 MaxNorm MinMaxNorm NonNeg UnitNorm NoneType".split())
#: Methods that user code may have replaced on a single object.
_METHODS = frozenset(
    "call __call__ train_step test_step predict_step compute_loss compute_metrics "
    "_compute_loss update_step apply_gradients".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Trace signature of a model.

    Attributes:
        key: equal for models that may share a trace; None if this model needs its own.
        free: whether the widths of layers are left open.
        why: the reason why the trace is private or its shapes fixed; empty if neither.
    """

    key: Hashable | None
    free: bool
    why: str


def is_light(model: keras.Model) -> bool:
    """Whether a model only looks up rows, multiplies matrices and computes element by element."""
    layers = layers_of(model)
    return all(type(layer).__name__ in _LIGHT for layer in layers) and not any(
        type(layer) is keras.layers.Dense and len(layer.output.shape) > 2 for layer in layers
    )


def has_few_parameters(model: keras.Model) -> bool:
    """Whether optimizing the graph of a model takes longer than it saves in a short training.

    Measured on a processor: 100 to 300 ms a graph; the epochs of a CNN, a GRU, an LSTM and a
    transformer's block take as long without; those of two blocks of 0.5 million parameters 3 %
    longer.
    """
    return bool(model.count_params() <= _FEW_PARAMETERS)


def trained_variables(model: keras.Model) -> list[Any]:
    """Returns the variables of a model, its optimizer and its metrics, as Keras lists them."""
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    return [*model.variables, *optimizer, *model.metrics_variables]


def dropouts_of(model: keras.Model) -> list[keras.layers.Dropout]:
    """Returns the dropout layers whose rate can become an input of the graph."""
    return [
        layer
        for layer in layers_of(model)
        if type(layer) is keras.layers.Dropout and layer.noise_shape is None
    ]


def penalties_of(model: keras.Model) -> list[keras.regularizers.L2]:
    """Returns the L2 penalties of all variables and activities, each object once."""
    found: dict[int, keras.regularizers.L2] = {}
    for penalty in _penalty_objects(model):
        found.setdefault(id(penalty), penalty)
    return list(found.values())


def structure_of(
    model: keras.Model,
    *,
    free: bool = True,
    lifted: bool = True,
    activations: Sequence[keras.layers.Layer] = (),
    images: bool = False,
    recurrent: bool = False,
) -> Structure:
    """Returns the trace signature of a built, compiled model; the data's types are not part of it.

    Args:
        model: the model.
        free: False to fix the widths even where they could be left open.
        lifted: whether dropout rates and L2 factors are inputs of the graph.
        activations: the layers whose activation can be exchanged in a graph, e.g.
            `lifted_activations_of` of JAX; which one it is makes no difference to the signature.
        images: whether the widths of convolutions can be left open, too.
        recurrent: whether those of recurrent layers can.
    """
    try:
        _refuse_opaque(model)
        more = {*(IMAGES if images else ()), *(RECURRENT if recurrent else ())}
        free = free and _can_be_free(model, _FREE | more)
        names = {layer.name: index for index, layer in enumerate(layers_of(model))}
        parts = (
            type(model).__name__,
            canonical(
                _config_of(model),
                Inputs(
                    _open_layers(model) if free else (),
                    lifted=lifted,
                    activations=_names_of(model, {id(layer) for layer in activations}),
                ),
                names,
            ),
            _variables_key(model, free),
            _compile_key(model),
            _sharing(model),
            tuple(_unconfigured(layer) for layer in layers_of(model)),
            _output_names(model),
            free,
            keras_settings(),
            # Convolutions of many parameters get the graph optimizer.
            is_light(model) or has_few_parameters(model),
        )
    except Opaque as error:
        return Structure(None, False, str(error))
    return Structure(parts, free, "" if free else "sizes are fixed")


def _refuse_opaque(model: keras.Model) -> None:
    if type(model) is not keras.Sequential and type(model).__name__ != "Functional":
        raise Opaque(f"{type(model).__name__} is a class of its own")
    for part in (model, model.optimizer, *layers_of(model)):
        kind = type(part)
        if not kind.__module__.startswith("keras."):
            raise Opaque(f"{kind.__name__} is not part of Keras")
        replaced = _METHODS & vars(part).keys()
        if replaced:
            raise Opaque(f"{kind.__name__} has its own {min(replaced)}")
        for name in ("activation", "recurrent_activation"):
            _refuse_foreign(getattr(part, name, None))
    for layer in layers_of(model):
        if type(layer).__name__ not in _KNOWN:
            raise Opaque(f"{type(layer).__name__} may depend on more than its configuration")
    known = {id(variable) for variable in trained_variables(model)}
    if any(id(variable) not in known for variable in state_variables(model)):
        # A stateful recurrent layer, for example: the trace would use the first model's state.
        raise Opaque("the model has variables that Keras does not list")


def _refuse_foreign(activation: Any) -> None:
    """Raises Opaque for a function that is not one of Keras's activations.

    A configuration holds only its name, and functions of the user's may have the same name.
    """
    if activation is None or isinstance(activation, keras.layers.Layer):
        return
    name = getattr(activation, "__name__", type(activation).__name__)
    if getattr(keras.activations, name, None) is not activation:
        raise Opaque(f"{name} is not part of Keras's activations")


def _can_be_free(model: keras.Model, kinds: Set[str]) -> bool:
    layers = layers_of(model)
    if not all(type(layer).__name__ in kinds for layer in layers):
        return False
    others = [layer for layer in layers if type(layer).__name__ not in _FREE]
    if not all(can_be_open(layer) for layer in others):
        return False
    limits = [
        value
        for layer in layers
        for name, value in vars(layer).items()
        if name.endswith(("_regularizer", "_constraint"))
    ]
    if not all(type(limit).__name__ in _FREE_LIMITS for limit in limits):
        return False
    normalised = [layer for layer in layers if type(layer) is keras.layers.BatchNormalization]
    plain = all(layer.axis == -1 and not layer.renorm for layer in normalised)
    # Keras resets accumulated gradients to zeros of the shape that it knows while it is traced.
    plain = plain and not getattr(model.optimizer, "gradient_accumulation_steps", None)
    return plain and type(model.optimizer).__name__ in _FREE_OPTIMIZERS


def _config_of(part: Any) -> Any:
    """Returns what `get_config` returns.

    Raises:
        Opaque: if it fails, e.g. for a schedule or a penalty of the user's that has none.
    """
    try:
        return part.get_config()
    except Exception as error:  # user code may raise any exception
        raise Opaque(f"{type(part).__name__} has no configuration: {error}") from error


def pinned_of(model: keras.Model) -> set[int]:
    """Returns the ids of the layers whose width stays fixed: that of an output of the model.

    Losses and metrics read the outputs' static shapes. Fixed are all layers from an output back
    to the last `Dense` before it.
    """
    pinned: set[int] = set()
    waiting = list(model.outputs)
    while waiting:
        operation, node, _ = waiting.pop()._keras_history
        if id(operation) in pinned:
            continue
        pinned.add(id(operation))
        if type(operation) is not keras.layers.Dense:
            waiting.extend(operation._inbound_nodes[node].input_tensors)
    return pinned


def nodes_of(model: keras.Model) -> dict[int, Any]:
    """Returns id of a layer -> its node in the graph of a functional or sequential model.

    Layers of nested models and layers that the graph calls more than once are left out.
    """
    found: dict[int, set[int]] = {}
    layers: dict[int, Any] = {}
    waiting = list(model.outputs)
    while waiting:
        operation, node, _ = waiting.pop()._keras_history
        if node in found.setdefault(id(operation), set()):
            continue
        found[id(operation)].add(node)
        layers[id(operation)] = operation._inbound_nodes[node]
        waiting.extend(operation._inbound_nodes[node].input_tensors)
    return {key: layers[key] for key, nodes in found.items() if len(nodes) == 1}


def _open_layers(model: keras.Model) -> frozenset[str]:
    pinned = pinned_of(model)
    return _names_of(model, {id(layer) for layer in layers_of(model)} - pinned)


def _names_of(model: keras.Model, chosen: set[int]) -> frozenset[str]:
    """Returns the names of layers, by id, without those that other layers of the model have too.

    A layer of a nested model may have the name of one outside it.
    """
    others = {layer.name for layer in layers_of(model) if id(layer) not in chosen}
    return frozenset(layer.name for layer in layers_of(model) if id(layer) in chosen) - others


def _unconfigured(layer: keras.layers.Layer) -> Hashable:
    """Returns the arguments of a layer that its configuration lacks, e.g. `use_cudnn`."""
    config = _config_of(layer)
    kind: Any = type(layer)
    names = [name for name in _arguments(kind) if name not in {*config, *IGNORED}]
    values = {name: _argument(layer, name) for name in names}
    return tuple((name, value) for name, value in values.items() if isinstance(value, _PLAIN))


def _argument(layer: keras.layers.Layer, name: str) -> Any:
    return vars(layer).get(name, vars(layer).get(f"_{name}"))


@functools.cache
def _arguments(kind: Any) -> tuple[str, ...]:
    return tuple(inspect.signature(kind.__init__).parameters)[1:]


def keras_settings() -> Hashable:
    """Returns Keras's global settings, which its functions read while they are traced."""
    config = keras.config
    policy = keras.dtype_policies.serialize(config.dtype_policy())
    return config.floatx(), config.epsilon(), config.image_data_format(), canonical(policy)


def _output_names(model: keras.Model) -> tuple[str, ...]:
    """Returns the names that appear in logs: those of several outputs."""
    names = getattr(model, "output_names", None) or ()
    return tuple(names) if len(names) > 1 else ()


def _variables_key(model: keras.Model, free: bool) -> Hashable:
    return tuple(
        (variable.dtype, variable.trainable, len(variable.shape) if free else tuple(variable.shape))
        for variable in trained_variables(model)
        if variable.name != "seed_generator_state"
    )


def _compile_key(model: keras.Model) -> Hashable:
    compiled = getattr(model, "_compile_config", None)
    if compiled is None:
        raise Opaque("compile was overridden")
    given = dict(compiled.config)
    given.pop("optimizer", None)
    # "accuracy" means different metrics for different targets, so the resolved metric counts.
    resolved = tuple((type(metric).__name__, metric.name) for metric in model.metrics)
    return describe(given), resolved, _optimizer_key(model.optimizer)


def _optimizer_key(optimizer: keras.optimizers.Optimizer) -> Hashable:
    if any(
        getattr(optimizer, f"_exclude_from_weight_decay{part}", None) for part in ("", "_pattern")
    ):
        raise Opaque("the optimizer excludes variables from weight decay")
    config = dict(_config_of(optimizer))
    if isinstance(config.get("learning_rate"), float):
        # A plain learning rate is a variable already.
        del config["learning_rate"]
    return type(optimizer).__name__, canonical(config)


def _sharing(model: keras.Model) -> Hashable:
    """Returns which penalties are the same object, and which layers have seed generators."""
    numbers: dict[int, int] = {}
    penalties = tuple(
        numbers.setdefault(id(penalty), len(numbers)) for penalty in _penalty_objects(model)
    )
    seeds = tuple(
        type(layer).__name__
        for layer in layers_of(model)
        if layer._seed_generators and type(layer) is not keras.layers.Dropout
    )
    return penalties, seeds


def _penalty_objects(model: keras.Model) -> list[keras.regularizers.L2]:
    objects = []
    for layer in layers_of(model):
        for name in sorted(vars(layer)):
            value = vars(layer)[name]
            if name.endswith("_regularizer") and type(value) is keras.regularizers.L2:
                objects.append(value)
    return objects
