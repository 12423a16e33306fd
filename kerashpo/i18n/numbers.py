"""Number formats: digits, durations and dates with the language's decimal mark."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from kerashpo.i18n.texts import Texts


def shown(value: float | None, texts: Texts, digits: int = 4) -> str:
    """Returns a number with so many digits and the language's decimal mark, a dash for none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.{digits}g}".replace(".", texts("number.mark"))


def duration(seconds: float, texts: Texts) -> str:
    """Returns a duration: seconds below two minutes, else minutes, or hours from two on.

    A dash for one that is not finite.
    """
    if not math.isfinite(seconds):
        return "-"
    for unit, least, length in (("h", 7200.0, 3600.0), ("min", 120.0, 60.0), ("s", 0.0, 1.0)):
        if seconds >= least:
            return f"{seconds / length:.1f} {unit}".replace(".", texts("number.mark"))
    return "-"


def moment(wall: float) -> str:
    """Returns a Unix time as a date, to the minute, UTC."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M UTC")


def count(number: float, texts: Texts) -> str:
    """Returns a whole number with its digits in groups: ``"8,046,430"``, in Spanish by spaces.

    The infinite one is a word.
    """
    if not math.isfinite(number):
        return texts("number.infinite")
    mark = texts("number.group")
    # Spanish leaves numbers of four digits ungrouped.
    grouped = f"{number:,.0f}" if mark == "," or number >= 10_000 else f"{number:.0f}"
    return grouped.replace(",", mark)


def file_size(size: int, texts: Texts) -> str:
    """Returns bytes as people say them: ``"3.1 MB"``, decimal units."""
    from rich.filesize import decimal

    text = decimal(size)
    return text if size < 1000 else text.replace(".", texts("number.mark"))
