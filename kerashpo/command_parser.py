"""What all commands share: an argument parser with errors in one line, and closed pipes."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn, final

from kerashpo.core.errors import InvalidInput, KerashpoError, nearest

if TYPE_CHECKING:
    from kerashpo.i18n.texts import Texts

_UNKNOWN_FLAGS = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_WRONG_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)


CLOSED_PIPE = 141
"""The exit code of a command that SIGPIPE ended: 128 and the signal's number."""


@contextmanager
def pipe_may_close() -> Iterator[None]:
    """Ends the command without a traceback if the reader of its output, e.g. ``head``, has gone.

    Characters that the output's encoding lacks, as on a console of Windows, become ``?``.

    Raises:
        SystemExit: if the reader has gone.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes standard output once more at its end.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(CLOSED_PIPE) from None


def print_error(error: KerashpoError, words: Sequence[str]) -> None:
    """Prints an error, in the language that ``--lang`` or the environment asks for.

    What has no translation stays English.

    Args:
        error: what ended the command.
        words: the command's arguments.
    """
    print(f"error: {asked_texts(words).note(str(error))}", file=sys.stderr)


def asked_texts(words: Sequence[str]) -> Texts:
    """Returns the sentences of the language that a command's arguments or the environment name.

    A language that does not exist is English here: it is an error of its own.
    """
    from kerashpo.i18n.texts import AUTO, LANGUAGES, VARIABLE, Texts

    asked = [after for word, after in zip(words, words[1:]) if word == "--lang"]
    asked += [word.removeprefix("--lang=") for word in words if word.startswith("--lang=")]
    lang = [*asked, os.environ.get(VARIABLE)][0]
    return Texts.of(lang if lang in (*LANGUAGES, AUTO) else "en")


@final
class _HelpFormatter(argparse.HelpFormatter):
    """Formats the help of a command in the user's language."""

    def __init__(self, prog: str, words: Sequence[str]) -> None:
        super().__init__(prog)
        self._words = words

    @cached_property
    def _texts(self) -> Texts:
        # Read when help is shown: each argument that is added makes a formatter.
        return asked_texts(self._words)

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        words = self._texts.help("usage: ") if prefix is None else prefix
        super().add_usage(usage, actions, groups, words)

    def add_text(self, text: str | None) -> None:
        super().add_text(text and self._texts.help(text))

    def start_section(self, heading: str | None) -> None:
        super().start_section(heading and self._texts.help(heading))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help and self._texts.help(action.help)


@final
class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises InvalidInput instead of exiting the process.

    The error suggests the most similar flag or choice, if there is one.

    Args:
        words: the command's arguments, which may name the language of the help.
        **options: arguments of `ArgumentParser`.
    """

    def __init__(self, words: Sequence[str] = (), **options: Any) -> None:
        self._words = words
        super().__init__(**options)

    def commands(self, **options: Any) -> Any:
        """Adds subcommands, whose help is in the same language; returns what adds each."""
        options["parser_class"] = partial(type(self), self._words)
        return self.add_subparsers(**options)

    def _get_formatter(self) -> argparse.HelpFormatter:
        return _HelpFormatter(self.prog, self._words)

    def error(self, message: str) -> NoReturn:
        message = message.rstrip(".")
        raise InvalidInput(f"{message}.{self._hint(message)} See --help.")

    def _flags(self) -> Iterator[str]:
        """Yields the flags of this parser and of its subcommands."""
        for action in self._actions:
            yield from action.option_strings
            if isinstance(action.choices, Mapping):
                for command in action.choices.values():
                    yield from command._flags()

    def _hint(self, message: str) -> str:
        if found := _UNKNOWN_FLAGS.search(message):
            # Without their dashes, which all of them share.
            flags = [flag[2:] for flag in self._flags() if flag.startswith("--")]
            words = [word.partition("=")[0] for word in found[1].split() if word.startswith("-")]
            # A flag of another command is no suggestion for itself.
            unknown = (word.lstrip("-") for word in words)
            hints = (nearest(word, flags) for word in unknown if word not in flags)
            return next((hint.replace("'", "'--", 1) for hint in hints if hint), "")
        if found := _WRONG_CHOICE.search(message):
            return nearest(found[1], [word.strip("' ") for word in found[2].split(",")])
        return ""
