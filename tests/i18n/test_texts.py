"""Every visible sentence, in every language."""

from __future__ import annotations

import string

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.i18n.texts import LANGUAGES, Texts


def placeholders(language: str) -> dict[str, set[str]]:
    return {
        f"{section}.{name}": {field for _, field, _, _ in string.Formatter().parse(text) if field}
        for section, sentences in Texts(language).sentences.items()
        for name, text in sentences.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_keys_and_placeholders(language):
    assert placeholders(language) == placeholders("en")


def test_translations_differ():
    english, spanish = Texts("en").sentences["compare"], Texts("es").sentences["compare"]
    same = [name for name in english if english[name] == spanish[name]]
    assert len(same) <= len(english) // 3, same


def test_placeholders_are_filled():
    told = Texts("en")("compare.running", number=1, total=3, tuner="[b]", seed=0)
    assert told == "[1/3] [b], seed 0"


def test_an_unknown_language():
    with pytest.raises(InvalidInput, match="Unknown language 'fr'.*en, es"):
        Texts("fr")
