"""Training by a `HyperModel.fit` that the user wrote."""

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
from kerashpo.training.randomness import EpochKeys, seeded_own
from kerashpo.training.user_callbacks import ReportCallback

WHERE = "HyperModel.fit"


class Halt(Exception):
    """Leaves a training loop of the user's own after an epoch."""


class BeginsAnew(Exception):
    """A trial is to go on, and the user's `fit` trains it from the first epoch again."""


def overrides_fit(hypermodel: Any) -> bool:
    """Whether a hypermodel trains its models itself."""
    is_model = isinstance(hypermodel, keras_tuner.HyperModel)
    return is_model and type(hypermodel).fit is not keras_tuner.HyperModel.fit


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter of this name, or takes any."""
    taken = inspect.signature(function).parameters
    return name in taken or any(p.kind is p.VAR_KEYWORD for p in taken.values())


@final
@dataclass(frozen=True, slots=True)
class FitCall:
    """The arguments of `search`, as they came.

    Attributes:
        args: by position.
        kwargs: by name, without those that are the search's own.
        planned: whether the tuner plans the epochs, so that `fit` must follow it.
        told: whether `search` was given epochs.
        verbose: Keras's verbosity within trials.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    planned: bool = False
    told: bool = False
    verbose: Any = 0


@final
class UserFitLoop:
    """Calls ``hypermodel.fit(hp, model, *args, **kwargs)`` for one run of one trial.

    Epochs are heard through the callbacks that `fit` is given. `fit` gets ``epochs`` where
    `search` was told or the tuner plans them, and ``initial_epoch`` where the trial goes on.

    Args:
        hypermodel: whose `fit` to call.
    """

    def __init__(self, hypermodel: Any) -> None:
        self._hypermodel = hypermodel
        self._taken = inspect.signature(hypermodel.fit).parameters
        self._begins_anew = False

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
    ) -> Any:
        """Trains epochs first..last, counted from 1; returns what `fit` did.

        Args:
            call: what `search` was given.
            hp: the trial's values; `fit` may declare more.
            model: as `build` made it, or with the state of the trial's last epoch.
            span: first and last epoch.
            callbacks: the trial's.
            keys: the randomness of this run.
            on_epoch: gets each epoch and its metrics; true ends the training.
            required: the metric without which a `fit` is not halted after the last epoch: what
                it returns may be the score.

        Raises:
            Halt: where `fit` was left after an epoch.
            BeginsAnew: if `first` is not the trial's first epoch, and `fit` trains that one.
        """
        first, last = span
        told = self._epochs(call, first, last)
        if call.planned and first > 1 and "initial_epoch" not in told:
            self._tell_once()
        if self._begins_anew and first > 1:
            raise BeginsAnew
        ear = _EpochListener(first, last if call.planned else None, on_epoch, required)
        listening = [EpochStart(keys), *callbacks, ear]
        kwargs = {**call.kwargs, **told}
        if self._takes("callbacks"):
            kwargs["callbacks"] = listening
        if "verbose" in self._taken:
            kwargs["verbose"] = call.verbose
        # Where the tuner plans the epochs, this may be a part of the trial's.
        part = unfinished(model) if call.planned else contextlib.nullcontext()
        with part, seeded_own(keys.seed, keys.trial, keys.run, first), _quiet(model, call.verbose):
            try:
                result = self._hypermodel.fit(hp, model, *call.args, **kwargs)
                if call.planned and not ear.heard:
                    _check_goes_on(result, first, last)
                return result
            except BeginsAnew:
                self._tell_once()
                raise

    def _epochs(self, call: FitCall, first: int, last: int) -> dict[str, int]:
        if not (call.planned or call.told):
            return {}
        told = {"epochs": last} | ({"initial_epoch": first - 1} if first > 1 else {})
        return {
            name: epoch for name, epoch in told.items() if not call.planned or self._takes(name)
        }

    def _tell_once(self) -> None:
        """Warns that promoted trials are trained from the start."""
        if not self._begins_anew:
            self._begins_anew = True
            warnings.warn(
                f"{WHERE} trains from the first epoch when a promoted trial should go on: each "
                "rung is trained from the start, which takes longer. Pass **kwargs (epochs and "
                "initial_epoch are among them) on to model.fit, and trials go on.",
                stacklevel=2,
            )

    def _takes(self, name: str) -> bool:
        return takes(self._hypermodel.fit, name)


def _check_goes_on(result: Any, first: int, last: int) -> None:
    """Raises BeginsAnew if a result that no callback heard of tells of earlier epochs."""
    if isinstance(result, keras.callbacks.History):
        anew = bool(result.epoch) and result.epoch[0] + 1 < first
    else:
        anew = is_curve(result) and max(map(np.size, result.values())) != last - first + 1
    if first > 1 and anew:
        raise BeginsAnew


@contextlib.contextmanager
def _quiet(model: keras.Model, verbose: Any) -> Iterator[None]:
    """Makes `verbose` the default of ``model.fit``; passing it on may clash with the user's own."""
    fit = functools.partial(model.fit, verbose=verbose)
    object.__setattr__(model, "fit", fit)
    try:
        yield
    finally:
        object.__delattr__(model, "fit")


@final
class _EpochListener(keras.callbacks.Callback):
    """Reports epochs, and leaves a loop that may not look at ``model.stop_training``.

    Where `fit` trains several times (frozen layers first, say), epochs are counted on.

    Args:
        first: the epoch that comes first.
        last: the last one, None where `fit` decides.
        on_epoch: gets each epoch, counted from 1, and its metrics; true ends the training.
        required: the metric without which the training goes on after `last`.

    Attributes:
        heard: whether any epoch was.
    """

    def __init__(
        self,
        first: int,
        last: int | None,
        on_epoch: Callable[[int, dict[str, float]], bool],
        required: str | None,
    ) -> None:
        super().__init__()
        self.heard = False
        self._first, self._last, self._required = first, last, required
        self._reporter = ReportCallback(self._report)
        self._on_epoch, self._before, self._counted = on_epoch, 0, first - 1
        self._scored = False

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._reporter.set_model(model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._over:
            raise Halt

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._over:
            raise Halt
        self._reporter.on_epoch_end(epoch, logs)
        if self._reporter.stopped:
            raise Halt
        if self._over:
            self.model.stop_training = True

    @property
    def _over(self) -> bool:
        return self._last is not None and self._scored and self._counted >= self._last

    def _report(self, epoch: int, metrics: dict[str, float]) -> bool:
        if not self.heard and epoch < self._first:
            raise BeginsAnew
        if epoch + self._before <= self._counted:
            self._before = self._counted + 1 - epoch
        self._counted, self.heard = epoch + self._before, True
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
    """Returns the epochs of one result; a dict of numbers or a number is one epoch, the first.

    Args:
        result: what was returned.
        objective: the metric that a bare number stands for.
        required: a metric that must be among others, None where there is none.
        where: who returned it, for the error.

    Raises:
        UnusableResult: if it is none of these, or lacks the objective.
    """
    if isinstance(result, keras.callbacks.History):
        return _history(result.history, result.epoch, where, required)
    if is_curve(result):
        return _history(result, [], where, required)
    metrics = as_metrics(result, objective, where, required)
    return [(1, metrics)]


def as_metrics(result: Any, objective: str, where: str, required: str | None) -> dict[str, float]:
    """Returns the metrics that a dict or number tells.

    Raises:
        UnusableResult: as `as_epochs`.
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
    """Whether a result is what ``history.history`` holds: by metric, a value an epoch."""
    return isinstance(result, Mapping) and any(_is_list(one) for one in result.values())


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or np.ndim(value) == 1


def _history(
    logged: Mapping[str, Any], epochs: Sequence[int], where: str, required: str | None
) -> Epochs:
    """Returns the epochs of a learning curve; a single number among lists is of the last epoch."""
    curves = {str(name): v if _is_list(v) else [v] for name, v in logged.items()}
    _require(required, list(curves), where)
    count = max((len(values) for values in curves.values()), default=0)
    if not count:
        raise UnusableResult(f"{where} returned metrics without any epoch. Received: {logged!r}.")
    numbers = list(epochs) if len(epochs) == count else list(range(count))
    found: Epochs = [(number + 1, {}) for number in numbers]
    for name, values in curves.items():
        for index, value in enumerate(values):
            # A metric that is validated every so many epochs has fewer values.
            found[(index + 1) * count // len(values) - 1][1][name] = _number(value, name, where)
    return found


def mean(results: list[dict[str, float]]) -> dict[str, float]:
    """Returns the mean of each metric that all results have."""
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
            f"{where} returned {name!r} as {value!r}, which is no number. Return numbers alone."
        )
    return float(value)
