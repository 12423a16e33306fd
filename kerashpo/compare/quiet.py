"""Keeps other libraries' messages to their own users away."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module


def import_quietly(name: str) -> None:
    """Imports a module whose native code writes to the process's standard error.

    TensorFlow tells about missing GPUs and processor features before any Python setting
    reaches it. What was written is shown where the import fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import_module(name)
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextlib.contextmanager
def unwarned() -> Iterator[None]:
    """Within it another library's warnings are not shown: nobody here can mend them.

    KerasTuner loads weights into optimizers that are not built, its Gaussian process does
    not converge, and TensorFlow counts the graphs that a search of many models must trace.
    """
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
