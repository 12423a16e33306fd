"""Random streams keyed by their purpose, so that the order of calls does not change them."""

from __future__ import annotations

import operator
import secrets
import zlib

import numpy as np

from kerashpo.core.errors import InvalidInput


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """Returns the generator for one purpose, e.g. ``stream(0, "ask", trial)``.

    Equal arguments give equal streams; any different argument gives an
    independent one (`numpy.random.SeedSequence` mixes its entropy words).

    Args:
        seed: the study's seed, any integer; 0 is a seed like any other.
        purpose: a short name of the purpose.
        *keys: further non-negative integers: trial, run, epoch.
    """
    # SeedSequence pads its words with zeros: the count keeps keys () and (0,) apart.
    words = [len(keys), *_words(seed), zlib.crc32(purpose.encode()), *keys]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def integer(seed: int, purpose: str, *keys: int) -> int:
    """Returns one 31-bit integer of `stream`, for libraries that take only a seed."""
    return int(stream(seed, purpose, *keys).integers(2**31 - 1))


def checked_seed(seed: object) -> int | None:
    """Returns a user's seed as an int, None for None.

    Raises:
        InvalidInput: if it is not a whole number.
    """
    if seed is None:
        return None
    try:
        if not isinstance(seed, bool):
            return operator.index(seed)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise InvalidInput(f"seed must be a whole number, or None to draw one. Received: {seed!r}.")


def fresh_seed() -> int:
    """Draws a seed from the operating system, for a study started with ``seed=None``."""
    return secrets.randbelow(2**31)


def _words(seed: int) -> list[int]:
    sign = 1 if seed < 0 else 0
    magnitude = abs(int(seed))
    words = [sign, magnitude & 0xFFFFFFFF]
    while magnitude := magnitude >> 32:
        words.append(magnitude & 0xFFFFFFFF)
    return words
