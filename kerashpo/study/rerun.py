"""The command that started a search, recorded so that ``kerashpo resume`` can run it again."""

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
    """The recorded command.

    Attributes:
        kind: ``"notebook"`` and ``"console"`` cannot be started from outside.
        target: the script's absolute path, or the module's name.
        arguments: the command-line arguments.
        folder: the working directory.
    """

    kind: Kind
    target: str = ""
    arguments: tuple[str, ...] = ()
    folder: str = ""

    @classmethod
    def current(cls) -> Command:
        """Returns the command of this process."""
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
        """Returns the command serialised by `to_json`.

        Raises:
            InvalidInput: if it is not a command.
        """
        try:
            arguments = tuple(str(word) for word in body["arguments"])
            return cls(body["kind"], str(body["target"]), arguments, str(body["folder"]))
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"The study has no command that can be read: {body!r}.") from error

    def to_json(self) -> dict[str, Any]:
        """Serialises the command as JSON."""
        arguments = list(self.arguments)
        return {"kind": self.kind, "target": self.target, "arguments": arguments,
                "folder": self.folder}  # fmt: skip

    def words(self) -> list[str]:
        """Returns the command line, with this interpreter.

        Raises:
            InvalidInput: if it cannot be started from outside, with what to do instead.
        """
        if self.kind == "module" and self.target.replace(".", "_").isidentifier():
            return [sys.executable, "-m", self.target, *self.arguments]
        if self.kind == "script" and Path(self.target).is_file() and Path(self.folder).is_dir():
            return [sys.executable, str(Path(self.target).absolute()), *self.arguments]
        raise InvalidInput(self._obstacle())

    def run(self) -> int:
        """Runs the command and waits; returns its exit code. Ctrl-C is handled by the search."""
        process = subprocess.Popen(self.words(), cwd=self.folder or None)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)

    def _obstacle(self) -> str:
        match self.kind:
            case "notebook":
                return f"The search was run in a notebook in {self.folder!r}. Run its cells again."
            case "script":
                return (
                    f"The script {self.target!r} or its folder {self.folder!r} no longer exists. "
                    "Run the search from its new place: it resumes."
                )
            case "module":
                return f"{self.target!r} is not the name of a module."
        return "The search was run from a console or a pipe. Run the same search there again."


def _here() -> str:
    """Returns the working directory, an empty string if it was deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def command_of(history: History, folder: Path) -> Command:
    """Returns the command of a study's last session.

    Raises:
        InvalidInput: if it was not recorded.
    """
    if not history.command:
        raise InvalidInput(
            f"The study in {str(folder)!r} did not record the command that started it (an earlier "
            "version wrote it). Run your script again: the search resumes."
        )
    return Command.from_json(history.command)


def resume_study(
    folder: Path,
    history: History,
    agreed: Callable[[str], bool],
    show: Callable[[str], None],
    texts: Texts,
) -> int:
    """Runs a study's command again; returns its exit code, 1 if the user declines.

    Only the displayed command is run: the study records which script, with which arguments, and
    the script is read from this disk.

    Args:
        folder: the study's folder.
        history: its history.
        agreed: asks the user.
        show: prints a line.
        texts: the reader's language.

    Raises:
        InvalidInput: if it cannot be run from outside.
    """
    if history.finished:
        show(texts("summary.ended", reason=texts.reason(history.stopped or "")))
        return 0
    command = command_of(history, folder)
    words = command.words()
    show(f"cd {shlex.quote(command.folder)} && {shlex.join(words)}")
    return command.run() if agreed(texts("summary.run")) else 1
