"""Training by a `HyperModel.fit` that the user wrote."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import keras
import keras_tuner

from kerashpo.core.errors import InvalidInput
from kerashpo.training.callbacks import EpochReporter
from kerashpo.training.plain import LayerSeeds
from kerashpo.training.randomness import EpochKeys, seeded_own

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
class OwnFit:
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

        listening = [LayerSeeds(keys), *callbacks, _Halting(heard)]
        kwargs = {**call.kwargs, **self._epochs(call, first, last)}
        if self._takes("callbacks"):
            kwargs["callbacks"] = listening
        if "verbose" in self._taken:
            kwargs["verbose"] = call.verbose
        with seeded_own(keys.seed, keys.trial, keys.run, first), _quiet(model, call.verbose):
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
        self._reporter = EpochReporter(on_epoch)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._reporter.set_model(model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._reporter.on_epoch_end(epoch, logs)
        if self._reporter.stopped:
            raise Halt
