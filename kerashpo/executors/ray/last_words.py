"""A message for the case that Ray ends the search's process, which leaves no time for one."""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import sys
from typing import Final, final

_SAY: Final = "import sys; sys.stdin.read() or print(sys.argv[1], file=sys.stderr)"
_PATIENCE: Final = 10.0
MESSAGE: Final = (
    "The process of the search ended before the search did: it was killed, or its Ray node was "
    "lost. Every epoch that was reported is in the study's log: start a cluster if there is none "
    "any more (ray start --head) and run the same script again, and the search goes on."
)


@final
class LastWords:
    """A child process that prints a message to stderr if this process is ended from outside.

    Ray ends a driver at once when the raylet of its node is lost: no exception is raised and no
    handler is called.
    """

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SAY, MESSAGE],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is this process's
        )
        atexit.register(self.close)

    def close(self) -> None:
        """Ends the child, which prints nothing."""
        atexit.unregister(self.close)
        if self._child.stdin is None or self._child.stdin.closed:
            return
        with contextlib.suppress(OSError):
            self._child.stdin.write(b".")
            self._child.stdin.flush()
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
