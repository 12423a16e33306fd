"""Copies the best trial's files to the paths that callbacks such as ModelCheckpoint got."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import keras

from kerashpo.core.events import Event, SessionEnded
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.training.user_callbacks import fresh_callbacks, place_of


@final
class BestTrialFiles(Listener):
    """Copies the best trial's files to the paths that its callbacks were given.

    Each trial writes into its own folder beside the path. A script that loads the file whose
    path it passed to `ModelCheckpoint` finds the best trial's file after the search.

    Args:
        callbacks: those passed to `search`.
    """

    def __init__(self, callbacks: Sequence[Any]) -> None:
        self._callbacks = tuple(callbacks)

    def on_event(self, event: Event, snapshot: History) -> None:
        if not isinstance(event, SessionEnded) or snapshot.best is None:
            return
        own = place_of(snapshot.best.number, snapshot.best.best_run)
        for path in self._paths():
            # Such as "weights.{epoch:02d}-{val_loss:.2f}.keras".
            pattern = re.sub(r"{[^}]*}", "*", path.name)
            for written in (path.parent / own).glob(pattern):
                if written.is_file():
                    shutil.copyfile(written, path.parent / written.name)

    def _paths(self) -> list[Path]:
        found = []
        for callback in (one.wrapped for one in fresh_callbacks(self._callbacks)):
            match callback:
                case keras.callbacks.ModelCheckpoint():
                    found.append(Path(callback.filepath))
                case keras.callbacks.CSVLogger():
                    found.append(Path(callback.filename))
        return found
