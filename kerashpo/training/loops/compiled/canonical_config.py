"""Keras configurations as hashable values, equal for equal graphs."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from kerashpo.training import captured_state
from kerashpo.training.captured_state import Opaque

#: Fields of a layer's configuration that a graph never depends on.
IGNORED = frozenset({"name", "build_config", "registered_name", "seed"})
#: Numbers that become inputs of the graph: (class, field).
_LIFTED = frozenset({("Dropout", "rate"), ("L2", "l2")})
#: Numbers that only size a layer's variables: (class, field).
_WIDTHS = frozenset({("Dense", "units")})
#: Activations that one formula can stand for, its numbers being inputs of the graph.
LIFTED_ACTIVATIONS = frozenset({"relu", "tanh", "sigmoid"})


@dataclass(frozen=True, slots=True)
class Inputs:
    """What of a model's configuration a graph takes as input, so that it says nothing of it.

    Attributes:
        free: names of the layers whose widths are.
        lifted: whether dropout rates and L2 factors are.
        activations: whether it is which of `LIFTED_ACTIVATIONS` a layer in `free` has.
    """

    free: Collection[str] = ()
    lifted: bool = False
    activations: bool = False


NOTHING = Inputs()


def canonical(
    config: Any, inputs: Inputs = NOTHING, names: Mapping[str, int] = {}, within: str = ""
) -> Hashable:
    """Returns a nested Keras configuration as nested tuples, equal for equal graphs.

    Args:
        config: what `get_config` or Keras's serialisation gave.
        inputs: what to leave out.
        names: layer name -> its number; the names themselves say nothing.
        within: the class whose configuration this is.

    Raises:
        Opaque: for user code, which a configuration names but does not describe.
    """
    if isinstance(config, Mapping):
        return _canonical_mapping(config, inputs, names, within)
    if isinstance(config, (list, tuple)):
        return tuple(canonical(item, inputs, names, within) for item in config)
    if config is None or isinstance(config, (bool, int, float, str)):
        return config
    raise Opaque(f"a configuration holds {type(config).__name__}")


def _canonical_mapping(
    config: Mapping[str, Any],
    inputs: Inputs,
    names: Mapping[str, int],
    within: str,
) -> Hashable:
    kind = config.get("class_name")
    if kind is not None:
        module = config.get("module")
        if module is not None and str(module).partition(".")[0] != "keras":
            raise Opaque(f"{config.get('config') or kind} is not part of Keras")
        within = str(kind)
    open_width = config.get("name") in inputs.free
    parts: list[Hashable] = []
    for name in sorted(config, key=str):
        value = config[name]
        if name in IGNORED or str(name).endswith("_initializer"):
            continue
        # A mask of another shape is left to Keras, rate and all.
        if inputs.lifted and (within, name) in _LIFTED and config.get("noise_shape") is None:
            continue
        if (within, name) in _WIDTHS and open_width:
            continue
        if inputs.free and (within, name) == ("__keras_tensor__", "shape"):
            continue
        if inputs.activations and open_width and (within, name) == ("Dense", "activation"):
            # A layer may be an activation: its configuration is a mapping.
            value = (
                "activations" if isinstance(value, str) and value in LIFTED_ACTIVATIONS else value
            )
        if name in ("keras_history", "input_layers", "output_layers"):
            parts.append((name, _numbered(value, names)))
            continue
        parts.append((name, canonical(value, inputs, names, within)))
    return tuple(parts)


def _numbered(value: Any, names: Mapping[str, int]) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((key, _numbered(value[key], names)) for key in sorted(value, key=str))
    if isinstance(value, (list, tuple)):
        return tuple(_numbered(item, names) for item in value)
    return ("layer", names[value]) if isinstance(value, str) and value in names else value


def describe(value: Any) -> Hashable:
    """Returns what a loss, a metric or a collection of them means for a graph.

    Args:
        value: what was given to `compile`.

    Raises:
        Opaque: for objects of user classes, and for functions that can reach such.
    """
    if isinstance(value, Mapping):
        return tuple((name, describe(item)) for name, item in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(describe(item) for item in value)
    return captured_state.describe(value, metrics=True)
