"""Ctrl-C once: finishes the epoch, saves, shows how to resume. Twice: stops immediately."""

from __future__ import annotations

import os
import signal
import threading
import weakref
from types import FrameType
from typing import Any, final

#: Those whose handlers are installed, for processes forked meanwhile; there is no other way in.
_ACTIVE: weakref.WeakSet[Interrupt] = weakref.WeakSet()


@final
class Interrupt:
    """Context manager that catches Ctrl-C (and SIGTERM); the second one raises.

    Only the main thread receives signals; in other threads nothing is caught. Interrupting the
    kernel of a notebook sends the same signal. A process that the user's code forks meanwhile (a
    pool, the workers of a `PyDataset`) gets the former handlers back: a pool ends its workers by
    SIGTERM, and would wait for ever for one that only notes it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._notice)
            _ACTIVE.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._put_back()
        _ACTIVE.discard(self)

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _put_back_in_child() -> None:
    for interrupt in list(_ACTIVE):
        interrupt._put_back()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_put_back_in_child)
