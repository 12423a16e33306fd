"""Training by a `HyperModel.fit` that the user wrote."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import keras
import keras_tuner
import numpy as np

from kerashpo.core.errors import InvalidInput, UnusableResult, nearest
from kerashpo.training.loops.base import unfinished
from kerashpo.training.loops.model_fit import EpochStart
from kerashpo.training.randomness import EpochKeys, seeded_own
from kerashpo.training.user_callbacks import ReportCallback

WHERE = "HyperModel.fit"


class Halt(Exception):
    """Ends a training loop of the user's own after an epoch; never seen outside."""


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

    def train(
        self,
        call: FitCall,
        hp: Any,
        model: keras.Model,
        span: tuple[int, int],
        callbacks: list[keras.callbacks.Callback],
        keys: EpochKeys,
        on_epoch: Callable[[int, dict[str, float]], bool],
    ) -> Any:
        """Trains epochs first..last, counted from 1; returns what `fit` did, None if halted.

        Args:
            call: what `search` was given.
            hp: the trial's values; `fit` may declare more.
            model: as `build` made it, or with the state of the trial's last epoch.
            span: first and last epoch.
            callbacks: the trial's.
            keys: the randomness of this run.
            on_epoch: gets each epoch and its metrics; true ends the training.

        Raises:
            InvalidInput: if `fit` cannot be told what epochs to train, or does not heed it.
        """
        first, last = span

        def heard(epoch: int, metrics: dict[str, float]) -> bool:
            if epoch < first:
                raise InvalidInput(
                    f"{WHERE} trained epoch {epoch} again, though this trial goes on at epoch "
                    f"{first}: pass **kwargs (epochs and initial_epoch are among them) on to "
                    "model.fit, or use a tuner that trains in one go, e.g. RandomSearch."
                )
            return on_epoch(epoch, metrics)

        listening = [EpochStart(keys), *callbacks, _Halting(heard)]
        kwargs = {**call.kwargs, **self._epochs(call, first, last)}
        if self._takes("callbacks"):
            kwargs["callbacks"] = listening
        if "verbose" in self._taken:
            kwargs["verbose"] = call.verbose
        # Where the tuner plans the epochs, this may be a part of the trial's.
        part = unfinished(model) if call.planned else contextlib.nullcontext()
        with part, seeded_own(keys.seed, keys.trial, keys.run, first), _quiet(model, call.verbose):
            try:
                return self._hypermodel.fit(hp, model, *call.args, **kwargs)
            except Halt:
                return None

    def _epochs(self, call: FitCall, first: int, last: int) -> dict[str, int]:
        if not (call.planned or call.told):
            return {}
        told = {"epochs": last} | ({"initial_epoch": first - 1} if first > 1 else {})
        if call.planned and not all(self._takes(name) for name in told):
            raise InvalidInput(
                f"This tuner plans the epochs, but {WHERE} does not take {', '.join(told)}: give "
                "it **kwargs and pass them on to model.fit, or use a tuner that trains in one "
                "go, e.g. RandomSearch."
            )
        return told

    def _takes(self, name: str) -> bool:
        return takes(self._hypermodel.fit, name)


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
class _Halting(keras.callbacks.Callback):
    """Reports epochs, and leaves a loop that may not look at ``model.stop_training``."""

    def __init__(self, on_epoch: Callable[[int, dict[str, float]], bool]) -> None:
        super().__init__()
        self._reporter = ReportCallback(on_epoch)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._reporter.set_model(model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._reporter.on_epoch_end(epoch, logs)
        if self._reporter.stopped:
            raise Halt


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
