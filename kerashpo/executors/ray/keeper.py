"""The Ray actor that keeps the checkpoints in the study's folder, on the driver's node."""

from __future__ import annotations

from typing import Any, final

from kerashpo.executors.remote.kept_blobs import Reply, answer
from kerashpo.store.base import Blobs

SIDE_BY_SIDE = 8
"""How many workers it serves at a time: most of it is waiting for the disk."""


@final
class RayKeeper:
    """Reads and writes checkpoints for the workers of a cluster.

    Args:
        blobs: the checkpoints as the driver's node reaches them.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def answer(self, method: str, arguments: tuple[Any, ...]) -> Reply:
        """Calls a method of the checkpoints; see `kerashpo.executors.remote.kept_blobs`."""
        return answer(self._blobs, method, arguments)
