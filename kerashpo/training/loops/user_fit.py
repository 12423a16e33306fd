"""Training loop that calls a `HyperModel.fit` written by the user."""

from __future__ import annotations

import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import keras
import keras_tuner
import numpy as np

from kerashpo.core.errors import UnusableResult, nearest
from kerashpo.training.loops.base import unfinished
from kerashpo.training.loops.model_fit import EpochStart
from kerashpo.training.loops.redirected_fit import FitRedirect, Note
from kerashpo.training.randomness import EpochKeys, seeded_own
from kerashpo.training.trial_history import with_earlier_epochs
from kerashpo.training.user_callbacks import ReportCallback

WHERE = "HyperModel.fit"


class LeaveFit(Exception):
    """Raised after an epoch to leave a training loop written by the user."""


class RestartsTraining(Exception):
    """Raised when the user's `fit` trains a resumed trial from the first epoch again."""


def overrides_fit(hypermodel: Any) -> bool:
    """Whether a hypermodel trains its models itself."""
    is_model = isinstance(hypermodel, keras_tuner.HyperModel)
    return is_model and type(hypermodel).fit is not keras_tuner.HyperModel.fit


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter of this name, or ``**kwargs``."""
    taken = inspect.signature(function).parameters
    return name in taken or any(p.kind is p.VAR_KEYWORD for p in taken.values())


@final
@dataclass(frozen=True, slots=True)
class FitCall:
    """The arguments of `search`, as passed.

    Attributes:
        args: positional arguments.
        kwargs: keyword arguments, without those that `search` itself consumes.
        planned: whether the tuner plans the epochs, so that `fit` must follow it.
        epochs_given: whether `epochs` was passed to `search`.
        verbose: Keras's verbosity within trials.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    planned: bool = False
    epochs_given: bool = False
    verbose: Any = 0


@final
class UserFitLoop:
    """Training loop that calls ``hypermodel.fit(hp, model, *args, **kwargs)``.

    Epochs are observed through the callbacks passed to `fit`. `fit` gets ``epochs`` if it was
    passed to `search` or the tuner plans the epochs, and ``initial_epoch`` if the trial resumes.

    Args:
        hypermodel: the hypermodel whose `fit` is called.
        redirect: trains its calls of `model.fit` in compiled epochs; None to leave them to Keras.
    """

    def __init__(self, hypermodel: Any, redirect: FitRedirect | None = None) -> None:
        self._hypermodel, self._redirect = hypermodel, redirect
        self._taken = inspect.signature(hypermodel.fit).parameters
        self._restarts = False

    def train(
        self,
        call: FitCall,
        hp: Any,
        model: keras.Model,
        span: tuple[int, int],
        callbacks: list[keras.callbacks.Callback],
        keys: EpochKeys,
        on_epoch: Callable[[int, dict[str, float]], bool],
        required: str | None = None,
        note: Note = lambda kind, reason: None,
    ) -> Any:
        """Trains epochs first..last, counted from 1; returns the return value of `fit`.

        Args:
            call: the arguments of `search`.
            hp: the trial's hyperparameter values; `fit` may declare more.
            model: as returned by `build`, or restored to the state of the trial's last epoch.
            span: first and last epoch.
            callbacks: the trial's callbacks.
            keys: the randomness of this run.
            on_epoch: called with each epoch and its metrics; True ends the training.
            required: the objective, if `fit` may return it instead of logging it: until it is
                logged, `fit` is not halted after the last epoch.
            note: called with the training loop that `model.fit` takes, and why.

        Raises:
            LeaveFit: if `fit` was left after an epoch.
            RestartsTraining: if the trial resumes, but `fit` trains from its first epoch.
        """
        first, last = span
        epochs = self._epochs(call, first, last)
        if call.planned and first > 1 and "initial_epoch" not in epochs:
            self._warn_once()
        if self._restarts and first > 1:
            raise RestartsTraining
        listener = _EpochListener(first, last if call.planned else None, on_epoch, required)
        hooks = [EpochStart(keys), *callbacks, listener]
        kwargs = {**call.kwargs, **epochs}
        if self._takes("callbacks"):
            kwargs["callbacks"] = hooks
        if "verbose" in self._taken:
            kwargs["verbose"] = call.verbose
        # If the tuner plans the epochs, this call may train only part of the trial.
        part = unfinished(model) if call.planned else contextlib.nullcontext()
        fit: Callable[..., Any] = functools.partial(model.fit, verbose=call.verbose)
        if self._redirect is not None:
            fit = self._redirect.of(model, call.verbose, keys, note)
        fit = with_earlier_epochs(fit, callbacks, first)
        with part, seeded_own(keys.seed, keys.trial, keys.run, first), _replaced(model, fit):
            try:
                result = self._hypermodel.fit(hp, model, *call.args, **kwargs)
                if call.planned and not listener.has_reported:
                    _check_resumed(result, first, last)
                return result
            except RestartsTraining:
                self._warn_once()
                raise

    def _epochs(self, call: FitCall, first: int, last: int) -> dict[str, int]:
        if not (call.planned or call.epochs_given):
            return {}
        epochs = {"epochs": last} | ({"initial_epoch": first - 1} if first > 1 else {})
        return {
            name: epoch for name, epoch in epochs.items() if not call.planned or self._takes(name)
        }

    def _warn_once(self) -> None:
        """Warns once that promoted trials are trained from the start."""
        if not self._restarts:
            self._restarts = True
            warnings.warn(
                f"{WHERE} trains from the first epoch when a promoted trial should resume: each "
                "rung is trained from the start, which takes longer. Pass **kwargs (with epochs "
                "and initial_epoch) on to model.fit, and promoted trials resume.",
                stacklevel=2,
            )

    def _takes(self, name: str) -> bool:
        return takes(self._hypermodel.fit, name)


def _check_resumed(result: Any, first: int, last: int) -> None:
    """Raises RestartsTraining if a result contains earlier epochs that no callback reported."""
    if isinstance(result, keras.callbacks.History):
        restarted = bool(result.epoch) and result.epoch[0] + 1 < first
    else:
        restarted = is_curve(result) and max(map(np.size, result.values())) != last - first + 1
    if first > 1 and restarted:
        raise RestartsTraining


@contextlib.contextmanager
def _replaced(model: keras.Model, fit: Callable[..., Any]) -> Iterator[None]:
    """Context in which `fit` is the model's: passing arguments could repeat the user's own."""
    object.__setattr__(model, "fit", fit)
    try:
        yield
    finally:
        object.__delattr__(model, "fit")


@final
class _EpochListener(keras.callbacks.Callback):
    """Callback that reports epochs, and can leave a loop that ignores ``model.stop_training``.

    If `fit` trains several times (frozen layers first, say), the epoch count continues.

    Args:
        first: the first epoch.
        last: the last epoch, None if `fit` decides.
        on_epoch: called with each epoch, counted from 1, and its metrics; True ends the training.
        required: the metric without which the training continues after `last`.

    Attributes:
        has_reported: whether any epoch was reported.
    """

    def __init__(
        self,
        first: int,
        last: int | None,
        on_epoch: Callable[[int, dict[str, float]], bool],
        required: str | None,
    ) -> None:
        super().__init__()
        self.has_reported = False
        self._first, self._last, self._required = first, last, required
        self._reporter = ReportCallback(self._report)
        self._on_epoch, self._before, self._counted = on_epoch, 0, first - 1
        self._scored = False

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._reporter.set_model(model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._over:
            raise LeaveFit

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._over:
            raise LeaveFit
        self._reporter.on_epoch_end(epoch, logs)
        if self._reporter.stopped:
            raise LeaveFit
        if self._over:
            self.model.stop_training = True

    @property
    def _over(self) -> bool:
        return self._last is not None and self._scored and self._counted >= self._last

    def _report(self, epoch: int, metrics: dict[str, float]) -> bool:
        if not self.has_reported and epoch < self._first:
            raise RestartsTraining
        if epoch + self._before <= self._counted:
            self._before = self._counted + 1 - epoch
        self._counted, self.has_reported = epoch + self._before, True
        self._scored = self._scored or self._required is None or self._required in metrics
        return self._on_epoch(self._counted, metrics)


Epochs = list[tuple[int, dict[str, float]]]
"""Epochs, counted from 1, with their metrics."""


def as_runs(result: Any, where: str) -> list[Any]:
    """Returns the results of each execution or fold.

    Raises:
        UnusableResult: if there is none.
    """
    if not isinstance(result, (list, tuple)):
        return [result]
    if not result:
        raise UnusableResult(f"{where} returned an empty list: return a result for each run.")
    return list(result)


def as_epochs(result: Any, objective: str, where: str, required: str | None) -> Epochs:
    """Returns the epochs of one result; a number or a dict of numbers is a single epoch, the first.

    Args:
        result: the return value of the user's code.
        objective: the metric that a bare number stands for.
        required: a metric that the result must contain, None if there is none.
        where: the function that returned it, for the error message.

    Raises:
        UnusableResult: if the type is not supported, or the objective is missing.
    """
    if isinstance(result, keras.callbacks.History):
        return _history(result.history, result.epoch, where, required)
    if is_curve(result):
        return _history(result, [], where, required)
    metrics = as_metrics(result, objective, where, required)
    return [(1, metrics)]


def as_metrics(result: Any, objective: str, where: str, required: str | None) -> dict[str, float]:
    """Returns the metrics of a dict or a number.

    Raises:
        UnusableResult: see `as_epochs`.
    """
    if isinstance(result, Mapping):
        _require(required, list(result), where)
        return {str(name): _number(value, name, where) for name, value in result.items()}
    if _is_number(result):
        return {objective: float(result)}
    hint = " Did you forget to return the metrics?" if result is None else ""
    raise UnusableResult(
        f"{where} must return a float, a dict of metrics, a keras History, or a list of them."
        f"{hint} Received: {result!r} of type {type(result).__name__}."
    )


def is_curve(result: Any) -> bool:
    """Whether a result has the form of ``history.history``: a list of values per metric."""
    return isinstance(result, Mapping) and any(_is_list(one) for one in result.values())


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or np.ndim(value) == 1


def _history(
    logged: Mapping[str, Any], epochs: Sequence[int], where: str, required: str | None
) -> Epochs:
    """Returns the epochs of a learning curve; a single number among lists is the last epoch's."""
    curves = {str(name): v if _is_list(v) else [v] for name, v in logged.items()}
    _require(required, list(curves), where)
    count = max((len(values) for values in curves.values()), default=0)
    if not count:
        raise UnusableResult(f"{where} returned metrics without any epoch. Received: {logged!r}.")
    numbers = list(epochs) if len(epochs) == count else list(range(count))
    found: Epochs = [(number + 1, {}) for number in numbers]
    for name, values in curves.items():
        for index, value in enumerate(values):
            # A metric that is validated every n epochs has fewer values.
            found[(index + 1) * count // len(values) - 1][1][name] = _number(value, name, where)
    return found


def mean(results: list[dict[str, float]]) -> dict[str, float]:
    """Returns the mean of each metric that all results contain."""
    names = [name for name in results[0] if all(name in one for one in results)]
    return {name: sum(one[name] for one in results) / len(results) for name in names}


def _require(objective: str | None, names: list[str], where: str) -> None:
    if objective is not None and objective not in names:
        raise UnusableResult(
            f"{where} returned metrics without the objective {objective!r}."
            f"{nearest(objective, names)} Received: {', '.join(map(str, names)) or 'nothing'}."
        )


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, str, bytes)):
        return False
    return isinstance(value, (int, float, np.number)) or (np.ndim(value) == 0 and _converts(value))


def _converts(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _number(value: Any, name: Any, where: str) -> float:
    if not _converts(value):
        raise UnusableResult(
            f"{where} returned {name!r} as {value!r}, which is not a number. Return numbers only."
        )
    return float(value)
