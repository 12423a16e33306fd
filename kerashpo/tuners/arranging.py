"""From the arguments that a `run_trial` calls its parent with to what a trial is trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, final

from kerashpo.core.errors import require_integer
from kerashpo.training.callbacks import check_callbacks
from kerashpo.training.fitdata import FitData, fit_arguments
from kerashpo.training.ownfit import FitCall
from kerashpo.training.portions import NO_DATA, TUNABLE, Portions
from kerashpo.training.runner import Terms
from kerashpo.tuners.hooks import BATCH_HOOKS, EPOCH_HOOKS, BatchHooks, EpochHooks, Hooks
from kerashpo.tuners.request import Request

_SCHEDULE = ("epochs", "initial_epoch", "callbacks", "verbose")


@final
class Arranger:
    """Reads arguments of `fit`; those of the search itself cost nothing.

    Args:
        request: what `search` was given.
        base: the search's data as they are trained on, None where only `run_trial` reads them.
        own_fit: whether the hypermodel trains its models itself.
        planned: whether the tuner plans the epochs, so that others are not heeded.
    """

    def __init__(
        self, request: Request, base: Portions | None, own_fit: bool, planned: bool
    ) -> None:
        self.request = request
        self._base, self._own_fit, self._planned = base, own_fit, planned
        self._made: dict[tuple[Any, ...], tuple[FitData, Any]] = {}

    def terms(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], tuner: Hooks, trial: Any
    ) -> Terms:
        """Returns on what a trial is trained, with the tuner's hooks listening.

        Raises:
            InvalidInput: for arguments that cannot be meant.
        """
        kwargs = dict(kwargs)
        epochs = kwargs.get("epochs")
        if epochs is not None:
            require_integer("epochs", epochs, 1)
        callbacks = check_callbacks(kwargs.get("callbacks"))
        if made := _listening(tuner, trial):
            callbacks = (*callbacks, lambda: made)
        changed = epochs != self.request.epochs and not self._planned
        until = epochs if changed else None
        for name in _SCHEDULE:
            kwargs.pop(name, None)
        if self._own_fit:
            told = epochs is not None
            call = FitCall(args, kwargs, self._planned, told, self.request.fit_verbose)
            return Terms(Portions([NO_DATA]), callbacks, until, call)
        data = self._base or Portions([self._data(args, kwargs)])
        return Terms(data, callbacks, until)

    def _data(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FitData:
        """Reads data; the same objects give the same data, in batches of another size too."""
        named = fit_arguments(*args, **kwargs)
        tuned = {name: named.pop(name) for name in TUNABLE if name in named}
        key = tuple((name, id(value)) for name, value in sorted(named.items()))
        if key not in self._made:
            # Beside what it was made of, whose ids nothing else can take while it is here.
            data = FitData.from_fit(**named, verbose=self.request.fit_verbose)
            self._made[key] = (data, named)
        data = self._made[key][0]
        if not tuned:
            return data
        whole = (*key, repr(sorted(tuned.items())))
        if whole not in self._made:
            self._made[whole] = (dataclasses.replace(data, **tuned), named)
        return self._made[whole][0]


def _listening(tuner: Hooks, trial: Any) -> EpochHooks | None:
    if tuner._overrides(*BATCH_HOOKS):
        return BatchHooks(tuner, trial)
    return EpochHooks(tuner, trial) if tuner._overrides(*EPOCH_HOOKS) else None
