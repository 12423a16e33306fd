"""The user's callbacks over a trial's whole life, and the one that reports."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput

_BATCH_HOOKS = [
    f"on_{phase}_batch_{end}" for phase in ("train", "test", "predict") for end in ("begin", "end")
]


@final
class OncePerTrial(keras.callbacks.Callback):
    """Stands before a user's callback, which sees train begin and end once a trial.

    `EarlyStopping` and its like start anew in ``on_train_begin`` and put weights back in
    ``on_train_end``; a trial that pauses at a rung must do neither.

    Attributes:
        wrapped: the user's callback.
        begun: whether it has seen the beginning, in this process or an earlier one.
    """

    def __init__(self, wrapped: keras.callbacks.Callback) -> None:
        super().__init__()
        self.wrapped = wrapped
        self.begun = self._awake = self._ended = False
        self._restored: dict[str, Any] = {}

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self.wrapped.set_model(model)

    def set_params(self, params: Any) -> None:
        super().set_params(params)
        self.wrapped.set_params(params)

    def on_train_begin(self, logs: Any = None) -> None:
        if self._awake:
            return
        restored = dict(self._restored)
        if self.begun and isinstance(self.wrapped, keras.callbacks.CSVLogger):
            # The trial goes on in another process, and so does its file.
            self.wrapped.append = True
            restored = {k: v for k, v in restored.items() if not k.startswith("append")}
        self.begun = self._awake = True
        # A restored callback opens its files again here; what it remembered goes on top.
        self.wrapped.on_train_begin(logs)
        vars(self.wrapped).update(restored)

    def end(self) -> None:
        """Lets the callback see the end of the trial, once."""
        if self._awake and not self._ended:
            self._ended = True
            self.wrapped.on_train_end({})

    def state(self) -> dict[str, Any]:
        """Returns what the callback remembers: its scalars, arrays and lists of arrays.

        Functions of `keras.ops` go by name: monitoring callbacks keep one beside a
        `min_delta` whose sign belongs to it.
        """
        own = vars(self.wrapped)
        kept = {name: value for name, value in own.items() if _can_be_kept(value)}
        ops = {name: {"op": value.__name__} for name, value in own.items() if _is_op(value)}
        return {**kept, **ops, "__begun__": self.begun}

    def restore(self, state: Mapping[str, Any], forked: bool = False) -> None:
        """Puts back what `state` returned.

        Args:
            state: of this trial, or of its parent.
            forked: whether it is the parent's: its strings, which may be paths of the parent's
                files, are left out.
        """
        self._restored = {
            name: getattr(keras.ops, value["op"]) if isinstance(value, dict) else value
            for name, value in state.items()
            if name != "__begun__" and not (forked and isinstance(value, str))
        }
        vars(self.wrapped).update(self._restored)
        self.begun = bool(state["__begun__"])


def _delegate(name: str) -> Callable[..., None]:
    def hook(self: OncePerTrial, *args: Any, **kwargs: Any) -> None:
        getattr(self.wrapped, name)(*args, **kwargs)

    return hook


for _name in ["on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end", *_BATCH_HOOKS]:
    setattr(OncePerTrial, _name, _delegate(_name))


def _can_be_kept(value: Any) -> bool:
    if value is None or isinstance(value, (bool, int, float, str, np.generic, np.ndarray)):
        return True
    return isinstance(value, list) and all(isinstance(v, np.ndarray) for v in value)


def _is_op(value: Any) -> bool:
    name = getattr(value, "__name__", None)
    return callable(value) and name is not None and getattr(keras.ops, name, None) is value


def check_callbacks(given: Any) -> tuple[Any, ...]:
    """Returns the callbacks given to `search` as a tuple.

    Raises:
        InvalidInput: for something that is neither a callback nor a function that makes some.
    """
    several = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    for callback in several:
        if hasattr(callback, "on_event"):
            raise InvalidInput(
                f"{callback!r} listens to the whole search, not to one training: pass it in "
                "listeners=[...] instead of callbacks=[...]."
            )
        if not isinstance(callback, keras.callbacks.Callback) and not callable(callback):
            raise InvalidInput(
                "callbacks must be keras callbacks, or functions without arguments that make "
                f"them. Received: {callback!r}."
            )
    return tuple(several)


def may_log(callback: Any) -> bool:
    """Whether a callback may add metrics: code that is not Keras's hears the end of an epoch."""
    return not getattr(callback.on_epoch_end, "__module__", "").startswith("keras.")


def fresh_callbacks(given: Sequence[Any]) -> list[OncePerTrial]:
    """Returns a trial's own copies of the callbacks.

    Raises:
        InvalidInput: for one that cannot be copied, with the way out.
    """
    made: list[keras.callbacks.Callback] = []
    for callback in given:
        if not isinstance(callback, keras.callbacks.Callback):
            result = callback()
            made += _checked(result)
            continue
        try:
            made.append(copy.deepcopy(callback))
        except Exception as error:
            name = type(callback).__name__
            raise InvalidInput(
                f"The callback {name} cannot be copied ({error}), and every trial needs one of "
                f"its own. Pass a function that makes it instead: callbacks=[lambda: {name}(...)]."
            ) from error
    return [OncePerTrial(callback) for callback in made]


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
    """Calls a function after each epoch; a true answer stops the training.

    Args:
        on_epoch: gets the epoch, counted from 1, and its metrics.
    """

    def __init__(self, on_epoch: Callable[[int, dict[str, float]], bool]) -> None:
        super().__init__()
        self._on_epoch = on_epoch
        self.stopped = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        if self._on_epoch(epoch + 1, metrics):
            self.stopped = True
            self.model.stop_training = True


def give_place(callback: Any, trial: int, run: int = 0) -> None:
    """Moves what one of Keras's callbacks writes into ``<trial>/execution<run>``.

    KerasTuner does so for `TensorBoard`, and lets every trial overwrite the files of the
    others. Other callbacks are left alone: a function among ``callbacks`` can make them.

    Args:
        callback: the trial's own copy, before it has written anything.
        trial: the trial's number.
        run: which execution.
    """
    own = Path(str(trial)) / f"execution{run}"
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
