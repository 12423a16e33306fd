"""Every visible sentence, in every language."""

from __future__ import annotations

import math
import re
import string

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.auto import Offer
from kerashpo.i18n.texts import LANGUAGES, Texts, language_of
from kerashpo.schedulers.brackets import asha_plan, within
from kerashpo.schedulers.final_round import FinalRound
from kerashpo.schedulers.full_training import Full
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.median_stopping import MedianStopping


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
    sentence = Texts("en")("compare.running", number=1, total=3, tuner="[b]", seed=0)
    assert sentence == "[1/3] [b], seed 0"


def test_an_unknown_language():
    with pytest.raises(InvalidInput, match="Unknown language 'fr'.*en, es"):
        Texts("fr")


def test_the_argument_goes_before_the_environment(monkeypatch):
    monkeypatch.delenv("KERASHPO_LANG", raising=False)
    assert language_of() == "en"
    monkeypatch.setenv("KERASHPO_LANG", "es")
    assert (language_of(), language_of("en"), Texts.of(None).language) == ("es", "en", "es")
    monkeypatch.setenv("KERASHPO_LANG", "klingon")
    with pytest.raises(InvalidInput, match="Unknown language 'klingon'"):
        language_of()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "est_EE"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE", "LC_MESSAGES": "es_MX.UTF-8"}, "es"),
        ({"LANG": "es_ES", "LC_ALL": "C"}, "en"),
    ],
)
def test_auto_is_the_language_of_the_locale(variables, expected, monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KERASHPO_LANG", "auto")
    assert language_of() == language_of("auto") == Texts.of("auto").language == expected


def test_auto_reads_the_name_that_windows_gives(monkeypatch):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("locale.getlocale", lambda: ("Spanish_Spain", "1252"))
    assert language_of("auto") == "es"


def test_one_is_singular():
    english, spanish = Texts("en"), Texts("es")
    assert [english.plural("display.after", n) for n in (1, 2)] == [
        " after 1 epoch",
        " after 2 epochs",
    ]
    assert spanish.plural("display.workers", 1) == "1 proceso"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_leaves_the_plural_to_the_reader(language):
    sentences = Texts(language).sentences
    found = [
        f"{section}.{name}"
        for section, texts in sentences.items()
        for name, text in texts.items()
        if re.search(r"\w\(e?s\)(?!\w)", text)
    ]
    assert not found


@pytest.mark.parametrize(
    ("language", "key", "values", "sentence"),
    [
        ("es", "report.after", {"epochs": 1}, "tras 1 época"),
        ("es", "report.after", {"epochs": 20}, "tras 20 épocas"),
        ("es", "study.all_trials", {"count": 1}, "El único ensayo"),
        ("en", "study.all_trials", {"count": 30}, "All 30 trials"),
        ("en", "plan.epochs", {"trials": "1 trial", "epochs": "1"}, "1 trial, at most 1 epoch"),
    ],
)
def test_a_word_follows_its_count(language, key, values, sentence):
    assert Texts(language)(key, **values) == sentence


def test_the_notes_of_other_rooms_are_translated():
    # From where they are made, so that a changed sentence is missed here.
    notes = [
        *within(Hyperband(50).plan(), 5).notes,
        *asha_plan((1, 3, 9), 3, 20, math.inf).notes,
        *MedianStopping(9, limit=5).plan().notes,
        *FinalRound(Full(9, limit=5), 5, {}).plan().notes,
        str(Offer(2, 0.123, 100.0, 50.0, 20.0)),
        str(Offer(2, 0.123, math.inf, math.inf, math.inf)),
    ]
    assert len(notes) == 6
    for sentence in notes:
        assert Texts("en").note(sentence) == sentence
        translated = Texts("es").note(sentence)
        assert translated != sentence and "{" not in translated, sentence
    assert Texts("es").note("something new") == "something new"


def test_numbers_stay_within_a_translated_note():
    sentence = "A trial may be stopped after any epoch from 7 on."
    expected = "Un ensayo puede detenerse después de cualquier época desde la 7."
    assert Texts("es").note(sentence) == expected
