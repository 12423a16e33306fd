"""Redirects the calls of `model.fit` in the user's own `HyperModel.fit` to compiled epochs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, final

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput
from kerashpo.training.arrays import digest
from kerashpo.training.data import NOT_DATA, FitData, fit_arguments
from kerashpo.training.loops.base import TrainingLoop, choose, finish
from kerashpo.training.loops.model_fit import EpochStart
from kerashpo.training.python_values import traced_once
from kerashpo.training.randomness import EpochKeys

_DATA_SETS = 4
"""Data sets whose arrays are kept, with their tensors on the device."""
Note = Callable[[str, str], None]
"""Called with the kind of training loop and the reason for it."""


@final
class FitRedirect:
    """Trains calls of `model.fit` in compiled epochs where that is exact.

    A call is redirected if it gets the callbacks of the search and trains on arrays with nothing
    that needs Python within an epoch, see `choose`. The order of samples is then keyed by
    epoch, as in a search without a `fit` of the user's own, so that a promoted trial continues
    as if it had never paused. Every other call goes to Keras, unchanged.

    Args:
        loop: the compiled training loop of the search.
        fast: the tuner's argument; False redirects nothing.
    """

    def __init__(self, loop: TrainingLoop, fast: bool | Literal["auto"] = "auto") -> None:
        self._loop, self._fast = loop, fast
        self._arrays: dict[str, FitData] = {}

    def of(
        self, model: keras.Model, verbose: Any, keys: EpochKeys, note: Note
    ) -> Callable[..., Any]:
        """Returns the function that takes the place of ``model.fit``.

        Args:
            model: the trial's model.
            verbose: the default of ``verbose``.
            keys: the randomness of this run.
            note: called with the loop that the first call takes, and why.
        """
        stock = model.fit

        def fit(*args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("verbose", verbose)
            try:
                data, rest = self._read(*args, **kwargs)
            except InvalidInput:
                return stock(*args, **kwargs)  # Keras has an error of its own
            callbacks, first, last = rest
            kind, reason = "plain", "HyperModel.fit does not pass on the callbacks"
            if any(isinstance(one, EpochStart) for one in callbacks):
                kind, reason = choose(self._fast and "auto", model, data, callbacks)
            note(kind, f"HyperModel.fit calls model.fit: {reason}")
            if kind == "plain" or last < first:
                with traced_once(model):
                    return stock(*args, **kwargs)
            self._loop.train(model, self._with_known_arrays(data), first, last, callbacks, keys)
            finish(model)
            return model.history

        return fit

    def _read(self, *args: Any, **kwargs: Any) -> tuple[FitData, tuple[list[Any], int, int]]:
        """Returns the data of a call, and its callbacks, first and last epoch."""
        given = fit_arguments(*args, **kwargs)
        callbacks = given.get("callbacks") or []
        if not isinstance(callbacks, list) or hasattr(given.get("x"), "__next__"):
            raise InvalidInput("Keras takes such callbacks, and a generator, itself.")
        first, last = given.get("initial_epoch", 0) + 1, given.get("epochs", 1)
        rest = {name: value for name, value in given.items() if name not in NOT_DATA}
        return FitData.from_fit(**rest), (callbacks, first, last)

    def _with_known_arrays(self, data: FitData) -> FitData:
        """Returns equal data with the arrays of an earlier call, whose tensors can be shared.

        They are found by their contents: the user's code may make new ones for each trial, or
        change them in place.
        """
        if not data.is_arrays:
            return data
        parts = (data.x, data.y, data.sample_weight, data.validation)
        key = digest(parts)
        known = self._arrays.pop(key, None)
        if known is None:
            # Views: tensors are cached by the identity of their arrays.
            x, y, weight, validation = keras.tree.map_structure(_view, parts)
            known = FitData(x, y, weight, validation)
        self._arrays[key] = known
        while len(self._arrays) > _DATA_SETS:
            del self._arrays[next(iter(self._arrays))]
        return dataclasses.replace(
            data,
            x=known.x,
            y=known.y,
            sample_weight=known.sample_weight,
            validation=known.validation,
        )


def _view(leaf: Any) -> Any:
    return leaf.view() if isinstance(leaf, np.ndarray) else leaf
