"""The exceptions of kerashpo; their messages say what was expected, received, and what to do."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable


class KerashpoError(Exception):
    """Base of every error that kerashpo raises on purpose."""


class InvalidInput(KerashpoError, ValueError):
    """An invalid argument; raised before anything is trained."""


class UnusableResult(InvalidInput):
    """A training result that lacks the objective or is no result; every trial would fail alike."""


class InvalidSpace(InvalidInput):
    """A search space, or one parameter of it, that contradicts itself."""


class StudyMismatch(KerashpoError):
    """A study folder that holds a study with other settings than those requested.

    Attributes:
        differences: one line for each thing that differs.
    """

    def __init__(self, message: str, differences: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.differences = differences


class StudyNotFound(KerashpoError, FileNotFoundError):
    """A folder without a study in it."""


class StudyBusy(KerashpoError):
    """A study that another running process is writing to."""


class StudyCorrupt(KerashpoError):
    """A log that cannot be read; the message says what can be recovered.

    Attributes:
        repairable: whether its undamaged events can be kept; not so for a file that is no log,
            or of a later version.
    """

    def __init__(self, message: str, repairable: bool = True) -> None:
        super().__init__(message)
        self.repairable = repairable


class DiskFull(KerashpoError, OSError):
    """No space left for a log or a checkpoint. The log is intact; a search resumes from it."""


class ConsecutiveFailures(KerashpoError, RuntimeError):
    """Too many trials failed one after another; the finished ones are in the log."""


class WorkerLost(KerashpoError, RuntimeError):
    """Worker processes that cannot start, or that failed outside any trial."""


class ClusterLost(WorkerLost):
    """A cluster whose head does not answer any more; the search resumes from its log."""


class NoResult(KerashpoError, LookupError):
    """Raised if the best trial is asked for and none has a finite score."""


class MissingExtra(KerashpoError, ImportError):
    """An optional dependency that is not installed; the message names its extra."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Returns ``" Did you mean 'x'?"`` for the closest known word, or an empty string."""
    close = closest(word, known)
    return f" Did you mean {close!r}?" if close else ""


def closest(word: str, known: Iterable[str]) -> str:
    """Returns the known word that is most like another one, or an empty string if none is."""
    close = difflib.get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.6)
    return close[0] if close else ""


def unknown(kind: str, word: object, known: Iterable[str], also: str = "") -> InvalidInput:
    """Builds the error for a name that is not in a registry.

    Args:
        kind: the kind of name, e.g. ``"tuner"``.
        word: the unknown name.
        known: the names that exist.
        also: further accepted values, added to the list.
    """
    names = sorted(str(name) for name in known)
    hint = nearest(str(word), names)
    listed = ", ".join([*names, *([also] if also else [])])
    return InvalidInput(f"Unknown {kind} {word!r}.{hint} Known: {listed}.")


def require_integer(name: str, value: object, low: int, *, why: str = "") -> int:
    """Returns `value` as an int of at least `low`.

    Raises:
        InvalidInput: if it is not a whole number or is too small.
    """
    try:
        whole = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        whole = None
    if whole is None or whole < low:
        reason = f" ({why})" if why else ""
        raise InvalidInput(
            f"{name} must be a whole number of at least {low}{reason}. Received: {value!r}."
        )
    return whole


def require_number(name: str, value: object, low: float, *, strict: bool = False) -> float:
    """Returns `value` as a finite float of at least (or, if `strict`, above) `low`.

    Raises:
        InvalidInput: if it is not a finite number or is too small.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = float("nan")
    too_small = not (number > low if strict else number >= low)
    if isinstance(value, (bool, str)) or too_small or number == float("inf"):
        bound = f"above {low}" if strict else f"of at least {low}"
        raise InvalidInput(f"{name} must be a finite number {bound}. Received: {value!r}.")
    return number
