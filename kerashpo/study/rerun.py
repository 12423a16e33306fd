"""How a search was started, so that ``kerashpo resume`` can start it again."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.display.select import in_a_notebook
from kerashpo.i18n.texts import Texts

Kind = Literal["script", "module", "notebook", "console"]


@final
@dataclass(frozen=True, slots=True)
class Command:
    """What ran.

    Attributes:
        kind: ``"notebook"`` and ``"console"`` cannot be started again from outside.
        target: the script's whole path, or the module's name.
        arguments: what followed it.
        folder: the working directory.
    """

    kind: Kind
    target: str = ""
    arguments: tuple[str, ...] = ()
    folder: str = ""

    @classmethod
    def current(cls) -> Command:
        """Returns how this process was started."""
        main = sys.modules.get("__main__")
        spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
        arguments, folder = tuple(sys.argv[1:]), _here()
        if in_a_notebook():
            return cls("notebook", folder=folder)
        if spec is not None:
            return cls("module", spec.name.removesuffix(".__main__"), arguments, folder)
        if file is not None and Path(file).is_file():
            return cls("script", str(Path(file).absolute()), arguments, folder)
        return cls("console", folder=folder)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Command:
        """Returns what `to_json` described.

        Raises:
            InvalidInput: if it is no command.
        """
        try:
            arguments = tuple(str(word) for word in body["arguments"])
            return cls(body["kind"], str(body["target"]), arguments, str(body["folder"]))
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"The study holds no command that can be read: {body!r}.") from error

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON."""
        arguments = list(self.arguments)
        return {"kind": self.kind, "target": self.target, "arguments": arguments,
                "folder": self.folder}  # fmt: skip

    def words(self) -> list[str]:
        """Returns the command line, with this interpreter.

        Raises:
            InvalidInput: if it cannot be started from outside, saying what to do instead.
        """
        if self.kind == "module" and self.target.replace(".", "_").isidentifier():
            return [sys.executable, "-m", self.target, *self.arguments]
        if self.kind == "script" and Path(self.target).is_file() and Path(self.folder).is_dir():
            return [sys.executable, str(Path(self.target).absolute()), *self.arguments]
        raise InvalidInput(self._obstacle())

    def run(self) -> int:
        """Starts it again and waits; returns its exit code. Ctrl-C is the search's to hear."""
        process = subprocess.Popen(self.words(), cwd=self.folder or None)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)

    def _obstacle(self) -> str:
        match self.kind:
            case "notebook":
                return f"It was searched from a notebook in {self.folder!r}. Run its cells again."
            case "script":
                return (
                    f"The script {self.target!r} or its folder {self.folder!r} is not there any "
                    "more. Run the search from where it is now: it goes on."
                )
            case "module":
                return f"{self.target!r} is not the name of a module."
        return "It was searched from a console or a pipe. Call the same search there again."


def _here() -> str:
    """Returns the working directory, nothing where it was deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


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
        reason = Texts("en").reason(history.stopped or "")
        tell(
            f"The search has ended: {reason}. To go on, run it with a larger max_trials or budget."
        )
        return 0
    command = command_of(history, folder)
    words = command.words()
    tell(f"cd {shlex.quote(command.folder)} && {shlex.join(words)}")
    return command.run() if agreed("Run it?") else 1
