"""Layers made outside `build_model`: their weights are the same at the start of every trial.

A pretrained part that is made once and used in every model is one object, so each trial would
continue with the weights that the trial before left.
"""

from __future__ import annotations

import weakref
from typing import Any, final

import keras
import numpy as np

from kerashpo.training.symbolic_build import DeferredValue, is_symbolic


@final
class OutsideLayers:
    """The variables that models share because their layers are made outside `build_model`.

    Attributes:
        generation: counts what may have changed the variables; 0 while there are none. A model in
            memory is only valid in the generation in which it was built.
    """

    def __init__(self) -> None:
        #: id of a variable -> the variable, and its value when it was first seen.
        self._seen: dict[int, tuple[weakref.ref[Any], np.ndarray]] = {}
        self._shared: set[int] = set()
        self.generation = 0

    def note(self, model: Any) -> None:
        """Notes which variables of a model that was just built are those of an earlier one.

        The values of variables that a symbolic build did not make are kept. Only those of layers
        that are trained: an adapted `Normalization` keeps its values anyway.
        """
        if not isinstance(model, keras.Model):
            return
        for layer in model._flatten_layers(include_self=False):
            own = [*layer._trainable_variables, *layer._non_trainable_variables]
            if not any(variable.trainable for variable in own):
                continue
            for variable in own:
                if id(variable) in self._seen:
                    self._shared.add(id(variable))
                elif is_symbolic() and not isinstance(variable, DeferredValue):
                    value = keras.ops.convert_to_numpy(variable.value)
                    self._seen[id(variable)] = weakref.ref(variable, self._forget), value.copy()

    def restore(self) -> None:
        """Sets the variables to the values that they had before the search."""
        for key in self._shared:
            reference, value = self._seen[key]
            if (variable := reference()) is not None:
                variable.assign(value)
        self.touch()

    def touch(self) -> None:
        """Begins a new generation, if there are such variables."""
        self.generation += bool(self._shared)

    def _forget(self, reference: weakref.ref[Any]) -> None:
        for key in [key for key, (held, _) in self._seen.items() if held is reference]:
            del self._seen[key]
            self._shared.discard(key)
