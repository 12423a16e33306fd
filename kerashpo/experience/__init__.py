"""What worked on data like these: a folder of studies, and features of their data.

==================  =================================================================
``meta_features``   about fifteen numbers that describe a data set (meta-features)
``distance``        how far data sets are from each other, by these numbers
``notes``           the file that keeps them beside a study's log
``folder``          `Experience`: the studies below a folder, the nearest first
``warm_start``      reads ``warm_start=``: earlier studies, in the terms of a new search
``earlier_values``  the values of their objectives, and what the user declared of them
==================  =================================================================

Tuners with ``context="auto"`` write the features of their data beside their log and start from
the studies of the most similar data. To add a feature: a function in ``meta_features``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerashpo.experience.folder import Experience as Experience
    from kerashpo.experience.meta_features import data_features as data_features
    from kerashpo.experience.notes import note as note
    from kerashpo.experience.notes import noted as noted

_MENU = {
    "Experience": "kerashpo.experience.folder",
    "data_features": "kerashpo.experience.meta_features",
    "note": "kerashpo.experience.notes",
    "noted": "kerashpo.experience.notes",
}

__all__ = ["Experience", "data_features", "note", "noted"]


def __getattr__(name: str) -> Any:
    """Imports a name on first use: the features need scikit-learn, which `optimize` does not."""
    if name not in _MENU:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MENU[name]), name)
