"""The error for a full disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from kerashpo.core.errors import DiskFull

_FULL = (errno.ENOSPC, errno.EDQUOT)
_PHRASES = tuple(os.strerror(number) for number in _FULL)


def is_full(error: BaseException) -> bool:
    """Whether an operating system error says that the disk, or a quota, is full.

    Libraries that write files themselves (HDF5, TensorFlow) give no error number, but quote
    the system's message.
    """
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    quotes = isinstance(error, OSError) or type(error).__name__ == "ResourceExhaustedError"
    return quotes and any(phrase in str(error) for phrase in _PHRASES)


def disk_full(path: Path | None, error: BaseException) -> DiskFull:
    """Returns the error that ends a search whose disk is full.

    Args:
        path: the file of ours that could not be written; None for one of the user's code.
        error: the exception of the system or of a library.
    """
    where = "what is trained cannot write" if path is None else f"cannot write to {str(path)!r}"
    return DiskFull(
        f"The disk is full: {where} ({error}). The search has stopped; every reported epoch "
        "is in the log. Free some space and run the same search again: it resumes from there. "
        'keep="best" (or "none") keeps fewer weights.'
    )
