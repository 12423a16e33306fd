"""Checkpoints of workers on other machines, kept in the study's folder by a keeper beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, final

from kerashpo.store.base import Blobs

T = TypeVar("T")

Ask: TypeAlias = "Callable[[str, tuple[Any, ...]], Reply]"
"""Calls a method of the keeper's blobs by name and returns its reply."""

Reply: TypeAlias = "tuple[Any, Exception | None]"
"""What a method returned, and the exception that it raised, None for none."""

_METHODS = frozenset({"put", "get", "free", "stored", "copy", "together"})


def answer(blobs: Blobs, method: str, arguments: tuple[Any, ...]) -> Reply:
    """Calls a method of `Blobs` for a worker; an exception is returned, not raised."""
    if method not in _METHODS:
        return None, ValueError(f"no method of checkpoints: {method!r}")
    try:
        return getattr(blobs, method)(*arguments), None
    except Exception as error:  # it is the worker's: it is raised again there
        return None, error


@final
class KeptBlobs(Blobs):
    """Checkpoints that are read and written by a keeper, with no shared file system.

    Args:
        ask: calls the keeper, see `answer`.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def put(self, key: str, data: bytes) -> None:
        self._call("put", key, data)

    def get(self, key: str) -> bytes | None:
        data: bytes | None = self._call("get", key)
        return data

    def free(self, key: str) -> None:
        self._call("free", key)

    def stored(self, under: str = "") -> tuple[str, ...]:
        keys: tuple[str, ...] = self._call("stored", under)
        return keys

    def copy(self, source: str, target: str) -> bool:
        return bool(self._call("copy", source, target))

    def together(self, steps: Callable[..., T], *arguments: Any) -> T:
        """See `Blobs.together`: the keeper calls `steps`."""
        result: T = self._call("together", steps, *arguments)
        return result

    def _call(self, method: str, *arguments: Any) -> Any:
        value, error = self._ask(method, arguments)
        if error is not None:
            raise error
        return value
