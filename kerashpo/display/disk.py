"""How much room a study takes."""

from __future__ import annotations

import os
from pathlib import Path

_UNITS = ("B", "kB", "MB", "GB", "TB")


def folder_bytes(folder: str) -> int | None:
    """Returns the bytes of all files below a folder, None where there is none.

    Files that vanish while they are counted (checkpoints do) count nothing.
    """
    if not Path(folder).is_dir():
        return None
    total, waiting = 0, [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += _bytes(entry)
        except OSError:
            continue
    return total


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def size(count: int) -> str:
    """Returns bytes as people say them: ``"3.1 MB"``, decimal units."""
    amount = float(count)
    for unit in _UNITS[:-1]:
        if amount < 999.5:
            return (
                f"{amount:.0f} {unit}" if unit == "B" or amount >= 9.95 else f"{amount:.1f} {unit}"
            )
        amount /= 1000
    return f"{amount:.1f} {_UNITS[-1]}"
