"""Reads the arguments of `search` and of `run_trial` into training data and settings."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.history import MODEL
from kerashpo.core.listener import Listener
from kerashpo.study.listeners import check_listeners
from kerashpo.training.data import FitData, fingerprint_of, fit_arguments
from kerashpo.training.folds import NO_DATA, TUNABLE, RunData, TrialData
from kerashpo.training.loops.user_fit import FitCall
from kerashpo.training.user_callbacks import check_callbacks
from kerashpo.tuners.describe import describe, describe_callbacks
from kerashpo.tuners.hooks import BATCH_HOOKS, EPOCH_HOOKS, BatchHooks, EpochHooks, Hooks
from kerashpo.tuners.tuner_options import as_whole


@final
@dataclass(frozen=True, slots=True)
class Request:
    """One call of `search`.

    Attributes:
        data: the training data; `NO_DATA` if the user's own code reads the arguments.
        fingerprint: a hash of the arrays, None if not all data are arrays.
        epochs: epochs of each trial, None where none were given.
        callbacks: Keras's, or functions that make them.
        listeners: objects that are called for every event.
        verbose: 0 for no output, 1 for progress.
        fit_verbose: Keras's own verbosity within trials.
        args: positional arguments, for the user's own code.
        kwargs: keyword arguments, for the user's own code, without those of the search.
        final_round: how many folds a final round has, a splitter, or None for no final round.
        reshuffle: whether each trial gets a split of its own.
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
    final_round: Any = None
    reshuffle: bool = False

    def call(self, planned: bool) -> FitCall:
        """Returns the request as a call of `HyperModel.fit`."""
        kwargs = {name: self.kwargs[name] for name in self.kwargs if name not in _NOT_PASSED}
        return FitCall(self.args, kwargs, planned, self.epochs is not None, self.fit_verbose)

    def compared(self) -> dict[str, Any]:
        """Returns the settings of a call that a resume compares."""
        fit = self._plain_arguments() if self.data is NO_DATA else _fit_settings(self.data)
        if callbacks := describe_callbacks(self.callbacks):
            fit["callbacks"] = callbacks
        if self.reshuffle:
            fit["reshuffle"] = True
        return {"data": self.fingerprint, "fit": fit}

    def _plain_arguments(self) -> dict[str, Any]:
        """Returns the numbers and strings among the arguments of the user's own code."""
        named = {name: self.kwargs[name] for name in self.kwargs if name not in _NOT_PASSED}
        described = {name: describe(value) for name, value in named.items()}
        plain = (bool, int, float, str)
        return {name: value for name, value in described.items() if isinstance(value, plain)}


SEARCH_SETTINGS = ("data", "fit", MODEL)
"""Settings that a resume compares once `search` was called."""
_NOT_PASSED = ("epochs", "callbacks", "verbose")


def _fit_settings(data: FitData) -> dict[str, Any]:
    """Returns the arguments of `fit` that change the training; defaults are left out."""
    arrays = data.trains_on_arrays
    found = {
        "batch_size": data.batch if arrays else data.batch_size,
        "validation_batch_size": data.validation_batch_size,
        "shuffle": None if data.shuffle is True else data.shuffle,
        "validation_freq": None if data.validation_freq == 1 else data.validation_freq,
        "steps_per_epoch": data.steps_per_epoch,
        "validation_steps": data.validation_steps,
        # Arrays are fingerprinted together with the class weights.
        "class_weight": None if arrays else data.class_weight,
    }
    return {name: describe(value) for name, value in found.items() if value is not None}


_WHOLE = (
    "batch_size",
    "epochs",
    "initial_epoch",
    "steps_per_epoch",
    "validation_batch_size",
    "validation_freq",
    "validation_steps",
)


def read_request(args: tuple[Any, ...], kwargs: dict[str, Any], own: bool) -> Request:
    """Reads the arguments of `search`.

    Args:
        args: positional arguments.
        kwargs: keyword arguments.
        own: whether the user's own code takes them, so that any are allowed.

    Raises:
        InvalidInput: for invalid arguments.
    """
    kwargs = {name: as_whole(v) if name in _WHOLE else v for name, v in kwargs.items()}
    listeners = check_listeners(kwargs.pop("listeners", None))
    final_round, reshuffle = kwargs.pop("final_round", None), kwargs.pop("reshuffle", False)
    if not isinstance(reshuffle, bool):
        raise InvalidInput(f"reshuffle must be True or False. Received: {reshuffle!r}.")
    fit_verbose, theirs = kwargs.pop("fit_verbose", 0), dict(kwargs)
    verbose, epochs = kwargs.pop("verbose", 1), kwargs.pop("epochs", None)
    if epochs is not None:
        require_integer("epochs", epochs, 1)
    if not own and kwargs.pop("initial_epoch", 0):
        raise InvalidInput(
            "initial_epoch cannot be passed to search: every trial starts at its first epoch, and "
            "one that was paused or interrupted resumes where it stopped. Leave it out. "
            f"Received: initial_epoch={theirs['initial_epoch']!r}."
        )
    callbacks = check_callbacks(kwargs.pop("callbacks", None))
    if own:
        data, fingerprint = NO_DATA, fingerprint_of((args, kwargs))
    else:
        data = FitData.from_fit(*args, **kwargs, verbose=fit_verbose)
        fingerprint = data.fingerprint()
    return Request(
        data,
        fingerprint,
        epochs,
        callbacks,
        tuple(listeners),
        verbose,
        fit_verbose,
        args,
        theirs,
        final_round,
        reshuffle,
    )


_SCHEDULE = ("epochs", "initial_epoch", "callbacks", "verbose")


@final
class TrialDataFactory:
    """Turns the arguments that `run_trial` passes to its parent into training data.

    Args:
        request: the arguments of `search`.
        base: the search's training data, None if only the user's `run_trial` can read them.
        own_fit: whether the hypermodel overrides `fit`.
        planned: whether the tuner plans the epochs, so that ``epochs`` is ignored.
    """

    def __init__(
        self, request: Request, base: RunData | None, own_fit: bool, planned: bool
    ) -> None:
        self.request = request
        self._base, self._own_fit, self._planned = base, own_fit, planned
        self._made: OrderedDict[tuple[Any, ...], _Made] = OrderedDict()

    def trial_data(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], tuner: Hooks, trial: Any
    ) -> TrialData:
        """Returns the data and callbacks of a trial, the tuner's hooks among them.

        Raises:
            InvalidInput: for invalid arguments.
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
            passed = epochs is not None
            call = FitCall(args, kwargs, self._planned, passed, self.request.fit_verbose)
            return TrialData(RunData([NO_DATA]), callbacks, until, call)
        data = self._base or RunData([self._data(args, kwargs)])
        return TrialData(data, callbacks, until)

    def _data(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FitData:
        """Reads training data, cached by the identity of the arguments, for any batch size."""
        named = fit_arguments(*args, **kwargs)
        tuned = {name: named.pop(name) for name in TUNABLE if name in named}
        key = tuple((name, id(value)) for name, value in sorted(named.items()))
        made = self._made.pop(key, None)
        if made is None:
            data = FitData.from_fit(**named, verbose=self.request.fit_verbose)
            made = _Made(named, {"[]": data})
        self._made[key] = made
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)
        variant = repr(sorted(tuned.items()))
        if variant not in made.data:
            made.data[variant] = dataclasses.replace(made.data["[]"], **tuned)
        return made.data[variant]


_KEPT = 4
"""The most data sets to cache: a `run_trial` that splits folds makes new arrays each time."""


@final
@dataclass(frozen=True, slots=True)
class _Made:
    """Cached data of some arguments of `fit`.

    Attributes:
        arguments: the arguments; the reference keeps their ids from being reused.
        data: the data by the tuned arguments.
    """

    arguments: Mapping[str, Any]
    data: dict[str, FitData]


def _listening(tuner: Hooks, trial: Any) -> EpochHooks | None:
    if tuner._overrides(*BATCH_HOOKS):
        return BatchHooks(tuner, trial)
    return EpochHooks(tuner, trial) if tuner._overrides(*EPOCH_HOOKS) else None
