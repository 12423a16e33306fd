"""The exceptions of kerashpo, and those of KerasTuner that a script may raise.

Raised in a `build_model`, `HyperModel.fit` or `run_trial`, `FailedTrialError` fails a trial without
a retry; `FatalError`, `FatalValueError`, `FatalTypeError` and `FatalRuntimeError` end the
search, which resumes when it is run again. They are imported, with keras_tuner, on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kerashpo.core.errors import (
    ConsecutiveFailures,
    DiskFull,
    InvalidInput,
    InvalidSpace,
    KerashpoError,
    MissingExtra,
    NoResult,
    StudyBusy,
    StudyCorrupt,
    StudyMismatch,
    StudyNotFound,
    UnusableResult,
    WorkerLost,
)

if TYPE_CHECKING:
    from keras_tuner.errors import FailedTrialError as FailedTrialError
    from keras_tuner.errors import FatalError as FatalError
    from keras_tuner.errors import FatalRuntimeError as FatalRuntimeError
    from keras_tuner.errors import FatalTypeError as FatalTypeError
    from keras_tuner.errors import FatalValueError as FatalValueError

_THEIRS = (
    "FailedTrialError",
    "FatalError",
    "FatalRuntimeError",
    "FatalTypeError",
    "FatalValueError",
)

__all__ = [
    "ConsecutiveFailures",
    "DiskFull",
    "InvalidInput",
    "InvalidSpace",
    "KerashpoError",
    "MissingExtra",
    "NoResult",
    "StudyBusy",
    "StudyCorrupt",
    "StudyMismatch",
    "StudyNotFound",
    "UnusableResult",
    "WorkerLost",
]


def __getattr__(name: str) -> Any:
    if name in _THEIRS:
        return getattr(import_module("keras_tuner.errors"), name)
    raise AttributeError(f"module 'kerashpo.errors' has no attribute {name!r}")
