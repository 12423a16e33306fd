"""Captures the last lines that a trial prints, for the table of failures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, final

from kerashpo.executors.base import Emit

MOST = 4000
"""The most characters that are kept."""


@final
class OutputCapture:
    """Captures what this thread prints while a trial is trained; the output is still printed.

    The output of displays, which print while a message is handled, is not captured.

    Attributes:
        text: the last `MOST` characters since capturing began.
    """

    def __init__(self) -> None:
        self.text = ""
        self._thread: int | None = None

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """Captures output, starting with an empty text."""
        self.text, self._thread = "", threading.get_ident()
        with ExitStack() as stack:
            if sys.stdout is not None:
                stack.enter_context(redirect_stdout(_Tee(sys.stdout, self)))
            if sys.stderr is not None:
                stack.enter_context(redirect_stderr(_Tee(sys.stderr, self)))
            try:
                yield
            finally:
                self._thread = None

    def without_capture(self, emit: Emit) -> Emit:
        """Returns an `emit` during which output is not captured."""

        def quiet(message: Any) -> Any:
            thread, self._thread = self._thread, None
            try:
                return emit(message)
            finally:
                self._thread = thread

        return quiet

    def append(self, text: str) -> None:
        """Appends text that the captured thread printed."""
        if threading.get_ident() == self._thread:
            self.text = (self.text + text)[-MOST:]


@final
class _Tee:
    """A stream that forwards everything, and passes a copy to an `OutputCapture`."""

    def __init__(self, stream: Any, capture: OutputCapture) -> None:
        self._stream, self._capture = stream, capture

    def write(self, text: str) -> Any:
        self._capture.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
