"""The key that a search and its workers share: a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from kerashpo.core.errors import InvalidInput

_SHORTEST: Final = 16


def read_key(path: str | Path) -> bytes:
    """Returns the key in a file.

    Raises:
        InvalidInput: if the file cannot be read, is too short, or others can read it.
    """
    make = f"Make one: (umask 077; openssl rand -hex 32 > {path})"
    try:
        key = Path(path).read_bytes().strip()
        others = Path(path).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    except OSError as error:
        raise InvalidInput(f"The key file {str(path)!r} cannot be read: {error}. {make}") from error
    if len(key) < _SHORTEST:
        raise InvalidInput(
            f"The key in {str(path)!r} must have at least {_SHORTEST} characters. "
            f"Received: {len(key)}. {make}"
        )
    if os.name == "posix" and others:
        raise InvalidInput(
            f"Other users can read the key file {str(path)!r}, and who has the key can run code "
            f"in the search. Change that: chmod 600 {path}"
        )
    return key


def write_key(path: Path) -> None:
    """Writes a new random key to a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
