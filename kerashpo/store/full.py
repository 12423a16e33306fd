"""No room left on the disk."""

from __future__ import annotations

import errno
from pathlib import Path

from kerashpo.core.errors import DiskFull

_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """Tells whether an error of the system says that the disk, or a quota, is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def disk_full(path: Path, error: BaseException) -> DiskFull:
    """Returns the error that ends a search whose disk is full."""
    return DiskFull(
        f"The disk is full: cannot write to {str(path)!r} ({error}). The search has stopped; every "
        "epoch that was told is in the log. Free some space and run the same search again: it "
        'goes on where it was. keep="best" (or "none") keeps fewer weights.'
    )
