"""Symbolic builds: models without allocated variables, to discover their hyperparameters.

Discovery calls `build_model` dozens of times and discards the models. In a symbolic build their
layers have shapes, but the value of a variable is only created if code outside of the build reads
it, and a `Sequential` builds its graph when it is first read, not after each added layer.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias

import keras
from keras.src.backend.common.stateless_scope import in_stateless_scope

from kerashpo.core.errors import InvalidInput

Method: TypeAlias = Callable[..., None]

_SYMBOLIC: ContextVar[bool] = ContextVar("symbolic build", default=False)
_LEFT: ContextVar[list[int] | None] = ContextVar("parameters left", default=None)


@contextlib.contextmanager
def symbolic_build() -> Iterator[None]:
    """Context in which, in this thread, models are built without values of variables.

    A model that user code keeps works as usual afterwards: its variables are initialised when
    they are first used outside.
    """
    token = _SYMBOLIC.set(True)
    try:
        with (
            replaced(keras.Variable, "_initialize_with_initializer", _defer_value),
            replaced(keras.Variable, "_deferred_initialize", _stay_deferred),
            replaced(keras.Sequential, "_maybe_rebuild", _defer_graph),
        ):
            yield
    finally:
        _SYMBOLIC.reset(token)


def is_symbolic() -> bool:
    """Whether this thread is in a symbolic build."""
    return _SYMBOLIC.get()


@contextlib.contextmanager
def bounded_build(max_size: int | None) -> Iterator[None]:
    """Context in which, in this thread, at most `max_size` weights are allocated; None: no limit.

    Raises:
        InvalidInput: in the code that allocates more.
    """
    token = _LEFT.set(None if max_size is None else [max_size])
    try:
        with replaced(keras.Variable, "_initialize_with_initializer", _count):
            yield
    finally:
        _LEFT.reset(token)


class DeferredValue:
    """Mixin for variables of a symbolic build, until they are used outside of one."""

    @property
    def value(self) -> Any:
        if _SYMBOLIC.get() or in_stateless_scope():
            # Keras computes the initial value again, as for any variable made in such a scope.
            return super().value  # type: ignore[misc]
        self._deferred_initialize()
        return self.value

    def _deferred_initialize(self) -> None:
        if not _SYMBOLIC.get():
            restore_class(self)
            self._deferred_initialize()

    def _direct_assign(self, value: Any) -> None:
        restore_class(self)
        self._initialize(value)  # type: ignore[attr-defined]


def _after_rebuild(name: str) -> property:
    """Returns a property of a model that is built when the property is first read."""

    def read(model: Any) -> Any:
        restore_class(model)
        rebuild = type(model)._maybe_rebuild
        getattr(rebuild, "stock", rebuild)(model)
        return getattr(model, name)

    def write(model: Any, value: Any) -> None:
        vars(model)[name] = value

    return property(read, write)


class DeferredGraph:
    """Mixin for sequential models of a symbolic build, until their graph is read."""

    built = _after_rebuild("built")
    _functional = _after_rebuild("_functional")
    layers = _after_rebuild("layers")
    weights = _after_rebuild("weights")
    variables = _after_rebuild("variables")
    trainable_weights = _after_rebuild("trainable_weights")
    trainable_variables = _after_rebuild("trainable_variables")
    non_trainable_weights = _after_rebuild("non_trainable_weights")
    non_trainable_variables = _after_rebuild("non_trainable_variables")


# Other threads may build real models at the same time, hence the checks of `_SYMBOLIC`.


def _defer_value(stock: Method, variable: Any, initializer: Any) -> None:
    if not _SYMBOLIC.get():
        stock(variable, initializer)
        return
    variable._value, variable._initializer = None, initializer
    variable.__class__ = mixed(DeferredValue, type(variable))


def _stay_deferred(stock: Method, variable: Any) -> None:
    """Keeps a variable deferred that Keras created while it inferred shapes."""
    if not _SYMBOLIC.get():
        stock(variable)
        return
    variable.__class__ = mixed(DeferredValue, type(variable))


def _defer_graph(stock: Method, model: Any) -> None:
    if not _SYMBOLIC.get():
        stock(model)
        return
    # Not by `setattr`: on TensorFlow setting an attribute reads it first.
    vars(model).update(built=False, _functional=None)
    model.__class__ = mixed(DeferredGraph, type(model))


def _count(stock: Method, variable: Any, initializer: Any) -> None:
    left = _LEFT.get()
    if left is not None:
        left[0] -= math.prod(variable._shape)
        if left[0] < 0:
            raise InvalidInput("The model has more parameters than max_model_size.")
    stock(variable, initializer)


@contextlib.contextmanager
def replaced(cls: type, name: str, ours: Callable[..., None]) -> Iterator[None]:
    """Context that replaces a method; `ours` gets the original method as its first argument.

    Other threads call it too, so `ours` has to check whether it is meant for this one.
    """
    stock, own = getattr(cls, name), name in vars(cls)

    def method(self: Any, *args: Any) -> None:
        ours(stock, self, *args)

    method.stock = getattr(stock, "stock", stock)  # type: ignore[attr-defined]
    setattr(cls, name, method)
    try:
        yield
    finally:
        if own:
            setattr(cls, name, stock)
        else:
            delattr(cls, name)


def mixed(mixin: type, stock: type) -> type:
    """Returns a subclass of `stock` with a mixin and the same name."""
    if issubclass(stock, mixin):
        return stock
    known = f"_with_{mixin.__name__}"
    if known not in vars(stock):
        setattr(stock, known, type(stock.__name__, (mixin, stock), {}))
    found: type = vars(stock)[known]
    return found


def restore_class(thing: Any) -> None:
    """Restores an object's original class, without the mixin."""
    mixins = (DeferredValue, DeferredGraph)
    thing.__class__ = next(cls for cls in type(thing).__mro__ if not issubclass(cls, mixins))
