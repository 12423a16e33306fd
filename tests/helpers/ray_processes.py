"""The processes of Ray actors on clusters that this test process started."""

from __future__ import annotations

import contextlib

import psutil


def ray_actors(name: str = "") -> list[psutil.Process]:
    """Returns the processes of our actors: ``"Worker"``, ``"Keeper"``, or all."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if (process.cmdline() or [""])[0].startswith(f"ray::Ray{name}"):
                found.append(process)
    return found
