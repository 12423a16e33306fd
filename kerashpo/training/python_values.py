"""Python values of a trial: `fit` traces a model once, and a trial's changes are its own.

`fit` puts the plain values that losses, layers and metrics read into its graph at the first batch;
what a callback changes later has no effect, unless the model runs eagerly. A search traces a
trial's model again when it resumes in another process or from a checkpoint, and trains other trials
in between. So each trial keeps the values with which its steps were first traced, and those that it
left behind when it was paused.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Literal, final

import keras

from kerashpo.training.captured_state import describe
from kerashpo.training.reachable_values import ReachableValues

Step = Literal["train", "test"]
Values = Mapping[str, Any]
_ATTRIBUTE = "_kerashpo_python_values"
#: Stands for the loss of a model that was traced in another process.
_ANY = object()


@final
class PythonValues:
    """The plain values that one trial's model can read: as traced, and as its training left them.

    All values are kept as differences from those after the model was built.

    Args:
        model: a model that was just built.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._reach = ReachableValues(model)
        self._built = self._reach.read()
        self._traced: dict[str, tuple[tuple[Any, Any], Values]] = {}
        self._left: Values = {}
        #: Of the last validation that was not traced.
        self._tested: Values | None = None
        self._inside = False

    @staticmethod
    def attach(model: keras.Model) -> None:
        """Gives a model that was just built its values, see `of`."""
        vars(model)[_ATTRIBUTE] = PythonValues(model)

    @staticmethod
    def of(model: keras.Model) -> PythonValues | None:
        """Returns the values of a trial's model; None for a model that is no trial's."""
        return vars(model).get(_ATTRIBUTE)

    @contextlib.contextmanager
    def in_effect(self) -> Iterator[None]:
        """Context of the trial's training: its own changes, which are taken back at the end."""
        if self._inside:
            yield
            return
        before = self._reach.changes(self._built)
        self._set(self._left)
        self._inside = True
        try:
            yield
        finally:
            self._inside = False
            self._left = self._reach.changes(self._built)
            self._set(before)

    @contextlib.contextmanager
    def as_traced(self, step: Step, records: bool = True) -> Iterator[None]:
        """Context in which a step is traced: with the values of the first time it was.

        Args:
            step: the step.
            records: whether this may be the first time.
        """
        if not self.is_traced:
            yield
            if step == "test":
                self._tested = self._reach.changes(self._built)
            return
        now = self._reach.changes(self._built)
        traced = self._known(step)
        if traced is None:
            traced = now
            if records:
                self._traced[step] = self._functions(step), now
        if not now and not traced:
            yield
            return
        self._set(traced)
        try:
            yield
        finally:
            self._set(now)

    def validated(self) -> Values:
        """Returns the values of the last validation.

        Without a validation these are the values of this time, with which `evaluate` would be
        traced.
        """
        known = self._known("test")
        if known is None:
            known = self._tested
        return self._reach.changes(self._built) if known is None else known

    @contextlib.contextmanager
    def temporarily(self, values: Values) -> Iterator[None]:
        """Context in which the model reads other values."""
        now = self._reach.changes(self._built)
        self._set(values)
        try:
            yield
        finally:
            self._set(now)

    def forget(self) -> None:
        """Forgets how the training step was traced: its function was made again."""
        self._traced.pop("train", None)

    def key(self, step: Step) -> Hashable:
        """Returns a description of the values with which a step is traced, or would be now."""
        known = self._known(step)
        return describe(dict(self._reach.changes(self._built) if known is None else known))

    @contextlib.contextmanager
    def kept_while_tracing(self) -> Iterator[None]:
        """Context of calls of `model.fit`, which trace steps when they first run."""
        own = vars(self._model)
        before = {name: own.get(name) for name in ("train_step", "test_step")}
        for step in ("train", "test"):
            stock = getattr(self._model, f"{step}_step")
            own[f"{step}_step"] = functools.partial(self._traces, step, stock)
        try:
            yield
        finally:
            for name, value in before.items():
                own.pop(name, None)
                if value is not None:
                    own[name] = value

    def save(self) -> bytes:
        """Returns the values serialised."""
        left = self._reach.changes(self._built) if self._inside else self._left
        traced = {step: values for step, (_, values) in self._traced.items()}
        return pickle.dumps((traced, dict(left))) if left or traced else b""

    def load(self, data: bytes) -> None:
        """Restores what `save` returned.

        Raises:
            ValueError: if it cannot be read.
        """
        if not data:
            return
        try:
            traced, self._left = pickle.loads(data)
        except Exception as error:
            raise ValueError(f"the values of its code cannot be read: {error}") from error
        self._traced = {step: ((None, _ANY), values) for step, values in traced.items()}

    @property
    def is_traced(self) -> bool:
        """Whether `fit` traces its steps; otherwise each step reads the values of its time."""
        model = self._model
        on_jax = keras.backend.backend() == "jax"
        return not model.run_eagerly and not (on_jax and not model.jit_compile)

    def _traces(self, step: Step, stock: Callable[..., Any], *args: Any) -> Any:
        with self.as_traced(step):
            return stock(*args)

    def _set(self, changes: Values) -> None:
        self._reach.write({**self._built, **changes})

    def _known(self, step: Step) -> Values | None:
        """Returns the values with which a step was traced, unless `fit` would trace it anew."""
        if step not in self._traced or not self.is_traced:
            return None
        (function, loss), values = self._traced[step]
        now, newest = self._functions(step)
        if loss is _ANY:
            self._traced[step] = (now, newest), values
            return values
        same = function is now or function is None or now is None
        return values if same and loss is newest else None

    def _functions(self, step: Step) -> tuple[Any, Any]:
        """Returns the function of `fit` that was traced, if any, and the loss that it computes."""
        model = self._model
        return getattr(model, f"{step}_function", None), getattr(model, "_compile_loss", None)


def trial_values(model: keras.Model) -> contextlib.AbstractContextManager[None]:
    """Returns the context of a trial's training, see `PythonValues.in_effect`."""
    values = PythonValues.of(model)
    return contextlib.nullcontext() if values is None else values.in_effect()


def traced_once(model: keras.Model) -> contextlib.AbstractContextManager[None]:
    """Returns the context of a call of `fit`, see `PythonValues.kept_while_tracing`."""
    values = PythonValues.of(model)
    return contextlib.nullcontext() if values is None else values.kept_while_tracing()


def as_traced(
    model: keras.Model, step: Step, records: bool = True
) -> contextlib.AbstractContextManager[None]:
    """Returns the context of a trace, see `PythonValues.as_traced`."""
    values = PythonValues.of(model)
    return contextlib.nullcontext() if values is None else values.as_traced(step, records)


def values_key(model: keras.Model, step: Step) -> Hashable:
    """Returns what a trace of a step depends on besides the model, see `PythonValues.key`."""
    values = PythonValues.of(model)
    return None if values is None else values.key(step)


def forget_trace(model: keras.Model) -> None:
    """See `PythonValues.forget`."""
    if (values := PythonValues.of(model)) is not None:
        values.forget()


def is_traced(model: keras.Model) -> bool:
    """See `PythonValues.is_traced`."""
    values = PythonValues.of(model)
    return values is None or values.is_traced
