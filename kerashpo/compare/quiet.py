"""Loads TensorFlow without its greeting."""

from __future__ import annotations

import os
import sys
import tempfile
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
