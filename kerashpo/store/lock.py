"""The lock that keeps a second process from writing to a study's log."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import final

import filelock
import psutil

from kerashpo.core.errors import StudyBusy


@final
class WriterLock:
    """Holds the lock file beside a log until `release`, or until the process ends.

    The system releases it however the process ends. On a file system without locks
    (some network disks) `filelock` uses a marker file instead.

    Args:
        log: the study's log; its folder must exist.

    Raises:
        StudyBusy: if another process, or another tuner of this one, holds it.
        OSError: if the lock file cannot be created.
    """

    def __init__(self, log: Path) -> None:
        self._owner = log.with_name(f"{log.name}.owner")
        self._lock = filelock.FileLock(log.with_name(f"{log.name}.lock"), thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise StudyBusy(
                f"The study in {str(log.parent)!r} is being searched by {self._whose()}. Wait "
                "until that ends, or choose another project_name or directory. Results can be "
                "read meanwhile: open_study."
            ) from None
        # For the message only: the lock itself is what counts, and it ends with the process.
        with contextlib.suppress(OSError):
            self._owner.write_text(f"{os.getpid()} {platform.node()}\n")

    def release(self) -> None:
        """Lets another process write."""
        with contextlib.suppress(OSError):
            self._owner.unlink()
        self._lock.release()

    def _whose(self) -> str:
        try:
            number, _, machine = self._owner.read_text().strip().partition(" ")
        except (OSError, UnicodeDecodeError):
            return "another process"
        if number == str(os.getpid()) and machine == platform.node():
            return "another tuner of this process"
        return f"another process ({number} on {machine})" if number else "another process"


def is_searched(log: Path) -> bool:
    """Whether a process holds a study's lock, as far as its owner file tells; never locks.

    A process on another machine is taken to be alive.
    """
    try:
        number, _, machine = log.with_name(f"{log.name}.owner").read_text().strip().partition(" ")
    except (OSError, UnicodeDecodeError):
        return False
    return machine != platform.node() or psutil.pid_exists(int(number))
