"""Trained layers: `fit` reads what is trainable when it makes its train function, not later.

A callback that sets ``layer.trainable`` changes nothing until `compile` and `make_train_function`
are called. A search must keep to that although it traces models at other times than `fit`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, final

import keras

#: Attribute of a model: what its train function was made from, and the flags at that time.
_MADE = "_kerashpo_made"

Flags = tuple[bool, ...]


@final
class TrainedLayers:
    """What of one model is trained, as its train function was made, and as it is now.

    Args:
        model: a compiled model whose variables exist.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._layers = list(model._flatten_layers())
        self._variables = list(model.variables)

    def note(self) -> bool:
        """Notes the flags if the train function was made since; returns whether it was again."""
        before = vars(self._model).get(_MADE)
        if before is not None and self._is_noted():
            return False
        vars(self._model)[_MADE] = self._made_from(), self.now()
        return before is not None

    def now(self) -> Flags:
        """Returns what is trainable: of each layer, then of each variable."""
        layers = (layer._trainable for layer in self._layers)
        return (*layers, *(variable.trainable for variable in self._variables))

    @contextlib.contextmanager
    def in_effect(self) -> Iterator[None]:
        """Context in which the model has the flags that its train function was made with."""
        _, made = vars(self._model).get(_MADE, (None, None))
        now = self.now()
        if made is None or made == now or len(made) != len(now):
            yield
            return
        self._set(made)
        try:
            yield
        finally:
            self._set(now)

    def save(self) -> dict[str, Any]:
        """Returns the flags as JSON values."""
        made = vars(self._model)[_MADE][1] if self._is_noted() else self.now()
        return {"made": _numbers(made), "now": _numbers(self.now())}

    def load(self, values: dict[str, Any]) -> None:
        """Restores what `save` returned, unless the model has other layers."""
        made, now = (tuple(map(bool, values[name])) for name in ("made", "now"))
        if len(made) == len(now) == len(self.now()):
            self._set(now)
            vars(self._model)[_MADE] = self._made_from(), made

    def apply(self) -> None:
        """Sets the flags with which `fit` will make the train function, if it has none yet."""
        if self._model.train_function is None and _MADE in vars(self._model):
            _, made = vars(self._model)[_MADE]
            if len(made) == len(self.now()):
                self._set(made)

    def _is_noted(self) -> bool:
        noted = vars(self._model).get(_MADE)
        return noted is not None and all(a is b for a, b in zip(noted[0], self._made_from()))

    def _made_from(self) -> tuple[Any, ...]:
        model = self._model
        names = ("train_function", "optimizer", "_compile_loss")  # absent before `compile`
        return tuple(getattr(model, name, None) for name in names)

    def _set(self, flags: Sequence[bool]) -> None:
        for layer, flag in zip(self._layers, flags):
            if layer._trainable != flag:
                layer._trainable = flag
        for variable, flag in zip(self._variables, flags[len(self._layers) :]):
            if variable.trainable != flag:
                variable.trainable = flag


def _numbers(flags: Flags) -> list[int]:
    return [int(flag) for flag in flags]
