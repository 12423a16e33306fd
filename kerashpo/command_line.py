"""`CommandParser`: the argument parser of every command, with errors in one line."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn, final

from kerashpo.core.errors import InvalidInput, nearest

_UNKNOWN_FLAGS = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_WRONG_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)", re.DOTALL)


@final
class CommandParser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises InvalidInput instead of leaving the process.

    The error names the nearest flag or choice where one is near.
    """

    def error(self, message: str) -> NoReturn:
        message = message.rstrip(".")
        raise InvalidInput(f"{message}.{self._hint(message)} See --help.")

    def _hint(self, message: str) -> str:
        if found := _UNKNOWN_FLAGS.search(message):
            flags = [flag for action in self._actions for flag in action.option_strings]
            words = [word.partition("=")[0] for word in found[1].split() if word.startswith("-")]
            return next((hint for word in words if (hint := nearest(word, flags))), "")
        if found := _WRONG_CHOICE.search(message):
            return nearest(found[1], [word.strip("' ") for word in found[2].split(",")])
        return ""
