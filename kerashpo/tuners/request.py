"""What `search` was given, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import require_integer
from kerashpo.display.listener import Listener
from kerashpo.study.notify import check_listeners
from kerashpo.training.callbacks import check_callbacks
from kerashpo.training.fitdata import FitData, fingerprint_of
from kerashpo.training.ownfit import FitCall
from kerashpo.training.portions import NO_DATA


@final
@dataclass(frozen=True, slots=True)
class Request:
    """One call of `search`.

    Attributes:
        data: what to train on; `NO_DATA` where the user's own code reads the arguments.
        fingerprint: a hash of the arrays, None where there are others than arrays.
        epochs: epochs of each trial, None where none were given.
        callbacks: Keras's, or functions that make them.
        listeners: who hears the events.
        verbose: 0 for silence, 1 for progress.
        fit_verbose: Keras's own verbosity within trials.
        args: by position, for code of the user's own.
        kwargs: by name, for code of the user's own: without what is the search's.
    """

    data: FitData
    fingerprint: str | None
    epochs: int | None
    callbacks: tuple[Any, ...]
    listeners: tuple[Listener, ...]
    verbose: Any
    fit_verbose: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def call(self, planned: bool) -> FitCall:
        """Returns it as a call of `HyperModel.fit`."""
        kwargs = {name: self.kwargs[name] for name in self.kwargs if name not in _TOLD}
        return FitCall(self.args, kwargs, planned, self.epochs is not None, self.fit_verbose)


_TOLD = ("epochs", "callbacks", "verbose")


def read_request(args: tuple[Any, ...], kwargs: dict[str, Any], own: bool) -> Request:
    """Reads the arguments of `search`.

    Args:
        args: by position.
        kwargs: by name.
        own: whether code of the user's own takes them, so that any are allowed.

    Raises:
        InvalidInput: for arguments that cannot be meant.
    """
    kwargs = dict(kwargs)
    listeners = check_listeners(kwargs.pop("listeners", None))
    fit_verbose, theirs = kwargs.pop("fit_verbose", 0), dict(kwargs)
    verbose, epochs = kwargs.pop("verbose", 1), kwargs.pop("epochs", None)
    if epochs is not None:
        require_integer("epochs", epochs, 1)
    callbacks = check_callbacks(kwargs.pop("callbacks", None))
    if own:
        data, fingerprint = NO_DATA, fingerprint_of((args, kwargs))
    else:
        data = FitData.from_fit(*args, **kwargs, verbose=fit_verbose)
        fingerprint = data.fingerprint()
    return Request(
        data, fingerprint, epochs, callbacks, tuple(listeners), verbose, fit_verbose, args, theirs
    )
