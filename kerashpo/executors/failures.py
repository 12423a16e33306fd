"""Classifies exceptions: the kind of a trial's failure, and errors that end the search."""

from __future__ import annotations

import traceback

from kerashpo.core.errors import DiskFull, UnusableResult
from kerashpo.core.records import Failure
from kerashpo.store.disk_full import disk_full, is_full

REFUSED = "refused"
"""The kind of a failure that trying again would not mend."""
LIMIT = "limit"
"""The kind of a failure of a model that exceeds a limit; it does not count as consecutive."""

_EXHAUSTED = ("ResourceExhaustedError", "OutOfMemoryError")
"""What TensorFlow and PyTorch (GPU) raise; their classes are not imported for this."""
_PHRASES = ("RESOURCE_EXHAUSTED", "Out of memory", "out of memory", "can't allocate memory")
"""What JAX's XlaRuntimeError and PyTorch's RuntimeError say."""
_CLASSES = ("XlaRuntimeError", "JaxRuntimeError", "RuntimeError", "InternalError")


def classify(stage: str, error: Exception) -> Failure:
    """Classifies an exception as a `Failure` of kind ``"memory"``, ``"refused"`` or the `stage`.

    `keras_tuner.errors.FailedTrialError` refuses a trial.

    Args:
        stage: ``"build"`` or ``"fit"``: what was being done.
        error: an exception of the user's code, Keras or its backend.

    Raises:
        DiskFull: if a callback, say, found no room for its file. That is no fault of the
            trial, which goes on once there is some.
    """
    if is_full(error):
        raise disk_full(None, error) from error
    name, text = type(error).__name__, str(error)
    kind = "memory" if is_out_of_memory(error) else stage
    if _is_keras_tuners(error, "FailedTrialError"):
        kind = REFUSED
    return Failure(kind, f"{name}: {telling_line(text)}", traceback.format_exc())


def telling_line(text: str) -> str:
    """Returns the line of an error's message that says what is wrong, as a rule the first one.

    TensorFlow's begins with ``Graph execution error:`` and where in the graph it was.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Graph execution error"):
        place = ("Detected at node", "<stack traces", " ", "\t")
        lines = [line for line in lines[1:] if not line.startswith(place)] or lines
    return lines[0].strip() if lines else ""


def ends_search(error: BaseException) -> bool:
    """Whether an exception is not specific to one trial, so that every other would raise it too.

    These are a full disk, a result without the objective, and
    `keras_tuner.errors.FatalError` and its subclasses.
    """
    own = isinstance(error, (DiskFull, UnusableResult))
    return own or _is_keras_tuners(error, "FatalError")


def _is_keras_tuners(error: BaseException, name: str) -> bool:
    """Whether an exception's class is KerasTuner's, without importing KerasTuner."""
    found = [cls for cls in type(error).__mro__ if cls.__name__ == name]
    return any(cls.__module__.partition(".")[0] == "keras_tuner" for cls in found)


def is_out_of_memory(error: Exception) -> bool:
    """Whether an exception of Python, numpy, TensorFlow, JAX or PyTorch means out of memory."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, MemoryError) or not names.isdisjoint(_EXHAUSTED):
        return True
    return not names.isdisjoint(_CLASSES) and any(phrase in str(error) for phrase in _PHRASES)
