"""Decides when a cluster's head that does not answer counts as lost."""

from __future__ import annotations

from typing import Final, final

PATIENCE: Final = 20.0
"""Seconds of silence after which the head counts as lost."""
LEAST: Final = 4
"""Failed looks in that time: on a busy machine one look can fail, long after the one before."""


@final
class Silence:
    """The looks at a head since it answered last."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._failed = 0

    def note(self, answered: bool, now: float) -> bool:
        """Notes a look at the head.

        Args:
            answered: whether it accepted a connection.
            now: seconds on a clock that never goes back.

        Returns:
            whether it counts as lost.
        """
        if answered:
            self._began, self._failed = None, 0
            return False
        self._began = now if self._began is None else self._began
        self._failed += 1
        return self._failed >= LEAST and now - self._began >= PATIENCE
