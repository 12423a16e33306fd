"""Ctrl-C once: finishes the epoch, saves, shows how to resume. Twice: stops immediately."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, final


@final
class Interrupt:
    """Context manager that catches Ctrl-C (and SIGTERM); the second one raises.

    Only the main thread receives signals; in other threads nothing is caught. Interrupting the
    kernel of a notebook sends the same signal.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._notice)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _notice(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
