"""Finds the folders that contain a study, for lists and for hints in errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kerashpo.core.errors import nearest
from kerashpo.store.open import LOG_NAME, folder_of

DEPTH = 6
"""Levels of folders below the given one; a comparison's studies are five levels below its own."""
_MANY = 10
"""The most folders that an error names."""


def studies_below(folder: str | Path, depth: int = DEPTH) -> list[Path]:
    """Returns the folders in and below a folder that hold a study, sorted.

    Hidden folders and the folders of studies are not searched.

    Args:
        folder: where to look.
        depth: levels of folders below it.
    """
    found: list[Path] = []
    root = folder_of(folder)
    for place, below, files in os.walk(root):
        if LOG_NAME in files:
            found.append(Path(place))
            below.clear()
        elif len(Path(place).relative_to(root).parts) >= depth:
            below.clear()
        else:
            below[:] = [name for name in below if not name.startswith(".")]
    return sorted(found)


def near_studies(folder: Path) -> str:
    """Returns a sentence that names studies near a folder without one, empty if there are none."""
    if below := studies_below(folder, 2):
        return f" Studies below it: {_listed(below)}."
    beside = studies_below(folder.parent, 1) if folder.parent.is_dir() else []
    if not beside:
        return ""
    hint = nearest(str(folder), [str(path) for path in beside])
    return hint or f" Studies beside it: {_listed(beside)}."


def _listed(folders: Sequence[Path]) -> str:
    more = f" and {len(folders) - _MANY} more" if len(folders) > _MANY else ""
    return ", ".join(map(str, folders[:_MANY])) + more
