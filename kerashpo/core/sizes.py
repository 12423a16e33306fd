"""Sizes in bytes, as users write them."""

from __future__ import annotations

import re

from kerashpo.core.errors import InvalidInput

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def read_bytes(name: str, given: int | str) -> int:
    """Returns a size such as ``"500MB"`` in bytes; `name` is the argument's, for the error.

    Raises:
        InvalidInput: if it is neither a whole number of bytes nor a number with a unit.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B?)\s*", str(given).upper())
    if match is None or match[2] not in _UNITS:
        raise InvalidInput(
            f'{name} must be bytes or a size such as "500MB" or "1GB". Received: {given!r}.'
        )
    return int(float(match[1]) * _UNITS[match[2]])
