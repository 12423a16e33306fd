"""The last lines that a trial prints, for the table of failures."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TypeVar, final

from kerashpo.executors.base import Emit

_T = TypeVar("_T")
MOST = 4000
"""Characters that are kept."""


@final
class OutputCapture:
    """Listens to what this thread prints while a trial is trained; all of it is still printed.

    What displays print is left out: they speak while a message is handed on.

    Attributes:
        text: the last `MOST` characters since it began to listen.
    """

    def __init__(self) -> None:
        self.text = ""
        self._thread: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listens from an empty text on."""
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

    def sparing(self, emit: Emit) -> Emit:
        """Returns `emit`, during which it does not listen."""

        def quiet(message: Any) -> Any:
            return self._deaf(emit, message)

        return quiet

    def hear(self, text: str) -> None:
        """Takes in what was printed, if the trial printed it."""
        if threading.get_ident() == self._thread:
            self.text = (self.text + text)[-MOST:]

    def _deaf(self, call: Callable[[Any], _T], argument: Any) -> _T:
        thread, self._thread = self._thread, None
        try:
            return call(argument)
        finally:
            self._thread = thread


@final
class _Tee:
    """A stream that hands everything on, and tells a `OutputCapture` what is written."""

    def __init__(self, stream: Any, tail: OutputCapture) -> None:
        self._stream, self._tail = stream, tail

    def write(self, text: str) -> Any:
        self._tail.hear(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
