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
