"""Every visible sentence, by language."""

from __future__ import annotations

import tomllib
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
