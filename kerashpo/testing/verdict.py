"""How a suite says that something does not conform."""

from __future__ import annotations


class NotConforming(AssertionError):
    """A part that breaks a promise of its seam; the message says which and how."""


def require(holds: bool, message: str) -> None:
    """Raises NotConforming with `message` unless the promise holds."""
    if not holds:
        raise NotConforming(message)
