"""`Texts`: the sentences of one language, and the choice of the language."""

from __future__ import annotations

import locale
import os
import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, final

from kerashpo.core.errors import unknown

LANGUAGES = ("en", "es")
VARIABLE = "KERASHPO_LANG"
"""The environment variable with the language to use if no argument sets it."""
AUTO = "auto"
"""Names the language of the system's locale."""


def language_of(lang: str | None = None) -> str:
    """Returns the language to use: the argument, else ``KERASHPO_LANG``, else English.

    Args:
        lang: one of `LANGUAGES`; ``"auto"`` for that of the system's locale, English where it is
            none of them; or None.

    Raises:
        InvalidInput: for another language.
    """
    chosen = lang if lang is not None else os.environ.get(VARIABLE) or "en"
    if chosen == AUTO:
        return _of_locale()
    if chosen not in LANGUAGES:
        raise unknown("language", chosen, (*LANGUAGES, AUTO))
    return chosen


def _of_locale() -> str:
    """Returns the language of the messages' locale, which on Windows has an English name."""
    variables = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    name = next(filter(None, (*variables, locale.getlocale()[0])), "")
    language = re.split(r"[_.@-]", name.lower())[0]
    return "es" if language in ("es", "spanish") else "en"


@final
@dataclass(frozen=True, slots=True)
class Labels:
    """Labels and numbers of figures in one language.

    Attributes:
        language: one of `LANGUAGES`.
        words: translations by the English label.
        mark: the decimal mark.
    """

    language: str = "en"
    words: Mapping[str, str] = field(default_factory=dict)
    mark: str = "."

    def __call__(self, label: str) -> str:
        """Translates a label, whose key is its English text; an unknown one stays English."""
        return self.words.get(label, label)

    def number(self, text: str) -> str:
        """Returns a formatted number with the language's decimal mark."""
        return text.replace(".", self.mark)


ENGLISH = Labels()


@final
class _Inflecting(string.Formatter):
    """A formatter whose ``{count:one|several}`` is the first form for 1, else the second."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, mark, several = format_spec.partition("|")
        if mark:
            return one if str(value) == "1" else several
        return str(format(value, format_spec))


_INFLECTING = _Inflecting()


@final
class Texts:
    """The sentences of one language.

    Args:
        language: one of `LANGUAGES`.

    Raises:
        InvalidInput: for another language.
    """

    def __init__(self, language: str) -> None:
        self.language = language_of(language)
        self.sentences = _sentences(self.language)

    @classmethod
    def of(cls, lang: str | None) -> Texts:
        """Returns the sentences of the language that `language_of` chooses."""
        return cls(language_of(lang))

    def __call__(self, key: str, **values: Any) -> str:
        """Returns the sentence ``"section.name"`` with its placeholders filled in.

        ``{seeds:seed|seeds}`` is the singular or the plural for the value of ``seeds``.
        """
        section, _, name = key.partition(".")
        return _INFLECTING.vformat(self.sentences[section][name], (), values)

    def plural(self, key: str, count: int, **values: Any) -> str:
        """Returns the sentence for the count: the key with suffix ``_one`` for 1, else the key."""
        return self(f"{key}_one" if count == 1 else key, count=count, **values)

    def note(self, text: str) -> str:
        """Translates a message that another package wrote in English.

        Messages are matched with the English templates of section ``note``; a message that
        matches none stays English.
        """
        return self._matched("note", text)

    def help(self, text: str) -> str:
        """Translates a text of a command's help; one that is not known stays English."""
        return self._matched("help", text)

    def _matched(self, section: str, text: str) -> str:
        """Translates a text by the first of the section's English templates that it fits."""
        for template, translation in self.sentences[section].items():
            if found := _pattern(template).fullmatch(text):
                parts = found.groupdict().items()
                return translation.format(**{name: self.note(part) for name, part in parts})
        return text

    def name(self, setting: str) -> str:
        """Translates the name of a setting; unknown names are returned unchanged."""
        return self.sentences["provenance"].get(setting, setting)

    def reason(self, why: str) -> str:
        """Translates the reason why a search ended; unknown reasons are returned unchanged."""
        return self.sentences["reason"].get(why, why)

    def say(self, label: str) -> str:
        """Translates a figure's label, whose key is its English text; else it stays English."""
        return self.sentences["figures"].get(label, label)

    @property
    def labels(self) -> Labels:
        """The labels of figures."""
        return Labels(self.language, self.sentences["figures"], self("number.mark"))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Returns a pattern that matches filled-in templates; its groups are the placeholders."""
    parts = [
        re.escape(text) + (f"(?P<{name}>.*?)" if name else "")
        for text, name, _, _ in string.Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)


@cache
def _sentences(language: str) -> dict[str, dict[str, str]]:
    text = files("kerashpo.i18n").joinpath(f"lang/{language}.toml").read_text("utf-8")
    return tomllib.loads(text)
