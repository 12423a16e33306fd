"""Packages that only some users have."""

from __future__ import annotations

from importlib.util import find_spec

from kerashpo.core.errors import MissingExtra


def need(package: str, who: str) -> None:
    """Raises MissingExtra, naming the extra of the same name, if a package is absent.

    Args:
        package: what is needed.
        who: what needs it.
    """
    if find_spec(package) is None:
        raise MissingExtra(
            f"{who} needs the package {package}, which is not installed. "
            f'Install it with: pip install "kerashpo[{package}]".'
        )
