"""Persistent compilation cache: compiled programs in a folder, for later searches and resumes."""

from __future__ import annotations

import contextlib
import hashlib
import platform
from pathlib import Path
from typing import final

from kerashpo.store.blobs import FileBlobs

FOLDER = ".kerashpo-programs"
"""The name of the folder, beside the studies."""
_MOST = 64
"""Programs that are kept, some 0.5 MB each; the oldest are deleted first."""


@final
class ProgramCache:
    """Compiled programs by a hash of what was compiled, for which machine, by which version.

    A program that cannot be read or written is compiled again: the cache never fails a search.

    Args:
        folder: created with the first program; programs are code, so it must be the user's own.
        flags: the compiler's flags, part of the hash.
    """

    def __init__(self, folder: Path, flags: str = "") -> None:
        self._folder, self._blobs = folder, FileBlobs(folder)
        self._machine = "\n".join([flags, *platform.uname()[4:], _features()])

    def key(self, text: str, compiler: str) -> str:
        """Returns the key of a program.

        Args:
            text: what is compiled.
            compiler: the compiler's versions, and the device.
        """
        parts = "\0".join([text, compiler, self._machine])
        return f"{hashlib.sha256(parts.encode()).hexdigest()}.bin"

    def get(self, key: str) -> bytes | None:
        """Returns a stored program, None if there is none."""
        with contextlib.suppress(OSError):
            return self._blobs.get(key)
        return None

    def put(self, key: str, program: bytes) -> None:
        """Stores a program."""
        with contextlib.suppress(Exception):  # a full disk, a folder that cannot be written
            self._blobs.put(key, program)
            files = sorted(self._folder.glob("*.bin"), key=lambda path: path.stat().st_mtime)
            for path in files[:-_MOST]:
                path.unlink(missing_ok=True)


def _features() -> str:
    """Returns the processor's instruction sets where Linux lists them, else an empty text."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return ""
