"""Loggers: listeners that write a search where other tools read it.

===============  =================================================================
``csv``          `CSVLog`: every epoch of every trial as a CSV file, while it is trained
``tensorboard``  `TensorBoardLog`: a TensorBoard run for each trial, its values in HParams
``mlflow``       `MLflowLog`: an MLflow run for each trial, below one for the search
===============  =================================================================

Pass them to a search: ``tuner.search(..., listeners=[CSVLog("epochs.csv")])``. Unlike Keras
callbacks, which act within one training, they receive the events of the whole search in the process
that leads it, so that they work with any number of workers; a resumed search goes on in the
same file or run. A missing package is reported when the logger is made.

Any object with a method ``on_event(event, snapshot)`` may stand beside them: `event` is one
of `kerashpo.core.events`, `snapshot` the `kerashpo.core.history.History` that holds it. A
method ``close()`` is called when the search is over. An exception in a listener never stops a
search; it is logged once, and the listener is removed.

To add one: a module with a final subclass of `kerashpo.core.listener.Listener`, and a line here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerashpo.callbacks.csv import CSVLog as CSVLog
    from kerashpo.callbacks.mlflow import MLflowLog as MLflowLog
    from kerashpo.callbacks.tensorboard import TensorBoardLog as TensorBoardLog

_MENU = {
    "CSVLog": "kerashpo.callbacks.csv",
    "MLflowLog": "kerashpo.callbacks.mlflow",
    "TensorBoardLog": "kerashpo.callbacks.tensorboard",
}

__all__ = [*_MENU]


def __getattr__(name: str) -> Any:
    if name in _MENU:
        return getattr(import_module(_MENU[name]), name)
    from kerashpo.core.errors import nearest

    raise AttributeError(
        f"module 'kerashpo.callbacks' has no attribute {name!r}.{nearest(name, __all__)}"
    )


def __dir__() -> list[str]:
    return sorted(__all__)
