"""What a measurement was taken on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version


def describe() -> str:
    """Returns one line: cores, load, versions."""
    packages = ("tensorflow", "keras", "keras-tuner", "numpy")
    known = ", ".join(f"{name} {version(name)}" for name in packages)
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}, {known}, "
        f"backend {os.environ.get('KERAS_BACKEND', 'tensorflow')}"
    )
