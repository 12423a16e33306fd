"""State that a function captures: globals, closures, defaults and attributes that it can read.

A traced graph contains the values that Python code read while it was traced. Two models may share
a graph only if their code reads equal values: `describe` returns a hashable value that is equal
exactly then, and raises `Opaque` if equality cannot be decided. `fingerprint` is a tolerant
variant that only has to detect changes.
"""

from __future__ import annotations

import builtins
import dis
import enum
import functools
import hashlib
import sys
import sysconfig
import types
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, final

import keras
import numpy as np

#: Packages whose functions read nothing that changes, apart from Keras's settings.
LIBRARIES = frozenset(
    "keras tensorflow jax jaxlib numpy math cmath functools operator itertools builtins typing "
    "collections abc".split()
)
#: Names of functions that return random numbers or read the process, which cannot be described.
_UNPREDICTABLE = frozenset(
    "random default_rng globals locals vars eval exec __import__ open input breakpoint".split()
)
_SCALARS = (bool, int, str, bytes, type(None), type(Ellipsis), range, slice, np.dtype)
_SEQUENCES = (tuple, list, deque)
#: Keras classes with variables, whose values no configuration contains.
_STATEFUL = (
    keras.layers.Layer,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
    keras.random.SeedGenerator,
    keras.Variable,
)
#: Attributes of Keras objects that record how they were built and do not affect a graph.
_BOOKKEEPING = frozenset("_built _build_input_shape _tracker _variables".split())
#: Larger arrays are not hashed.
_MAX_BYTES = 2**20
#: The largest number of objects that one fingerprint visits.
_MAX_OBJECTS = 10_000
_INSTALLED = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


class Opaque(Exception):
    """Raised for an object whose effect on a graph cannot be described by a hashable value."""


def describe(value: Any, *, metrics: bool = False) -> Hashable:
    """Returns a hashable description, equal for functions and objects with the same behaviour.

    Args:
        value: a function, a number, an array, a Keras object without variables, or nested
            containers of these.
        metrics: whether Keras metrics are allowed; the values of their variables are ignored.

    Raises:
        Opaque: for anything else, and for functions that refer to anything else.
    """
    return _Reader(strict=True, metrics=metrics).read(value)


def fingerprint(value: Any) -> Hashable:
    """Returns a fingerprint that changes when plain data that a function reads or sets change.

    Objects of user classes are compared by their attributes; objects that cannot be described
    are compared by identity.
    """
    return _Reader(strict=False).read(value)


@final
class _Reader:
    """Describes a value and everything it references; a repeated object becomes its number."""

    def __init__(self, *, strict: bool, metrics: bool = False) -> None:
        self._strict, self._metrics = strict, metrics
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []

    def read(self, value: Any) -> Hashable:
        if isinstance(value, enum.Enum):
            return "enum", type(value), value.name
        if isinstance(value, _SCALARS):
            return type(value).__name__, repr(value) if isinstance(value, slice) else value
        if isinstance(value, (float, complex, np.generic)):
            return type(value).__name__, repr(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if id(value) in self._numbers:
            return "seen", self._numbers[id(value)]
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        if not self._strict and len(self._alive) > _MAX_OBJECTS:
            return "object", id(value)
        return self._read_object(value)

    def _read_object(self, value: Any) -> Hashable:
        match value:
            case types.FunctionType():
                return self._function(value)
            case types.MethodType():
                return "method", self.read(value.__func__), self.read(value.__self__)
            case types.BuiltinFunctionType():
                return self._builtin(value)
            case functools.partial():
                return "partial", self.read(value.func), self.read((value.args, value.keywords))
            case Mapping() if _is_plain(value, dict, types.MappingProxyType):
                return "mapping", tuple((self.read(k), self.read(v)) for k, v in value.items())
            case set() | frozenset():
                return "set", frozenset(self.read(item) for item in value)
            case _ if _is_plain(value, *_SEQUENCES):
                return type(value).__qualname__, tuple(self.read(item) for item in value)
            case types.ModuleType() | type():
                return self._named(value)
            case _:
                return self._instance(value)

    def _builtin(self, value: types.BuiltinFunctionType) -> Hashable:
        owner = value.__self__
        if owner is not None and not isinstance(owner, (types.ModuleType, type)):
            return "builtin", value.__qualname__, self.read(owner)  # a method of an object
        if root_of(value.__module__ or "builtins") not in LIBRARIES:
            self._refuse(f"{value.__qualname__} of {value.__module__} may return anything")
        return "builtin", value.__module__, value.__qualname__

    def _named(self, value: Any) -> Hashable:
        """Describes a module or class; those of known libraries by their names."""
        name = value.__name__ if isinstance(value, types.ModuleType) else value.__module__
        if root_of(name) in LIBRARIES:
            return type(value).__name__, name, getattr(value, "__qualname__", "")
        self._refuse(f"{value.__name__} can change")
        if isinstance(value, type) and not is_installed(value):
            plain = {k: v for k, v in vars(value).items() if not (callable(v) or k[:2] == "__")}
            return "class", id(value), self.read(plain)
        return "object", id(value)

    def _instance(self, value: Any) -> Hashable:
        kind = type(value)
        root = root_of(kind.__module__)
        if isinstance(value, np.ufunc):
            return "ufunc", value.__name__
        if root == "keras" and isinstance(value, keras.metrics.Metric) and self._metrics:
            return self._attributes(value)
        if root == "keras" and not isinstance(value, _STATEFUL):
            return self._attributes(value)
        if self._strict and root in ("tensorflow", "jax", "jaxlib") and _is_constant(value):
            return self._array(np.asarray(value))
        self._refuse(f"{kind.__name__} is not part of Keras")
        own = getattr(value, "__dict__", None)
        if own is None or is_installed(kind):
            return "object", id(value)
        return "instance", id(kind), self.read(dict(own))

    def _attributes(self, value: Any) -> Hashable:
        """Describes a Keras object by its attributes; `get_config` may lack some."""
        own = {
            name: item
            for name, item in vars(value).items()
            if name not in _BOOKKEEPING and not isinstance(item, keras.Variable)
        }
        return type(value).__qualname__, self.read(own)

    def _array(self, value: np.ndarray) -> Hashable:
        small = value.nbytes <= _MAX_BYTES
        if not small or value.dtype.hasobject:
            self._refuse(f"an array of {value.nbytes:,} bytes and type {value.dtype}")
            return "array", id(value), value.shape
        data = hashlib.sha256(np.ascontiguousarray(value).tobytes()).digest()
        return "array", str(value.dtype), value.shape, data

    def _function(self, function: types.FunctionType) -> Hashable:
        code, library = function.__code__, root_of(function.__globals__.get("__name__", ""))
        if library in LIBRARIES and _is_global(function):
            return "library", function.__module__, function.__qualname__
        cells = tuple(self._cell(cell) for cell in function.__closure__ or ())
        values = self.read((function.__defaults__, function.__kwdefaults__))
        if library in LIBRARIES:
            return "library", code, cells, values
        if is_installed(function):
            self._refuse(f"{function.__name__} belongs to {library}")
            return "object", id(function)
        own = self.read(dict(vars(function)))
        reads = tuple(
            self._global(chain, function) for chain in sorted(set(names_in(code, self._refuse)))
        )
        return "function", code, cells, values, own, reads

    def _cell(self, cell: types.CellType) -> Hashable:
        try:
            return self.read(cell.cell_contents)
        except ValueError:
            return ("empty",)

    def _global(self, chain: tuple[str, ...], function: types.FunctionType) -> Hashable:
        """Describes the object that a dotted name refers to in a function's module."""
        name, *attributes = chain
        if name in _UNPREDICTABLE or _UNPREDICTABLE & set(attributes[:-1] or attributes):
            self._refuse(f"{function.__name__} uses {'.'.join(chain)}")
        space = function.__globals__
        if name not in space:
            return chain, hasattr(builtins, name)
        value, done = space[name], [name]
        while attributes and isinstance(value, types.ModuleType):
            if not hasattr(value, attributes[0]):
                break
            done.append(attributes[0])
            value = getattr(value, attributes.pop(0))
        return tuple(done), self.read(value)

    def _refuse(self, why: str) -> None:
        if self._strict:
            raise Opaque(why)


def names_in(
    code: types.CodeType, refuse: Callable[[str], None] = lambda why: None
) -> Iterator[tuple[str, ...]]:
    """Yields the dotted names that code, and code inside it, reads or sets globally.

    Args:
        code: of a function.
        refuse: called with the reason why what code reads cannot be told from its names.
    """
    chain: tuple[str, ...] = ()
    for step in dis.get_instructions(code):
        kind = step.opname
        if chain and kind in ("LOAD_ATTR", "LOAD_METHOD"):
            chain = (*chain, str(step.argval))
            continue
        if chain:
            yield chain
            chain = ()
        if kind in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            chain = (str(step.argval),)
        elif kind in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            refuse(f"{code.co_name} sets the global {step.argval}")
            yield (str(step.argval),)
        elif kind == "STORE_DEREF" and step.argval in code.co_freevars:
            refuse(f"{code.co_name} sets {step.argval} of the function around it")
        elif kind == "IMPORT_NAME" and root_of(str(step.argval)) not in LIBRARIES:
            refuse(f"{code.co_name} imports {step.argval}")
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from names_in(inner, refuse)


def root_of(module: str) -> str:
    """Returns the name of a module's top package."""
    return module.partition(".")[0]


def _is_global(function: types.FunctionType) -> bool:
    """Whether a function is a global of its module, not a closure."""
    module = sys.modules.get(function.__module__)
    return getattr(module, function.__qualname__, None) is function


def is_installed(thing: Any) -> bool:
    """Whether a function or class belongs to Python or an installed package, not to the user."""
    if isinstance(thing, types.FunctionType):
        return thing.__code__.co_filename.startswith(_INSTALLED)
    if thing.__module__ == "__main__":
        return False
    file = getattr(sys.modules.get(thing.__module__), "__file__", None)
    return file is None or file.startswith(_INSTALLED)


def _is_constant(value: Any) -> bool:
    """Whether a value is a tensor, not a variable."""
    return hasattr(value, "__array__") and not hasattr(value, "assign")


def _is_plain(value: Any, *kinds: type) -> bool:
    """Whether a value is a container of these kinds, or a Keras subclass that tracks variables."""
    kind = type(value)
    return kind in kinds or (root_of(kind.__module__) == "keras" and isinstance(value, kinds))
