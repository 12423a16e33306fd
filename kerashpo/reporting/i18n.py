"""Every visible sentence, by language."""

from __future__ import annotations

import math
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, final

from kerashpo.core.errors import unknown

LANGUAGES = ("en", "es")


@final
class Texts:
    """The sentences of one language.

    Args:
        language: one of `LANGUAGES`.

    Raises:
        InvalidInput: for another language.
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise unknown("language", language, LANGUAGES)
        self.language = language
        text = files("kerashpo.reporting").joinpath(f"lang/{language}.toml").read_text("utf-8")
        self.sentences: dict[str, dict[str, str]] = tomllib.loads(text)

    def __call__(self, key: str, **values: Any) -> str:
        """Returns the sentence ``"section.name"`` with its placeholders filled in."""
        section, _, name = key.partition(".")
        return self.sentences[section][name].format(**values)

    def reason(self, why: str) -> str:
        """Returns why a search ended; a reason that is not known stays as it is."""
        return self.sentences["reason"].get(why, why)

    def say(self, label: str) -> str:
        """Returns a figure's label, which is its own key; one that is not known stays English."""
        return self.sentences["figures"].get(label, label)


def shown(value: float | None, texts: Texts, digits: int = 4) -> str:
    """Returns a number with so many digits and the language's decimal mark, a dash for none."""
    if value is None or not math.isfinite(value):
        return "-"
    return f"{value:.{digits}g}".replace(".", texts("number.mark"))


def duration(seconds: float, texts: Texts) -> str:
    """Returns a time: seconds below two minutes, else minutes, or hours from two on.

    A dash for one that never came.
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
