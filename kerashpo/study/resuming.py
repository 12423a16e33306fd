"""``kerashpo resume``: shows how a study was searched, asks, and runs that again."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.study.command import Command


def command_of(history: History, folder: Path) -> Command:
    """Returns the command of a study's last session.

    Raises:
        InvalidInput: if it is not known.
    """
    if not history.command:
        raise InvalidInput(
            f"The study in {str(folder)!r} does not hold the command that searched it (an earlier "
            "version wrote it). Run your script again: the search goes on."
        )
    return Command.from_json(history.command)


def resume_study(
    folder: Path, history: History, agreed: Callable[[str], bool], tell: Callable[[str], None]
) -> int:
    """Runs a study's command again; returns its exit code, 1 where the user declines.

    Nothing but the command that the user saw is run: the study says which script, with which
    arguments, and the script is the one on this disk.

    Args:
        folder: the study's.
        history: what its log says.
        agreed: asks the user.
        tell: prints a line.

    Raises:
        InvalidInput: if it cannot be run from outside.
    """
    if history.finished:
        tell(
            f"The search is finished ({history.stopped}). To go on, run it with a larger "
            "max_trials or budget."
        )
        return 0
    command = command_of(history, folder)
    words = command.words()
    tell(f"cd {shlex.quote(command.folder)} && {shlex.join(words)}")
    return command.run() if agreed("Run it?") else 1
