"""Imports of TensorFlow without the notices that its native code writes to standard error."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

_NOTICE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|I\d{4} "  # information, whatever it is about
    rb"|To enable the following instructions: "
    rb"|E\d{4} .*(failed call to cuInit|Unable to register cu\w+ (factory|plugin))"
)


def without_known(text: bytes) -> bytes:
    """Returns text without the lines that TensorFlow writes on every machine when it starts."""
    return b"".join(line for line in text.splitlines(True) if not _NOTICE.match(line))


@contextmanager
def without_notices() -> Iterator[None]:
    """Suppresses TensorFlow's start-up notices while it is imported for the first time.

    They name missing GPUs and features of the processor, before any setting of Python's reaches
    them. Other lines follow when the import is over, and all lines where it fails.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as aside:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(aside.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(kept, 2)
            aside.seek(0)
            said = aside.read()
            os.write(kept, said if failed else without_known(said))
            os.close(kept)


def only_errors() -> None:
    """Has TensorFlow, where this process imports it later, write no notices; for commands."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def import_quietly(name: str) -> None:
    """Imports a module that may bring TensorFlow along, without TensorFlow's notices."""
    only_errors()
    with without_notices():
        import_module(name)
