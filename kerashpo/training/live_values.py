"""Live values: sets the hyperparameter values of another configuration on a built model.

A copy in population-based training has its parent's weights and other values of what may change.
Where the model that `build_model` returns for them differs from one that is built already in
rates, penalties, momenta and the like alone, these are set there, and nothing is built again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras

from kerashpo.training.captured_state import Opaque, describe
from kerashpo.training.loops.compiled.signature import structure_of as trace_signature
from kerashpo.training.model_structure import operations_of, structure_of
from kerashpo.training.symbolic_build import DeferredGraph

#: Numbers that a class reads in each call from an attribute of the same name.
_LAYERS = {
    "Dropout": ("rate",),
    "SpatialDropout1D": ("rate",),
    "SpatialDropout2D": ("rate",),
    "SpatialDropout3D": ("rate",),
    "GaussianDropout": ("rate",),
    "AlphaDropout": ("rate",),
    "GaussianNoise": ("stddev",),
    "BatchNormalization": ("momentum", "epsilon"),
}
_PENALTIES = {"L1": ("l1",), "L2": ("l2",), "L1L2": ("l1", "l2")}
_OPTIMIZERS = (
    "momentum beta_1 beta_2 rho epsilon weight_decay clipnorm clipvalue global_clipnorm "
    "ema_momentum"
)
_LOSSES = "BinaryCrossentropy CategoricalCrossentropy"
#: Of value 0 a layer has no seed generator, and an optimizer no momenta.
_NOT_ZERO = frozenset({"rate", "stddev", "momentum"})
#: What the last training left in a model: graphs that read the former values, and our notes.
_FUNCTIONS = ("train_function", "test_function", "predict_function")
_NOTES = "_kerashpo_"


def set_values(model: keras.Model, wanted: keras.Model) -> bool:
    """Sets the hyperparameter values of a model on another one that is built.

    Its variables keep their values, except a plain learning rate.

    Args:
        model: a built model whose parts are all Keras's own. After an answer of False it is of no
            further use: some values may have been set.
        wanted: what `build_model` returned for the values, built or not.

    Returns:
        whether the two are equal now in all that a training depends on, variables aside.
    """
    try:
        if not isinstance(wanted, type(model)):
            return False
        _set_layers(model, wanted)
        _set_optimizer(model.optimizer, wanted.optimizer)
        _set_loss(model, wanted)
        equal = _compared(model) == _compared(wanted) and _flags_agree(model, wanted)
        if not equal or trace_signature(model).key is None:
            return False
    except Opaque:
        return False
    for name in _FUNCTIONS:
        setattr(model, name, None)
    for name in [name for name in vars(model) if name.startswith(_NOTES)]:
        del vars(model)[name]
    model.stop_training = False
    return True


def _set_layers(model: keras.Model, wanted: keras.Model) -> None:
    for layer, other in zip(operations_of(model), operations_of(wanted)):
        if type(layer) is not type(other):
            return
        _copy_numbers(layer, other, _LAYERS.get(type(layer).__name__, ()))
        for penalty, others in zip(_penalties(layer), _penalties(other)):
            if type(penalty) is type(others):
                _copy_numbers(penalty, others, _PENALTIES.get(type(penalty).__name__, ()))


def _set_optimizer(optimizer: Any, wanted: Any) -> None:
    if type(optimizer) is not type(wanted) or optimizer is None:
        return
    _copy_numbers(optimizer, wanted, _OPTIMIZERS.split())
    rate, other = vars(optimizer).get("_learning_rate"), vars(wanted).get("_learning_rate")
    if isinstance(rate, keras.Variable) and isinstance(other, keras.Variable):
        rate.assign(float(other.numpy()))


def _set_loss(model: keras.Model, wanted: keras.Model) -> None:
    for loss, other in zip(_losses(model), _losses(wanted)):
        if type(loss) is type(other) and type(loss).__name__ in _LOSSES.split():
            _copy_numbers(loss, other, ("label_smoothing",))
            loss._fn_kwargs["label_smoothing"] = loss.label_smoothing


def _copy_numbers(part: Any, other: Any, names: Any) -> None:
    """Copies attributes that are numbers on both sides, where the object has what they need."""
    for name in names:
        mine, theirs = getattr(part, name, None), getattr(other, name, None)
        if _is_number(mine) and _is_number(theirs) and ((mine and theirs) or name not in _NOT_ZERO):
            setattr(part, name, theirs)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _penalties(layer: Any) -> Iterator[Any]:
    own = vars(layer)
    return (own[name] for name in sorted(own) if name.endswith("_regularizer"))


def _losses(model: keras.Model) -> list[Any]:
    losses = keras.tree.flatten(_arguments(model).get("loss"))
    return [loss for loss in losses if isinstance(loss, keras.losses.Loss)]


def _arguments(model: keras.Model) -> Mapping[str, Any]:
    """Returns the arguments of `compile`.

    Raises:
        Opaque: if the model was not compiled by Keras's own `compile`.
    """
    compiled = getattr(model, "_compile_config", None)
    if compiled is None:
        raise Opaque("compile was overridden")
    return dict(compiled.config)


def _compared(model: keras.Model) -> Any:
    """Returns what two models must have in common.

    Raises:
        Opaque: if user code that the model refers to may depend on more than can be compared.
    """
    given = dict(_arguments(model))
    given.pop("optimizer", None)
    optimizer = {} if model.optimizer is None else model.optimizer.get_config()
    optimizer.pop("name", None)
    kinds = [type(penalty) for layer in operations_of(model) for penalty in _penalties(layer)]
    settings = (model.jit_compile, model.run_eagerly, model.steps_per_execution)
    own = (type(model.optimizer), settings, kinds, _excluded(model.optimizer))
    return own, _layers(model), optimizer, describe(given, metrics=True)


def _layers(model: keras.Model) -> list[Any]:
    """Returns classes and configurations; a plain `Sequential` may not have connected them yet."""
    found = structure_of(model)
    nested = any(isinstance(layer, keras.Model) for layer in operations_of(model))
    if nested or not isinstance(model, keras.Sequential):
        return found
    return [(kind, {k: v for k, v in config.items() if k != "inputs"}) for kind, config in found]


def _excluded(optimizer: Any) -> bool:
    """Whether the optimizer excludes variables from weight decay, which its configuration lacks."""
    names = ("_exclude_from_weight_decay", "_exclude_from_weight_decay_pattern")
    return any(getattr(optimizer, name, None) for name in names)


def _flags_agree(model: keras.Model, wanted: keras.Model) -> bool:
    """Whether the same variables are trained; those of an unbuilt model are as made."""
    if isinstance(wanted, DeferredGraph) or not wanted.built:
        return all(variable.trainable for variable in model.trainable_variables)
    flags = [[variable.trainable for variable in each.variables] for each in (model, wanted)]
    return flags[0] == flags[1]
