"""The help of every command, in both languages."""

from __future__ import annotations

import argparse
import re

import pytest

from kerashpo import cli
from kerashpo.compare import comparison_options
from kerashpo.compare.__main__ import main as compare
from kerashpo.i18n.texts import Texts
from kerashpo.teaching import __main__ as teaching


def help_texts(parser):
    """Yields all texts of a parser's help and of its subcommands'."""
    yield parser.description
    yield from (group.title for group in parser._action_groups)
    for action in parser._actions:
        yield action.help
        if isinstance(action, argparse._SubParsersAction):
            yield from (listed.help for listed in action._choices_actions)
            for command in action.choices.values():
                yield from help_texts(command)


PARSERS = (cli._parser, comparison_options._parser, teaching._parser)


def test_every_text_of_a_help_is_there_in_spanish():
    texts = Texts("es")
    asked = {text for make in PARSERS for text in help_texts(make()) if text}
    assert len(asked) > 50
    assert not [text for text in asked if texts.help(text) == text]


@pytest.mark.parametrize(
    ("main", "words", "sentence"),
    [
        (cli.main, ["--help"], "muestra la versión y termina"),
        (cli.main, [], "todos los ensayos, como CSV"),
        (cli.main, ["list", "--help"], "uso: kerashpo list .* los estudios de una carpeta"),
        (compare, ["--help"], "Busca con varios sintonizadores .* uno o varios de: breast_cancer"),
        (teaching.main, ["--help"], "Revisa entregas de los cuadernos"),
    ],
)
def test_help_is_in_the_language_of_the_environment(main, words, sentence, capsys, monkeypatch):
    monkeypatch.setenv("KERASHPO_LANG", "es")
    shown(main, words)
    assert re.search(sentence, " ".join(capsys.readouterr().out.split()))


def test_the_flag_chooses_the_language_of_the_help(capsys, monkeypatch):
    monkeypatch.setenv("KERASHPO_LANG", "es")
    shown(cli.main, ["list", "--lang", "en", "--help"])
    english = capsys.readouterr().out
    assert english.startswith("usage: ") and "the studies below a folder" in english
    monkeypatch.delenv("KERASHPO_LANG")
    shown(cli.main, ["list", "--lang=es", "--help"])
    assert capsys.readouterr().out.startswith("uso: ")


def shown(main, words):
    """Runs a command that shows help."""
    try:
        assert main(words) == 0
    except SystemExit as end:
        assert end.code == 0
