"""Missing packages: errors that say what to install, instead of a bare ModuleNotFoundError."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from kerashpo.core.errors import MissingExtra

REQUIRED = {
    "cloudpickle": "cloudpickle",
    "cmaes": "cmaes",
    "filelock": "filelock",
    "jinja2": "jinja2",
    "joblib": "joblib",
    "keras": "keras",
    "keras_tuner": "keras-tuner",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pandas": "pandas",
    "psutil": "psutil",
    "rich": "rich",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow",
    "threadpoolctl": "threadpoolctl",
}
"""Dependencies of kerashpo: module name -> name of its distribution."""

BACKENDS = {"jax": 'pip install "kerashpo[jax]"', "torch": "pip install torch"}
"""Other backends of Keras, and the commands that install them."""


def chosen_backend() -> str:
    """Returns the backend that Keras is set to, without importing it; TensorFlow by default."""
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        settings = json.loads((home / "keras.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "tensorflow"
    return str(settings.get("backend") or "tensorflow")


def require_package(package: str, needed_by: str, extra: str = "") -> None:
    """Raises MissingExtra, naming the extra to install, if an optional package is absent.

    Args:
        package: the name of its module.
        needed_by: the class that needs it.
        extra: the extra that brings it; empty for the package's own name.
    """
    if find_spec(package) is None:
        raise MissingExtra(
            f"{needed_by} needs the package {package}, which is not installed. "
            f'Install it with: pip install "kerashpo[{extra or package}]".'
        )


def require_dependency(module: str) -> None:
    """Raises MissingExtra if a dependency of kerashpo that is imported later is absent."""
    with packages_required():
        import_module(module)


def explain_missing(error: ModuleNotFoundError) -> MissingExtra | None:
    """Returns the error for a missing package of ours; None for any other module.

    Args:
        error: as Python raised it.
    """
    name = (error.name or "").partition(".")[0]
    if name in BACKENDS:
        return MissingExtra(
            f"Keras is set to the backend {name!r}, by the environment variable KERAS_BACKEND or "
            f"by ~/.keras/keras.json, and its package is not installed. Install it: "
            f"{BACKENDS[name]}; or set KERAS_BACKEND=tensorflow."
        )
    if name not in REQUIRED:
        return None
    return MissingExtra(_absent(REQUIRED[name]))


def _absent(package: str) -> str:
    return (
        f"The package {package} is not installed, and kerashpo needs it. Install it: "
        f"pip install {package}. `kerashpo doctor` lists all packages and what is missing."
    )


@contextmanager
def packages_required() -> Iterator[None]:
    """Turns a ModuleNotFoundError of one of our packages into MissingExtra with what to do."""
    try:
        yield
    except ModuleNotFoundError as error:
        explained = explain_missing(error)
        if explained is None:
            raise
        raise explained from error
