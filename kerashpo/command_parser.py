"""`CommandParser`: the argument parser of every command, with errors in one line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import NoReturn, final

from kerashpo.core.errors import InvalidInput, nearest

_UNKNOWN_FLAGS = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_WRONG_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)


@final
class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises InvalidInput instead of exiting the process.

    The error suggests the most similar flag or choice, if there is one.
    """

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
            hints = (nearest(word.lstrip("-"), flags) for word in words)
            return next((hint.replace("'", "'--", 1) for hint in hints if hint), "")
        if found := _WRONG_CHOICE.search(message):
            return nearest(found[1], [word.strip("' ") for word in found[2].split(",")])
        return ""
