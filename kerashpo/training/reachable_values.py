"""Reachable values: plain Python values that the code of a model can read, and that may change.

A loss that multiplies by ``SETTINGS["weight"]``, a layer that reads ``self.scale``, a metric that
refers to a global number: `fit` puts the value into its graph when it traces it, and a callback can
change it later. `ReachableValues` finds such values and reads and writes them by their paths.
"""

from __future__ import annotations

import enum
import functools
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np

from kerashpo.training.captured_state import LIBRARIES, describe, is_installed, names_in, root_of

_ATOMS = (bool, int, float, complex, str, bytes, type(None), np.generic)
_SEQUENCES = (list, tuple, set, frozenset, deque)
#: Larger arrays, and containers of more values, are data, not settings.
_MAX_BYTES, _MAX_ITEMS = 2**16, 1000
#: The largest number of objects that are searched for one model.
_MAX_OBJECTS = 20_000
#: Attributes that Keras itself sets on models and layers once they are compiled or trained.
_SET_LATER = frozenset(
    "built loss metrics optimizer history stop_training stop_evaluating _optimizer _loss _metrics "
    "_compile_config _compile_metrics _functional _obj_type _is_compiled _state_locked".split()
)
#: Private attributes of Keras's objects that hold what the user passed.
_PASSED = frozenset({"_fn", "_fn_kwargs", "_learning_rate"})
_KERAS_BASES = (
    keras.layers.Layer,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)


@final
@dataclass(frozen=True, slots=True)
class _Slot:
    """A place that holds a plain value; `set` is None where only its contents can change."""

    path: str
    get: Callable[[], Any]
    set: Callable[[Any], None] | None


@final
class ReachableValues:
    """The plain values that a model's loss, metrics, layers and optimizer can read.

    An attribute that an object gets later counts too, if its value is plain.

    Args:
        model: a model whose variables exist.
    """

    def __init__(self, model: keras.Model) -> None:
        search = _Search()
        compiled = getattr(model, "_compile_config", None)
        search.visit("compile", {} if compiled is None else dict(compiled.config))
        search.visit("optimizer", getattr(model, "optimizer", None))
        search.visit("model", model)
        for number, layer in enumerate(model._flatten_layers(include_self=False)):
            search.visit(f"layer {number}", layer)
        self._slots, self._objects, self._layers = search.slots, search.objects, search.layers

    def read(self) -> dict[str, Any]:
        """Returns copies of all values, by path."""
        return {slot.path: _copied(slot.get()) for slot in self._slots.values()}

    def changes(self, since: Mapping[str, Any]) -> dict[str, Any]:
        """Returns copies of the values that differ from those of an earlier `read`."""
        changed = {}
        for path, slot in self._slots.items():
            value = slot.get()
            if _is_plain(value) and not is_same(value, since[path]):
                changed[path] = _copied(value)
        for path, (own, name) in self._added():
            changed[path] = _copied(own[name])
        return changed

    def write(self, values: Mapping[str, Any]) -> None:
        """Sets values by their paths; containers keep their identity.

        A value that was replaced by an object that is not plain stays as it is.
        """
        for path, value in values.items():
            slot = self._slots.get(path)
            if slot is None or not _is_plain(held := slot.get()) or is_same(held, value):
                continue
            if not _written_into(held, value) and slot.set is not None:
                slot.set(_copied(value))
        self._write_added(values)

    def write_into_layers(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Sets numbers and texts that are attributes of the model's own layers.

        Returns:
            the other values.
        """
        rest = dict(values)
        for path, value in values.items():
            owner, _, name = path.rpartition(".")
            if owner in self._layers and isinstance(value, _ATOMS):
                self._objects[owner][0][name] = rest.pop(path)
        return rest

    def _added(self) -> Iterator[tuple[str, tuple[dict[str, Any], str]]]:
        """Yields the attributes that objects have got since, with plain values, by path."""
        for path, (own, known, public) in self._objects.items():
            if len(own) == len(known):
                continue
            for name in own.keys() - known:
                hidden = name in _names_of_keras() or (public and name[:1] == "_")
                if not hidden and _is_plain(own[name]):
                    yield f"{path}.{name}", (own, name)

    def _write_added(self, values: Mapping[str, Any]) -> None:
        """Gives objects the attributes that they had got, and takes others away again."""
        for path, (own, name) in list(self._added()):
            if path not in values:
                del own[name]
        for path, value in values.items():
            if path not in self._slots:
                owner, _, name = path.rpartition(".")
                if owner in self._objects:
                    self._objects[owner][0][name] = _copied(value)


@final
class _Search:
    """Finds slots depth first; each object is visited once."""

    def __init__(self) -> None:
        self.slots: dict[str, _Slot] = {}
        #: Path of an object -> its attributes, their names now, whether private ones are Keras's.
        self.objects: dict[str, tuple[dict[str, Any], frozenset[str], bool]] = {}
        #: Paths of those objects that are layers.
        self.layers: set[str] = set()
        self._seen: set[int] = set()
        self._alive: list[Any] = []

    def visit(self, path: str, value: Any) -> None:
        """Searches an object that is no plain value."""
        if id(value) in self._seen or len(self._alive) >= _MAX_OBJECTS or _is_plain(value):
            return
        self._seen.add(id(value))
        self._alive.append(value)
        match value:
            case types.FunctionType():
                self._function(path, value)
            case types.MethodType():
                self.visit(path, value.__func__)
                self.visit(f"{path}.self", value.__self__)
            case functools.partial():
                self.visit(path, value.func)
                self._items(path, value.args, enumerate(value.args))
                self._items(path, value.keywords, value.keywords.items(), assigns=True)
            case Mapping():
                self._items(path, value, value.items(), assigns=isinstance(value, dict))
            case list() | deque():
                self._items(path, value, enumerate(value), assigns=True)
            case tuple():
                self._items(path, value, enumerate(value))
            case type():
                self._class(value)
            case _:
                self._instance(path, value)

    def _items(self, path: str, held: Any, items: Iterable[Any], assigns: bool = False) -> None:
        """Notes the items of a container; `assigns` says whether they can be replaced."""
        for key, value in list(items):
            get = functools.partial(_item, held, key)
            assign = functools.partial(held.__setitem__, key) if assigns else None
            self._held(f"{path}[{key!r}]", value, get, assign)

    def _held(
        self,
        path: str,
        value: Any,
        get: Callable[[], Any],
        assign: Callable[[Any], None] | None,
    ) -> None:
        """Notes a slot, or searches a value that is not plain."""
        if not _is_plain(value):
            self.visit(path, value)
        elif assign is not None or isinstance(value, (list, dict, set, deque, np.ndarray)):
            self.slots[path] = _Slot(path, get, assign)

    def _namespace(self, path: str, space: Any, names: Iterable[str]) -> None:
        """Notes names of a dict: of globals, or of the attributes of an object."""
        for name in names:
            if name in space:
                assign = functools.partial(space.__setitem__, name)
                self._held(
                    f"{path}.{name}", space[name], functools.partial(space.get, name), assign
                )

    def _function(self, path: str, function: types.FunctionType) -> None:
        library = root_of(function.__globals__.get("__name__", "")) in LIBRARIES
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                value = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            self._held(
                f"{path}.{name}",
                value,
                functools.partial(getattr, cell, "cell_contents"),
                functools.partial(setattr, cell, "cell_contents"),
            )
        defaults, named = function.__defaults__ or (), function.__kwdefaults__ or {}
        self._items(f"{path}.defaults", defaults, enumerate(defaults))
        self._items(f"{path}.defaults", named, named.items(), assigns=True)
        if library or is_installed(function):
            return
        self._namespace(path, vars(function), list(vars(function)))
        for chain in sorted(set(names_in(function.__code__))):
            self._global(function.__globals__, chain)

    def _global(self, space: dict[str, Any], chain: tuple[str, ...]) -> None:
        """Notes what a dotted name refers to: a value of a module of the user's."""
        path = str(space.get("__name__", ""))
        while chain and chain[0] in space:
            value = space[chain[0]]
            if not isinstance(value, types.ModuleType):
                self._namespace(path, space, chain[:1])
                return
            if root_of(value.__name__) in LIBRARIES:
                return
            space, chain, path = vars(value), chain[1:], value.__name__

    def _class(self, kind: type) -> None:
        """Searches a class of the user's, and those that it inherits from."""
        for one in kind.__mro__:
            if is_installed(one):
                continue
            for name, value in list(vars(one).items()):
                if name.startswith("__"):
                    continue
                where, held = f"{one.__qualname__}.{name}", getattr(value, "__func__", value)
                if isinstance(held, property):
                    self.visit(where, held.fget)
                else:
                    get = functools.partial(vars(one).get, name)
                    self._held(where, held, get, functools.partial(setattr, one, name))

    def _instance(self, path: str, value: Any) -> None:
        kind, own = type(value), getattr(value, "__dict__", None)
        if own is None or isinstance(value, (types.ModuleType, keras.Variable)):
            return
        of_keras = root_of(kind.__module__) == "keras"
        if not of_keras:
            if is_installed(kind):
                return
            self._class(kind)
        if of_keras or isinstance(value, keras.optimizers.Optimizer):
            # Private attributes are Keras's own bookkeeping.
            names = [n for n in own if n in _PASSED or n[:1] != "_"]
        else:
            names = list(own)
        if isinstance(value, _KERAS_BASES):
            names = [n for n in names if n not in _names_of_keras()]
        self.objects[path] = own, frozenset(own), isinstance(value, _KERAS_BASES) or of_keras
        if isinstance(value, keras.layers.Layer):
            self.layers.add(path)
        self._namespace(path, own, [n for n in names if not n.startswith("_kerashpo")])


def _item(container: Any, key: Any) -> Any:
    """Returns an item, None if it is gone."""
    try:
        return container[key]
    except LookupError:
        return None


@functools.cache
def _names_of_keras() -> frozenset[str]:
    """Returns the attributes that Keras itself sets on models and layers."""
    made = {*vars(keras.Model()), *vars(keras.layers.Layer())}
    return frozenset({*made, *_SET_LATER, "_built"} - {"activity_regularizer"})


def _is_plain(value: Any, depth: int = 6) -> bool:
    """Whether a value is a number, a text, a small array, or a container of such values."""
    if isinstance(value, _ATOMS):
        return True
    kind = _kind(value)
    if kind is np.ndarray:
        return bool(value.nbytes <= _MAX_BYTES and not value.dtype.hasobject)
    if kind in _SEQUENCES or kind is dict:
        if depth == 0 or len(value) > _MAX_ITEMS:
            return False
        # A mapping of objects is bookkeeping: it cannot be compared, nor kept in a checkpoint.
        if kind is dict and not all(isinstance(k, enum.Enum) or _is_plain(k, 1) for k in value):
            return False
        values = value.values() if kind is dict else value
        return all(_is_plain(item, depth - 1) for item in values)
    return False


def _kind(value: Any) -> type:
    """Returns the type of a value; a list in which Keras keeps a user's list is a plain one.

    Empty ones are left out: Keras itself fills them, with variables.
    """
    kind = type(value)
    if root_of(kind.__module__) == "keras" and isinstance(value, (list, dict, set)) and value:
        return next((one for one in (list, dict, set) if issubclass(kind, one)), kind)
    return kind


def _copied(value: Any) -> Any:
    """Returns a deep copy of a plain value."""
    match value:
        case _ if isinstance(value, _ATOMS):
            return value
        case np.ndarray():
            return value.copy()
        case dict():
            return {key: _copied(item) for key, item in value.items()}
        case deque():
            return deque(map(_copied, value), value.maxlen)
        case _:
            return _kind(value)(map(_copied, value))


def is_same(one: Any, other: Any) -> bool:
    """Whether two plain values are equal."""
    if isinstance(one, _ATOMS) and one is other:
        return True
    return _kind(one) is _kind(other) and describe(_copied(one)) == describe(_copied(other))


def _written_into(held: Any, value: Any) -> bool:
    """Gives a mutable container the contents of another one; returns False if it cannot."""
    if _kind(held) is not _kind(value):
        return False
    match held:
        case dict() | set():
            held.clear()
            held.update(_copied(value))
        case list():
            held[:] = _copied(value)
        case deque():
            held.clear()
            held.extend(_copied(value))
        case np.ndarray() if held.shape == value.shape and held.dtype == value.dtype:
            held[...] = value
        case _:
            return False
    return True
