"""Saves a callback's state: the attributes that training has changed, pickled."""

from __future__ import annotations

import io
import pickle
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, final

import cloudpickle
import keras
import numpy as np

from kerashpo.training.model_state import state_variables

#: Attributes that Keras sets again for each training.
_KERAS = frozenset({"_model", "model", "params", "_params"})


@final
class CallbackState:
    """Saves and restores the attributes of one callback.

    Attributes are pickled by name, those of `__main__` by value if they cannot be found by name.
    References to the model, its layers, optimizer, metrics and variables stay references.
    Attributes unchanged since the callback was made are left out, as are those that cannot be
    pickled.

    Args:
        callback: as constructed, before any training.
    """

    def __init__(self, callback: Any) -> None:
        self._callback = stateful(callback)
        # Our own callbacks hold tuners, and have no state to save.
        self._kept = not type(self._callback).__module__.startswith("kerashpo.")
        self._fresh = {name: (value, _digest(value)) for name, value in self._attributes()}

    def save(self, model: keras.Model) -> tuple[bytes, bool]:
        """Returns the changed attributes, and whether some of them could not be pickled."""
        changed: dict[str, Any] = {}
        lost = False
        references = _references(model, self._callback)
        for name, value in self._attributes():
            before, digest = self._fresh.get(name, (_MISSING, None))
            now = _digest(value, references)
            if now is None:
                lost = lost or value is not before
            elif now != digest:
                changed[name] = value
        return _dumps(changed, references)[0], lost

    def load(self, data: bytes, model: keras.Model) -> dict[str, Any]:
        """Returns the attributes that `save` pickled, with references to `model`.

        Raises:
            ValueError: if they cannot be unpickled.
        """
        found = {key: thing for thing, key in _parts(model, self._callback)}
        try:
            return _ReferenceUnpickler(io.BytesIO(data), found).load()  # type: ignore[no-any-return]
        except Exception as error:  # any exception of the user's classes
            name = type(self._callback).__name__
            raise ValueError(f"the state of the callback {name} cannot be read: {error}") from error

    def _attributes(self) -> list[tuple[str, Any]]:
        own = vars(self._callback) if self._kept else {}
        return [(name, value) for name, value in own.items() if name not in _KERAS]


def stateful(callback: Any) -> Any:
    """Returns the object whose attributes are a callback's state: itself, or what it names."""
    return getattr(callback, "stateful", callback)


_MISSING = object()
#: id of an object that an attribute may refer to -> its name.
References = Mapping[int, tuple[str, int]]
_NONE: References = MappingProxyType({})


def _parts(model: keras.Model, callback: Any) -> list[tuple[Any, tuple[str, int]]]:
    """Returns the objects that attributes may refer to, with their names."""
    groups: dict[str, list[Any]] = {
        "callback": [callback],
        "layer": list(model._flatten_layers()),
        "optimizer": [getattr(model, "optimizer", None)],
        "metric": list(model.metrics),
        "variable": state_variables(model),
    }
    return [
        (thing, (kind, number))
        for kind, things in groups.items()
        for number, thing in enumerate(things)
        if thing is not None
    ]


def _references(model: keras.Model, callback: Any) -> References:
    return {id(thing): key for thing, key in reversed(_parts(model, callback))}


def _digest(value: Any, references: References = _NONE) -> int | None:
    """Returns a checksum of a value's pickle, None if there is none; arrays are not copied."""
    if isinstance(value, keras.Model) and id(value) not in references:
        return _checksum(b"", [np.ascontiguousarray(part) for part in value.get_weights()])
    try:
        data, buffers = _dumps(value, references, out_of_band=True)
    except Exception:  # pickling may raise any exception, depending on the class
        return None
    return _checksum(data, [buffer.raw() for buffer in buffers])


def _checksum(data: bytes, parts: list[Any]) -> int:
    total = zlib.crc32(data)
    for part in parts:
        total = zlib.crc32(memoryview(part).cast("B"), total)
    return total


def _dumps(
    value: Any, references: References, out_of_band: bool = False
) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickles by name if possible, else by value."""
    buffers: list[pickle.PickleBuffer] = []
    collect: Callable[[pickle.PickleBuffer], Any] | None = buffers.append if out_of_band else None
    for kind in (_ReferencePickler, _CloudReferencePickler):
        file = io.BytesIO()
        buffers.clear()
        try:
            kind(file, references, collect).dump(value)
        except Exception:
            if kind is _CloudReferencePickler:
                raise
            continue
        return file.getvalue(), buffers
    raise AssertionError("unreachable")


class _ReferencePickler(pickle.Pickler):
    def __init__(self, file: Any, references: References, collect: Any) -> None:
        super().__init__(file, protocol=5, buffer_callback=collect)
        self._references = references

    def persistent_id(self, value: Any) -> Any:
        return self._references.get(id(value))


class _CloudReferencePickler(cloudpickle.CloudPickler):
    def __init__(self, file: Any, references: References, collect: Any) -> None:
        super().__init__(file, protocol=5, buffer_callback=collect)
        self._references = references

    def persistent_id(self, value: Any) -> Any:
        return self._references.get(id(value))


class _ReferenceUnpickler(pickle.Unpickler):
    def __init__(self, file: Any, found: Mapping[tuple[str, int], Any]) -> None:
        super().__init__(file)
        self._found = found

    def persistent_load(self, key: Any) -> Any:
        return self._found[key]
