"""KerasTuner's lock of an oracle, given back when a call fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras_tuner.src.engine import oracle as upstream


@contextmanager
def given_back(oracle: Any) -> Iterator[None]:
    """Releases an oracle's lock if what runs inside raises.

    `keras_tuner.synchronized` keeps it then, and every other worker waits for ever.
    """
    mine = threading.current_thread().name
    nested = upstream.THREADS[oracle] == mine
    try:
        yield
    except BaseException:
        if not nested and upstream.THREADS[oracle] == mine:
            upstream.THREADS[oracle] = None
            upstream.LOCKS[oracle].release()
        raise
