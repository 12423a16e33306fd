"""Serialises arguments as JSON, so that a resumed study can detect which of them changed."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import types
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from kerashpo.core.history import LAYERS, MODEL

if TYPE_CHECKING:
    from kerashpo.training.hypermodel import ModelBuilder

_LONG = 16
"""Items of a sequence that are listed; a longer one is described by its digest."""
_WRITERS = ("BackupAndRestore", "CSVLogger", "ModelCheckpoint", "RemoteMonitor", "TensorBoard")
"""Keras callbacks that only write or display something and do not change the training."""
_SAME_TRAINING = ("auto_scale_loss", "jit_compile", "run_eagerly", "steps_per_execution")
"""Arguments of `compile` that say how epochs are run, not what is trained."""


def describe(value: Any) -> Any:
    """Serialises an argument as JSON: equal for equal arguments of two processes.

    Numbers, strings and nested lists or dicts are unchanged; dataclasses become their class and
    fields, objects with a `get_config` their class and configuration, functions their name and a
    digest of their code and of the numbers that it encloses. Anything else becomes its class and
    the plain arguments of its constructor.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [describe(item) for item in value]
        return items if len(items) <= _LONG else f"{len(items)} items, {_digest(items)}"
    if isinstance(value, type):
        return value.__qualname__
    if isinstance(value, (types.FunctionType, types.MethodType)):
        return f"{value.__qualname__}, code {_digest(_of_function(value))}"
    return _of_object(value)


def describe_callbacks(callbacks: Iterable[Any]) -> list[Any]:
    """Serialises the callbacks that may change the training as JSON.

    Each becomes its class and the plain arguments of its constructor; callbacks of Keras that
    only write files are left out, since their paths often contain the time.
    """
    return [
        describe(callback) if inspect.isroutine(callback) else _of_constructor(callback)
        for callback in callbacks
        if not (type(callback).__name__ in _WRITERS and _is_keras(callback))
    ]


def describe_model(builder: ModelBuilder, replaced: Iterable[str]) -> dict[str, Any]:
    """Serialises what `build_model` returned for the default values, as a setting.

    These are the arguments of `compile` that change what is trained, and the layers; of models of
    other values, a digest.

    Args:
        builder: has discovered the space.
        replaced: the names of arguments of `compile` that the tuner's own replace.
    """
    import keras

    left = {*_SAME_TRAINING, *replaced}
    kept = {name: describe(one) for name, one in builder.compiled.items() if name not in left}
    if builder.structures:
        default, *others = builder.structures
        kept[LAYERS] = {
            "keras": keras.__version__,
            "default": [_of_layer(*layer) for layer in default],
            "others": _digest(describe_all(others)),
        }
    return {MODEL: kept} if kept else {}


def describe_all(structures: Iterable[Iterable[tuple[str, Mapping[str, Any]]]]) -> list[Any]:
    """Serialises the structures of models as JSON."""
    return [[[name, describe(config)] for name, config in layers] for layers in structures]


def _of_layer(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a layer's class and plain arguments; of the others a digest."""
    whole = describe(config)
    plain = {key: value for key, value in whole.items() if _is_short(value)}
    rest = {key: value for key, value in whole.items() if key not in plain}
    return {"class": name, **plain, **({"rest": _digest(rest)} if rest else {})}


def _is_short(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _LONG // 2 and all(map(_is_short, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _is_keras(value: Any) -> bool:
    return type(value).__module__.startswith("keras.")


def _of_constructor(value: Any) -> Any:
    """Returns an object's class, and the plain ones among its constructor's arguments."""
    cls = type(value)
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return describe(value) if isinstance(value, type) else cls.__qualname__
    names = inspect.signature(cls.__init__).parameters
    own = {name: vars(value)[name] for name in names if name in vars(value)}
    kept = {
        name: describe(one) if inspect.isroutine(one) else one
        for name, one in own.items()
        if _is_plain(one) or inspect.isroutine(one)
    }
    return {"class": cls.__qualname__, **kept}


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return "/" not in value and "\\" not in value
    return value is None or isinstance(value, (bool, int, float))


def _of_object(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        items = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {"class": type(value).__qualname__, **describe(items)}
    try:
        config = dict(value.get_config())
    except Exception:  # no configuration, or get_config fails
        return _of_constructor(value)
    # Keras numbers the names of a process's metrics and optimizers: auc, auc_1 ...
    config.pop("name", None)
    return {"class": type(value).__qualname__, **describe(config)}


def _of_function(function: Any) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or () if _has_contents(cell)]
    values = [*cells, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    numbers = [repr(value) for value in values if isinstance(value, (bool, int, float))]
    return [*_code(function.__code__), *numbers]


def _has_contents(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not assigned yet
        return False


def _code(code: types.CodeType) -> list[Any]:
    return [code.co_code.hex(), code.co_names, [_constant(one) for one in code.co_consts]]


def _constant(value: Any) -> Any:
    if isinstance(value, types.CodeType):
        return _code(value)
    # The order of a set of strings differs between processes.
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
