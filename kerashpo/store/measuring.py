"""The lock of a study under which its workers measure models, one at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import filelock

from kerashpo.store.base import Blobs
from kerashpo.store.blobs import FileBlobs

LOCK_NAME = "measuring.lock"


def measuring(blobs: Blobs) -> AbstractContextManager[Any]:
    """Returns what a worker holds while it measures; nothing where the study is in memory.

    Args:
        blobs: the study's; the lock is a file in their folder.
    """
    if not isinstance(blobs, FileBlobs):
        return nullcontext()
    blobs.folder.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(blobs.folder / LOCK_NAME)
