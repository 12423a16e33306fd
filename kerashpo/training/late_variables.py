"""Late variables: models whose variables TensorFlow allocates when they are first needed.

A model that trains in compiled epochs lends its values to the variables of a shared trace, and may
never need its own. Creating those takes longer than building all else of a small model, since
TensorFlow prepares an operation for every new shape.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final, final

import keras
from keras.src.optimizers.base_optimizer import BaseOptimizer

from kerashpo.training.symbolic_build import DeferredValue, mixed, replaced, restore_class

_LATE: ContextVar[bool] = ContextVar("late variables", default=False)
#: Methods of an optimizer that need a variable of TensorFlow only for its identity and its place.
_BUILDING = ("_var_key", "add_variable_from_reference")
_INDEX: Final = "_trainable_variables_indices"
#: What makes the first state of Keras's seed generators.
_SEED = "SeedGenerator.__init__.<locals>.seed_initializer"


@contextlib.contextmanager
def late_variables(allowed: bool = True) -> Iterator[None]:
    """Context in which, in this thread, variables are allocated when they are first used.

    Their values are those that they would have had: an initialiser of Keras with a fixed seed
    gives the same numbers at any time. Variables of other initialisers are allocated at once.

    Args:
        allowed: False for a context without effect. It has none on other backends either.
    """
    if not allowed or keras.backend.backend() != "tensorflow":
        yield
        return
    token = _LATE.set(True)
    try:
        with (
            replaced(keras.Variable, "_initialize_with_initializer", _postpone),
            replaced(keras.Variable, "_deferred_initialize", _postpone_again),
        ):
            yield
    finally:
        _LATE.reset(token)


class LateValue(DeferredValue):
    """Mixin for a variable that TensorFlow has not allocated yet; see `take` and `hold`."""

    def numpy(self) -> Any:
        return _value_of(self).numpy()

    def _deferred_initialize(self) -> None:
        token = _LATE.set(False)
        try:
            super()._deferred_initialize()
        finally:
            _LATE.reset(token)

    def _direct_assign(self, value: Any) -> None:
        import tensorflow as tf

        if tf.inside_function():  # the value is known when the graph runs, each time another
            self._deferred_initialize()
            self._direct_assign(value)
        else:
            self._initializer = _Held(tf.convert_to_tensor(value))


def take(variable: Any) -> Any:
    """Returns the value of a late variable, which is a plain one afterwards, without a value.

    Returns:
        a tensor; None for a variable that is allocated.
    """
    if not isinstance(variable, LateValue):
        return None
    value = _value_of(variable)
    restore_class(variable)
    return value


def hold(variable: Any, value: Any) -> None:
    """Makes a variable late again, with this tensor as its value."""
    variable._value, variable._initializer = None, _Held(value)
    variable.__class__ = mixed(LateValue, type(variable))


def allocate(variables: list[Any]) -> None:
    """Allocates those of the variables that are late."""
    for variable in variables:
        if isinstance(variable, LateValue):
            variable._deferred_initialize()


def peek(variable: Any) -> Any:
    """Returns the TensorFlow variable of a variable, or the value of a late one."""
    return _value_of(variable) if isinstance(variable, LateValue) else variable._value


def build_optimizer(optimizer: Any, variables: list[Any]) -> None:
    """Builds an optimizer for variables that may be late."""
    plain = all(
        getattr(type(optimizer), name).__module__ == "keras.src.backend.tensorflow.optimizer"
        for name in _BUILDING
    )
    if not plain or not any(isinstance(variable, LateValue) for variable in variables):
        optimizer.build(variables)
        return
    for name in _BUILDING:
        vars(optimizer)[name] = getattr(BaseOptimizer, name).__get__(optimizer)
    try:
        optimizer.build(variables)
    finally:
        for name in _BUILDING:
            del vars(optimizer)[name]
    # Not by `setattr`: TensorFlow wraps a dict.
    vars(optimizer)[_INDEX] = _Index(optimizer, vars(optimizer)[_INDEX])


def renew_index(optimizer: Any) -> None:
    """Rebuilds the index by which Keras finds an optimizer's slots: ids of `tf.Variable`s."""
    while optimizer is not None:
        index = vars(optimizer)[_INDEX]
        if isinstance(index, _Index):
            index.outdated = True
        else:
            index.clear()
            index.update(_positions(optimizer))
        optimizer = getattr(optimizer, "inner_optimizer", None)


@final
class _Index(dict[Any, int]):
    """An optimizer's index of its variables, made when it is read: late ones have no id yet."""

    def __init__(self, optimizer: Any, positions: dict[Any, int]) -> None:
        super().__init__(positions)
        self._optimizer = optimizer
        self.outdated = True

    def __getitem__(self, key: Any) -> int:
        self._renew()
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._renew()
        return super().__contains__(key)

    def _renew(self) -> None:
        if self.outdated:
            self.outdated = False
            self.clear()
            self.update(_positions(self._optimizer))


@final
class _Held:
    """An initialiser that returns a tensor."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return self._value


def _positions(optimizer: Any) -> dict[Any, int]:
    variables = optimizer._trainable_variables
    return {optimizer._var_key(variable): number for number, variable in enumerate(variables)}


def _value_of(variable: Any) -> Any:
    import tensorflow as tf

    with tf.init_scope():
        return tf.convert_to_tensor(
            variable._initializer(variable._shape, dtype=variable._dtype), variable._dtype
        )


def _postpone(stock: Any, variable: Any, initializer: Any) -> None:
    if not _LATE.get() or not _is_repeatable(initializer):
        stock(variable, initializer)
        return
    variable._value, variable._initializer = None, initializer
    variable.__class__ = mixed(LateValue, type(variable))


def _postpone_again(stock: Any, variable: Any) -> None:
    """Postpones a variable that Keras created while it inferred shapes."""
    if _LATE.get() and _is_repeatable(variable._initializer):
        variable.__class__ = mixed(LateValue, type(variable))
    else:
        stock(variable)


def _is_repeatable(initializer: Any) -> bool:
    """Whether an initialiser gives the same values whenever it is called."""
    if getattr(initializer, "__qualname__", "") == _SEED:
        return True
    kind = type(initializer)
    if not kind.__module__.startswith("keras.src.initializers."):
        return False
    return all(
        value is None or isinstance(value, (bool, int, float, str))
        for value in vars(initializer).values()
    )
