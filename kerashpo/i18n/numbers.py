"""Number formats: digits, durations and dates with the language's decimal mark."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from kerashpo.i18n.texts import Texts


def shown(value: float | None, texts: Texts, digits: int = 4) -> str:
    """Formats a number with `digits` significant digits; None and infinities are a dash."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.{digits}g}".replace(".", texts("number.mark"))


def duration(seconds: float, texts: Texts) -> str:
    """Formats a duration in seconds (below two minutes), minutes (below two hours) or hours.

    A duration that is not finite is a dash.
    """
    if not math.isfinite(seconds):
        return "-"
    for unit, least, length in (("h", 7200.0, 3600.0), ("min", 120.0, 60.0), ("s", 0.0, 1.0)):
        if seconds >= least:
            return f"{seconds / length:.1f} {unit}".replace(".", texts("number.mark"))
    return "-"


def moment(wall: float) -> str:
    """Formats a Unix time as date and minute in UTC."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M UTC")


def count(number: float, texts: Texts) -> str:
    """Formats an integer with grouped digits: ``"8,046,430"``, with spaces in Spanish.

    Infinity is formatted as a word.
    """
    if not math.isfinite(number):
        return texts("number.infinite")
    mark = texts("number.group")
    # Spanish leaves numbers of four digits ungrouped.
    grouped = f"{number:,.0f}" if mark == "," or number >= 10_000 else f"{number:.0f}"
    return grouped.replace(",", mark)


def file_size(size: int, texts: Texts) -> str:
    """Formats a number of bytes with decimal units: ``"3.1 MB"``."""
    from rich.filesize import decimal

    text = decimal(size)
    return text if size < 1000 else text.replace(".", texts("number.mark"))


def with_interval(value: float, low: float, high: float, texts: Texts) -> str:
    """Formats a number with its interval: ``"0.956 (0.92 to 0.981)"``."""
    parts = {"value": value, "low": low, "high": high}
    return texts("number.interval", **{name: shown(part, texts) for name, part in parts.items()})
