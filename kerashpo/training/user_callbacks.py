"""Wraps the user's callbacks for a trial of several runs, and defines the reporting callback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput
from kerashpo.training.callback_state import CallbackState, stateful

_BATCH_HOOKS = [
    f"on_{phase}_batch_{end}" for phase in ("train", "test", "predict") for end in ("begin", "end")
]
_STATELESS = (
    keras.callbacks.Callback,
    keras.callbacks.LambdaCallback,
    keras.callbacks.CallbackList,
)
#: Keras's callbacks that hold state or write files.
_STATEFUL = frozenset(
    value
    for value in vars(keras.callbacks).values()
    if isinstance(value, type) and value not in _STATELESS
)
#: Elements of a vector metric that become separate metrics.
_MOST_ELEMENTS = 100


@final
class OncePerTrial(keras.callbacks.Callback):
    """Callback that wraps a user's callback and calls train begin and end once per trial.

    `EarlyStopping` and similar ones reset in ``on_train_begin`` and restore weights in
    ``on_train_end``; neither may happen when a trial pauses at a rung. In another process the
    callback's attributes are restored instead of calling ``on_train_begin`` again, unless some of
    them cannot be pickled (open files): then it is called, and the other attributes are restored.

    Attributes:
        wrapped: the user's callback.
        epochs: how long the trial is planned to be trained, None if the call of `fit` decides.
        begun: whether ``on_train_begin`` was called, in this process or an earlier one.
    """

    def __init__(self, wrapped: keras.callbacks.Callback, epochs: int | None = None) -> None:
        super().__init__()
        self.wrapped, self.epochs = wrapped, epochs
        self.begun = self._awake = self._ended = False
        self._state: CallbackState | None = None
        self._restored: dict[str, Any] = {}
        self._reopens = True
        self._logs: dict[str, Any] = {}

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._remember()
        if getattr(self.wrapped, "_model", None) is not model:
            self.wrapped.set_model(model)

    def set_params(self, params: Any) -> None:
        if self.epochs is not None and params:
            # A rung's last epoch is not the trial's last epoch.
            params = {**params, "epochs": self.epochs}
        super().set_params(params)
        self.wrapped.set_params(params)

    def on_train_begin(self, logs: Any = None) -> None:
        if self._awake:
            return
        self._awake = True
        if self.begun and not self._reopens:
            return
        restored = dict(self._restored)
        if self.begun and isinstance(self.wrapped, keras.callbacks.CSVLogger):
            # The trial resumes in another process, and so does its file.
            self.wrapped.append = True
            restored = {k: v for k, v in restored.items() if not k.startswith("append")}
        self.begun = True
        self.wrapped.on_train_begin(logs)
        vars(stateful(self.wrapped)).update(restored)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.wrapped.on_epoch_end(epoch, logs)
        self._logs = dict(logs or {})

    def end(self, model: keras.Model) -> None:
        """Calls ``on_train_end`` with the logs of the last epoch, once a trial."""
        if not self.begun or self._ended:
            return
        if not self._awake:
            # The trial ran in another process, or was evicted from memory since.
            self.set_model(model)
            self.on_train_begin()
        self._ended = True
        self.wrapped.on_train_end(self._logs)

    def save(self, model: keras.Model) -> tuple[bytes, dict[str, Any]]:
        """Returns the callback's attributes, and JSON values about them."""
        data, lost = self._remember().save(model)
        numbers = {k: v for k, v in self._logs.items() if isinstance(v, float)}
        return data, {"begun": self.begun, "reopens": lost, "logs": numbers}

    def restore(
        self, data: bytes, values: Mapping[str, Any], model: keras.Model, forked: bool = False
    ) -> None:
        """Restores the callback's attributes from what `save` returned.

        Args:
            data: the attributes.
            values: the JSON values.
            model: the trial's.
            forked: whether they come from the parent of a fork: then strings are left out, since
                they may be paths of the parent's files.

        Raises:
            ValueError: if they cannot be unpickled.
        """
        restored = self._remember().load(data, model)
        if forked:
            restored = {k: v for k, v in restored.items() if not isinstance(v, str)}
        self._restored, self._reopens = restored, bool(values["reopens"])
        vars(stateful(self.wrapped)).update(restored)
        self.begun, self._logs = bool(values["begun"]), dict(values["logs"])

    def _remember(self) -> CallbackState:
        """Returns the saver of the callback's state, made before training to compare with it."""
        if self._state is None:
            self._state = CallbackState(self.wrapped)
        return self._state


def _delegate(name: str) -> Callable[..., None]:
    def hook(self: OncePerTrial, *args: Any, **kwargs: Any) -> None:
        getattr(self.wrapped, name)(*args, **kwargs)

    return hook


for _name in ["on_epoch_begin", "on_test_begin", "on_test_end", *_BATCH_HOOKS]:
    setattr(OncePerTrial, _name, _delegate(_name))


def check_callbacks(given: Any) -> tuple[Any, ...]:
    """Returns the callbacks given to `search` as a tuple.

    Raises:
        InvalidInput: for a value that is neither a callback nor a function that makes some.
    """
    several = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    for callback in several:
        if hasattr(callback, "on_event"):
            raise InvalidInput(
                f"{callback!r} is a listener of the whole search, not a callback of one "
                "training: pass it in listeners=[...] instead of callbacks=[...]."
            )
        if not isinstance(callback, keras.callbacks.Callback) and not callable(callback):
            raise InvalidInput(
                "callbacks must be keras callbacks, or functions without arguments that make "
                f"them. Received: {callback!r}."
            )
    return tuple(several)


def may_log(callback: Any) -> bool:
    """Whether a callback may add metrics: it is not Keras's, and overrides ``on_epoch_end``."""
    return not getattr(callback.on_epoch_end, "__module__", "").startswith("keras.")


def ends(callback: Any) -> bool:
    """Whether a callback, or a function that makes some, may do something in ``on_train_end``."""
    hook = getattr(callback, "on_train_end", None)
    return getattr(hook, "__func__", hook) is not keras.callbacks.Callback.on_train_end


def fresh_callbacks(given: Sequence[Any], epochs: int | None = None) -> list[OncePerTrial]:
    """Returns a trial's own copies of the callbacks.

    Args:
        given: callbacks, or functions that make them.
        epochs: how long the trial is planned to be trained.

    Raises:
        InvalidInput: for a callback that cannot be copied; the message names the alternative.
    """
    made: list[keras.callbacks.Callback] = []
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            made += [_own(one) for one in _checked(callback())]
            continue
        try:
            made.append(copy.deepcopy(callback))
        except Exception as error:
            name = type(callback).__name__
            raise InvalidInput(
                f"The callback {name} cannot be copied ({error}), and every trial needs one of "
                f"its own. Pass a function that makes it instead: callbacks=[lambda: {name}(...)]."
            ) from error
    return [OncePerTrial(callback, epochs) for callback in made]


def _own(made: keras.callbacks.Callback) -> keras.callbacks.Callback:
    """Returns a copy of one of Keras's callbacks: a function may return the same one each time.

    Otherwise trials would share its state and files. Callbacks of the user's own classes are not
    copied, nor is a `LambdaCallback`, whose functions may be methods of an object.
    """
    if _STATEFUL.isdisjoint(type(made).__mro__):
        return made
    try:
        return copy.deepcopy(made)
    except Exception:  # copying may raise any exception, depending on the class
        return made


def _checked(result: Any) -> list[keras.callbacks.Callback]:
    made = list(result) if isinstance(result, (list, tuple)) else [result]
    for one in made:
        if not isinstance(one, keras.callbacks.Callback):
            raise InvalidInput(
                "A function among callbacks must return a keras callback, or several. "
                f"It made {one!r}."
            )
    return made


@final
class ReportCallback(keras.callbacks.Callback):
    """Callback that calls a function after each epoch; if it returns True, training stops.

    Args:
        on_epoch: called with the epoch, counted from 1, and its metrics.
    """

    def __init__(self, on_epoch: Callable[[int, dict[str, float]], bool]) -> None:
        super().__init__()
        self._on_epoch = on_epoch
        self.stopped = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._on_epoch(epoch + 1, to_metrics(logs or {})):
            self.stopped = True
            self.model.stop_training = True


def to_metrics(logs: Mapping[str, Any]) -> dict[str, float]:
    """Returns logs as metrics: scalar numbers.

    A vector becomes one metric per element (``f1_score_0``, ...), up to 100 of them. Values that
    are not numbers are left out: a study's log holds numbers only.
    """
    metrics: dict[str, float] = {}
    for name, value in logs.items():
        if type(value) is float:
            metrics[name] = value
            continue
        if isinstance(value, Mapping):
            metrics |= to_metrics(value)
            continue
        try:
            numbers = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            continue
        if numbers.size == 1:
            metrics[name] = float(numbers.reshape(()))
        elif numbers.size <= _MOST_ELEMENTS:
            for place in np.ndindex(numbers.shape):
                metrics["_".join([name, *map(str, place)])] = float(numbers[place])
    return metrics


def place_of(trial: int, run: int = 0) -> Path:
    """Returns the folder of one run of a trial, relative to the paths given to callbacks."""
    return Path(str(trial)) / f"execution{run}"


def give_place(callback: Any, trial: int, run: int = 0) -> None:
    """Moves the output paths of one of Keras's callbacks into ``<trial>/execution<run>``.

    KerasTuner does so for `TensorBoard` only, and lets trials overwrite each other's files. Other
    callbacks are not changed: a function among ``callbacks`` can choose their paths.

    Args:
        callback: the trial's own copy, before it has written anything.
        trial: the trial's number.
        run: the execution.
    """
    own = place_of(trial, run)
    match callback:
        case keras.callbacks.TensorBoard():
            callback.log_dir = str(Path(callback.log_dir) / own)
        case keras.callbacks.ModelCheckpoint():
            callback.filepath = _beside(callback.filepath, own)
        case keras.callbacks.CSVLogger():
            callback.filename = _beside(callback.filename, own)
        case keras.callbacks.BackupAndRestore():
            _move(callback, str(callback.backup_dir), str(Path(callback.backup_dir) / own))


def _beside(path: str, own: Path) -> str:
    folder = Path(path).parent / own
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder / Path(path).name)


def _move(callback: Any, old: str, new: str) -> None:
    """Moves every path that Keras derived from the folder when the callback was made."""
    for name, value in vars(callback).items():
        if isinstance(value, str) and value.startswith(old):
            setattr(callback, name, new + value.removeprefix(old))
