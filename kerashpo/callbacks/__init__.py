"""Loggers: listeners that write the epochs of a search to files or services of other tools.

===============  =================================================================
``csv``          `CSVLog`: a CSV file with every epoch of every trial
``tensorboard``  `TensorBoardLog`: a TensorBoard run for each trial, its values in HParams
``mlflow``       `MLflowLog`: an MLflow run for each trial, below one for the search
``wandb``        `WandbLog`: a Weights & Biases run for each trial, in a group
===============  =================================================================

Pass them to a search: ``tuner.search(..., listeners=[CSVLog("epochs.csv")])``. Unlike Keras
callbacks, which act within one training, loggers receive the events of the whole search in the
main process, so that they work with any number of workers. A resumed search continues in the same
file or run. A missing package is reported when the logger is constructed.

Any object with a method ``on_event(event, snapshot)`` can be passed as well: `event` is one of
`kerashpo.core.events`, `snapshot` the `kerashpo.core.history.History` after it. A method
``close()`` is called at the end of the search. An exception in a listener never stops a search;
it is logged once, and the listener is removed.

To add a logger: a module with a final subclass of `kerashpo.core.listener.Listener`, and an entry
in `_MENU` here.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerashpo.callbacks.csv import CSVLog as CSVLog
    from kerashpo.callbacks.mlflow import MLflowLog as MLflowLog
    from kerashpo.callbacks.tensorboard import TensorBoardLog as TensorBoardLog
    from kerashpo.callbacks.wandb import WandbLog as WandbLog

_MENU = {
    "CSVLog": "kerashpo.callbacks.csv",
    "MLflowLog": "kerashpo.callbacks.mlflow",
    "TensorBoardLog": "kerashpo.callbacks.tensorboard",
    "WandbLog": "kerashpo.callbacks.wandb",
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
