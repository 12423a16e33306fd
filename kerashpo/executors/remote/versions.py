"""Versions of Python, Keras and kerashpo, which must agree between the search and its workers.

This module uses the standard library alone: `kerashpo doctor --cluster` sends its functions by
value to nodes that may lack kerashpo.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

ABSENT = "absent"
"""The version of a package that is not installed."""


def versions() -> dict[str, str]:
    """Returns the versions that matter, of this interpreter."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for package in ("keras", "kerashpo"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> tuple[str, ...]:
    """Returns one clause for each version that differs: ``"keras 3.6.0 instead of 3.15.1"``."""
    return tuple(
        f"{name} {there.get(name, ABSENT)} instead of {wanted}"
        for name, wanted in here.items()
        if there.get(name, ABSENT) != wanted
    )


def refusal(worker: str, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Returns the message that refuses a worker, empty if its versions agree with ours.

    Args:
        worker: the worker's machine, as the user knows it.
        here: versions of the search.
        there: versions of the worker.
    """
    differ = differences(here, there)
    if not differ:
        return ""
    return (
        f"{worker} has {', '.join(differ)}, and a search needs equal versions on all machines. "
        "Install the same versions there, or start the search with those."
    )
