"""State of a trial in memory, saved to a checkpoint and restored from it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, final

import keras
import numpy as np

from kerashpo.core.objective import NOTHING, Best
from kerashpo.store.checkpoints import (
    pack,
    read_variables,
    unpack,
    unpack_values,
    write_variables,
)
from kerashpo.training.batch_spec import BatchSpec
from kerashpo.training.build import build_from_json, inputs_to_json, strategy_scope
from kerashpo.training.energy import Usage
from kerashpo.training.loops.base import finish
from kerashpo.training.model_state import state_variables
from kerashpo.training.python_values import PythonValues, trial_values
from kerashpo.training.randomness import seed_variables
from kerashpo.training.trained_layers import TrainedLayers
from kerashpo.training.user_callbacks import OncePerTrial
from kerashpo.training.validated_values import architecture_as_validated, values_of


@final
@dataclass(slots=True)
class TrialState:
    """State of a paused trial: all that it needs to resume exactly.

    Random seeds are keyed by epoch, so they are not part of the state.

    Attributes:
        model: with its optimizer, all variables created.
        callbacks: the trial's own.
        epoch: epochs trained.
        seconds: the trial's own training time so far.
        best: its best epoch.
        best_weights: the model's weights at the best epoch, None before the first one.
        best_is_new: whether `best_weights` are not yet saved.
        best_values: what its code read in the validation of the best epoch, as text.
        stopped: whether one of the user's callbacks has ended the training.
        facts: facts about the training that were reported, by name.
        untrained: the values measured on the untrained model.
        usage: what its training has used so far.
        hp: the hyperparameter values that its model was built with.
        architecture: its model as JSON, empty if Keras cannot serialise it; None before it
            was looked up.
        spec: shapes of a batch, from which a model without `keras.Input` is built.
        built_with: fingerprint of what the code of `build_model` could read after the build.
        validated: whether the objective is measured on the validation data.
        stream: the trial whose number keys the random seeds: its own, or for a fork that of
            its first ancestor, so that equal values give an equal learning curve.
        job_end: the epoch at which its last work item ended, or at which a fork began.
        built: the initial values of the optimizer's scalar variables, such as the learning rate;
            a fork whose values differ from its parent's keeps its own.
    """

    model: keras.Model
    callbacks: list[OncePerTrial]
    epoch: int = 0
    seconds: float = 0.0
    best: Best = NOTHING
    best_weights: list[np.ndarray] | None = None
    best_is_new: bool = False
    best_values: str = ""
    stopped: bool = False
    facts: dict[str, Any] = field(default_factory=dict)
    untrained: dict[str, float] = field(default_factory=dict)
    usage: Usage = Usage()
    hp: Any = None
    architecture: str | None = None
    spec: BatchSpec | None = None
    built_with: Any = None
    validated: bool = False
    stream: int = 0
    job_end: int = 0
    built: list[float] = field(default_factory=list)
    _size: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.built = [float(variable.numpy()) for variable in self._optimizer_scalars()]

    @property
    def nbytes(self) -> int:
        """Returns the approximate memory of the trial: weights, optimizer slots, best weights."""
        if not self._size:
            # Cached: walking a model takes milliseconds, and every pause sums over all trials.
            self._size = sum(int(np.prod(v.shape)) * 4 for v in state_variables(self.model))
        return self._size + sum(array.nbytes for array in self.best_weights or ())

    def note_best(
        self, best: Best, newest: bool = False, keep: Callable[[], None] | None = None
    ) -> bool:
        """Keeps the weights if this epoch is the best so far, or if the newest weights count.

        Args:
            best: the epoch.
            newest: whether the newest weights count.
            keep: keeps the weights, for `take_weights` later; None to read the model's now.
        """
        if not (newest or best < self.best):
            return False
        self.best = best
        if (values := values_of(self.model)) != self.best_values:
            self.best_values = values
            self.architecture = architecture_as_validated(self.model)
        if keep is not None:
            keep()
            return True
        with self._as_validated():
            self.best_weights = read_variables(self.model.weights)
        self.best_is_new = True
        return True

    def take_weights(self, weights: list[np.ndarray]) -> None:
        """Takes over the weights of the best epoch, in the order of ``model.weights``."""
        self.best_weights, self.best_is_new = weights, True

    def save(self) -> bytes:
        """Returns the trial's state serialised as a checkpoint."""
        state, metrics = self._variables()
        groups = {
            "s": read_variables(state),
            "m": read_variables(metrics),
            "b": self.best_weights or [],
        }
        arrays = {f"{g}{i}": a for g, values in groups.items() for i, a in enumerate(values)}
        seeds = {id(variable) for variable in seed_variables(self.model)}
        states: list[dict[str, Any]] = []
        for number, callback in enumerate(self.callbacks):
            data, about = callback.save(self.model)
            arrays[f"c{number}"] = np.frombuffer(data, np.uint8)
            states.append(about)
        values = {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "stopped": self.stopped,
            "best": [self.best.cost, self.best.loss, self.best.epoch, self.best.violation],
            "untrained": self.untrained,
            "usage": [getattr(self.usage, one.name) for one in fields(self.usage)],
            "counts": {group: len(found) for group, found in groups.items()},
            "seeds": [i for i, variable in enumerate(state) if id(variable) in seeds],
            "callbacks": states,
            "inputs": self.inputs(),
            "stream": self.stream,
            "job_end": self.job_end,
            "built": self.built,
            "trained": TrainedLayers(self.model).save(),
        }
        if (python := PythonValues.of(self.model)) is not None:
            arrays["python"] = np.frombuffer(python.save(), np.uint8)
        return pack(arrays, values)

    def load(self, data: bytes) -> None:
        """Restores the state of a checkpoint.

        Raises:
            ValueError: if the checkpoint is damaged or of another model.
        """
        arrays, values = unpack(data)
        groups = self._load_model(arrays, values)
        TrainedLayers(self.model).load(values["trained"])
        self.best_weights = groups["b"] or None
        self.best = Best(*values["best"])
        self.epoch, self.seconds = values["epoch"], values["seconds"]
        self.stopped, self.job_end = values["stopped"], values["job_end"]
        self.stream = values["stream"]
        self.untrained = values.get("untrained", {})
        self.usage = Usage(*values.get("usage", ()))
        self._load_callbacks(arrays, values)

    def load_origin(self, data: bytes) -> None:
        """Loads the checkpoint of a parent, from which this fork starts.

        Weights, optimizer, epoch, random seeds and the state of callbacks are the parent's. The
        best epoch and the time are the fork's own, and so are the optimizer's scalars that were
        built with another value than the parent's, above all the learning rate.

        Raises:
            ValueError: if the checkpoint is damaged or of another model.
        """
        arrays, values = unpack(data)
        scalars, parents = self._optimizer_scalars(), values["built"]
        own = [variable.numpy() for variable in scalars]
        self._load_model(arrays, values)
        for variable, value, before in zip(scalars, own, parents, strict=True):
            if float(value) != before:
                variable.assign(value)
        self.epoch = self.job_end = values["epoch"]
        self.stream = values["stream"]
        self._load_callbacks(arrays, values, forked=True)

    def reset_optimizer(self) -> None:
        """Sets the optimizer's scalars, such as the number of its steps, to their first values."""
        for variable, value in zip(self._optimizer_scalars(), self.built, strict=True):
            variable.assign(value)

    def _load_model(
        self, arrays: dict[str, np.ndarray], values: dict[str, Any]
    ) -> dict[str, list[np.ndarray]]:
        """Writes the variables of the model's training state; returns the arrays by group."""
        groups = {
            group: [arrays[f"{group}{i}"] for i in range(count)]
            for group, count in values["counts"].items()
        }
        seeds = {id(variable) for variable in seed_variables(self.model)}
        if len(self._variables()[0]) - len(seeds) != len(groups["s"]) - len(values["seeds"]):
            build_from_json(self.model, values["inputs"])
        state, metrics = self._variables()
        if len(state) != len(groups["s"]):
            # A dropout layer of rate 0 has no seed generator; seeds are set for each epoch anyway.
            drawn = set(values["seeds"])
            groups["s"] = [array for i, array in enumerate(groups["s"]) if i not in drawn]
            seeds = {id(variable) for variable in seed_variables(self.model)}
            state = [variable for variable in state if id(variable) not in seeds]
        if (python := PythonValues.of(self.model)) is not None and "python" in arrays:
            python.load(arrays["python"].tobytes())
        with strategy_scope(self.model):
            write_variables(state, groups["s"])
            # A `fit` written by the user builds the metrics of `compile` when it starts.
            if len(metrics) == len(groups["m"]):
                write_variables(metrics, groups["m"])
        return groups

    def _variables(self) -> tuple[list[Any], list[Any]]:
        """Returns the variables of the training state, and separately those of compiled metrics."""
        compiled = getattr(self.model, "_compile_metrics", None)
        metrics = [] if compiled is None else list(compiled.variables)
        apart = {id(variable) for variable in metrics}
        state = [v for v in state_variables(self.model) if id(v) not in apart]
        return state, metrics

    def _load_callbacks(
        self, arrays: dict[str, np.ndarray], values: dict[str, Any], forked: bool = False
    ) -> None:
        for number, (callback, about) in enumerate(zip(self.callbacks, values["callbacks"])):
            callback.restore(arrays[f"c{number}"].tobytes(), about, self.model, forked)

    def _optimizer_scalars(self) -> list[Any]:
        optimizer = getattr(self.model, "optimizer", None)
        variables = [] if optimizer is None else optimizer.variables
        return [variable for variable in variables if tuple(variable.shape) == ()]

    def inputs(self) -> Any:
        """Returns the inputs from which the model can be built again, as JSON values."""
        return inputs_to_json(self.model, self.spec)

    def finish(self) -> None:
        """Finishes the training as `fit` does: the optimizer's averages, then the callbacks."""
        with trial_values(self.model):
            finish(self.model)
            for callback in self.callbacks:
                callback.end(self.model)

    @contextlib.contextmanager
    def _as_validated(self) -> Iterator[None]:
        """Gives the model, temporarily, the weights with which it was validated.

        `SwapEMAWeights` uses averaged weights during validation.
        """
        swaps = [
            callback.wrapped
            for callback in self.callbacks
            if self.validated and isinstance(callback.wrapped, keras.callbacks.SwapEMAWeights)
        ]
        for swap in swaps:
            if not swap.swap_on_epoch:
                swap.on_test_begin()
        yield
        for swap in swaps:
            if not swap.swap_on_epoch:
                swap.on_test_end()


def read_stream(data: bytes) -> int:
    """Returns the trial whose number keys the random seeds of a checkpoint's trial.

    Raises:
        ValueError: if the checkpoint is damaged.
    """
    return int(unpack_values(data)["stream"])
