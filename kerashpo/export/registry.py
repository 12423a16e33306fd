"""Which libraries a study can be exported to."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from kerashpo.core.errors import unknown
from kerashpo.study.study import open_study

_LIBRARIES = {"optuna": "kerashpo.export.optuna"}


def export_study(library: str, folder: Path, out: Path | None = None) -> Path:
    """Writes a study in another library's format; returns the file.

    Args:
        library: ``"optuna"``.
        folder: the study's.
        out: where to write; None for the library's habit, in the study's folder.

    Raises:
        InvalidInput: for an unknown library, or a file that is there already.
        StudyNotFound: if there is no study.
        MissingExtra: if the library is not installed.
    """
    if library not in _LIBRARIES:
        raise unknown("library", library, _LIBRARIES)
    written: Path = import_module(_LIBRARIES[library]).write(open_study(folder), out)
    return written
