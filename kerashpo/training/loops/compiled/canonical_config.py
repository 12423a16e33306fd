"""Keras configurations as hashable values, equal for equal graphs."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from kerashpo.training import captured_state
from kerashpo.training.captured_state import Opaque

#: Fields of a layer's configuration on which a graph never depends.
IGNORED = frozenset({"name", "build_config", "registered_name", "seed"})
#: Numbers that become inputs of the graph: (class, field).
_LIFTED = frozenset({("Dropout", "rate"), ("L2", "l2")})
#: Numbers that only set the shapes of a layer's variables: (class, field).
_WIDTHS = frozenset(
    {
        *((kind, "units") for kind in ("Dense", "GRU", "LSTM", "SimpleRNN")),
        ("Embedding", "output_dim"),
        *((kind, "filters") for kind in ("Conv1D", "Conv2D")),
    }
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The parts of a model's configuration that are inputs of its graph, so not part of the key.

    Attributes:
        free: names of the layers whose widths are left open.
        lifted: whether dropout rates and L2 factors are inputs.
        activations: names of the layers whose choice among several activations is an input.
    """

    free: Collection[str] = ()
    lifted: bool = False
    activations: Collection[str] = ()


NOTHING = Inputs()


def canonical(
    config: Any, inputs: Inputs = NOTHING, names: Mapping[str, int] = {}, within: str = ""
) -> Hashable:
    """Returns a nested Keras configuration as nested tuples, equal for equal graphs.

    Args:
        config: the result of `get_config` or of Keras's serialisation.
        inputs: the parts to leave out.
        names: layer name -> layer number, which replaces the name: names do not affect a graph.
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
        # Keras computes masks of another shape itself, so their rate stays part of the key.
        if inputs.lifted and (within, name) in _LIFTED and config.get("noise_shape") is None:
            continue
        if (within, name) in _WIDTHS and open_width:
            continue
        if inputs.free and (within, name) == ("__keras_tensor__", "shape"):
            continue
        if name == "activation" and config.get("name") in inputs.activations:
            continue
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
    """Returns a hashable description of a loss, a metric or a collection of them.

    Args:
        value: an argument of `compile`.

    Raises:
        Opaque: for objects of user classes, and for functions that refer to such objects.
    """
    if isinstance(value, Mapping):
        return tuple((name, describe(item)) for name, item in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(describe(item) for item in value)
    return captured_state.describe(value, metrics=True)
