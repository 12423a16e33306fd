"""Validated values: a stored model reads the plain values that its trial was validated with.

A callback may have changed what a loss or a layer reads (see `python_values`), so that a model
that is built again would evaluate and predict otherwise than its trial did.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, final

import keras

from kerashpo.training.model_state import architecture_of
from kerashpo.training.python_values import PythonValues
from kerashpo.training.reachable_values import ReachableValues, is_same

_METHODS = ("call", "test_step", "predict_step")


def values_of(model: keras.Model) -> str:
    """Returns the values of a trial's last validation as text for `give_values`.

    Empty if they are those after the build.
    """
    values = PythonValues.of(model)
    if values is None or not (changes := values.validated()):
        return ""
    return base64.b85encode(pickle.dumps(dict(changes))).decode()


def architecture_as_validated(model: keras.Model) -> str:
    """Returns a trial's model as JSON, with the values of its last validation; empty for none."""
    values = PythonValues.of(model)
    if values is None:
        return architecture_of(model) or ""
    with values.temporarily(values.validated()):
        return architecture_of(model) or ""


def give_values(model: keras.Model, text: str | None) -> None:
    """Lets a model that was built again read the values that `values_of` returned.

    Raises:
        ValueError: if the text cannot be read.
    """
    if not text:
        return
    try:
        values = pickle.loads(base64.b85decode(text))
    except Exception as error:
        raise ValueError(f"the values of its code cannot be read: {error}") from error
    _GivenValues(model, values).wrap(model)


def share_values(source: keras.Model, model: keras.Model) -> None:
    """Lets the loss and metrics that a model has from another one read that one's values."""
    step = vars(source).get("test_step")
    if isinstance(step, functools.partial) and step.func is _call:
        step.args[0].wrap(model, ("compute_loss", "compute_metrics"))


@final
class _GivenValues:
    """Values that are in effect while a model is called, tested or asked to predict.

    Plain attributes of the model's own layers are set for good. Others may belong to several
    models, so they are taken back each time, and what the user changes later counts instead.
    """

    def __init__(self, model: keras.Model, values: Mapping[str, Any]) -> None:
        self._reach = ReachableValues(model)
        self._values = self._reach.write_into_layers(values)
        self._loaded = self._reach.read()
        self._inside = False

    def wrap(self, model: keras.Model, methods: Sequence[str] = _METHODS) -> None:
        """Lets methods of a model read the values."""
        if not self._values:
            return
        for name in methods:
            stock = getattr(model, name)
            vars(model)[name] = functools.partial(_call, self, stock)

    @contextlib.contextmanager
    def in_effect(self) -> Iterator[None]:
        """Context of one call."""
        if self._inside:
            yield
            return
        changed = self._reach.changes(self._loaded)
        mine = {
            path: _with_own(value, changed[path], self._loaded.get(path))
            if path in changed
            else value
            for path, value in self._values.items()
        }
        self._reach.write({**self._loaded, **changed, **mine})
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
            self._reach.write({**self._loaded, **changed})


def _with_own(value: Any, now: Any, loaded: Any) -> Any:
    """Returns a value, or what the user has put in its place: of a dict, single items."""
    if not all(isinstance(one, dict) for one in (value, now, loaded)):
        return now
    own = {k: one for k, one in now.items() if k not in loaded or not is_same(one, loaded[k])}
    return {**value, **own}


def _call(given: _GivenValues, stock: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with given.in_effect():
        return stock(*args, **kwargs)
