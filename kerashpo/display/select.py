"""Selects the display that fits the output: terminal, notebook or lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from kerashpo.core.listener import Listener
from kerashpo.core.records import Plan
from kerashpo.display.lines import LineDisplay, PartialNotice
from kerashpo.display.progress import Progress
from kerashpo.i18n.texts import Texts


def in_a_notebook() -> bool:
    """Returns whether this process is a notebook's kernel; imports nothing itself.

    Whether IPython is imported is no sign: progress bars and plots import it in scripts too.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def in_own_command() -> bool:
    """Returns whether this process is a command of kerashpo, where the user has no `tuner`."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    module = "" if spec is None else spec.name
    return module.partition(".")[0] == "kerashpo" or Path(sys.argv[0]).stem == "kerashpo"


def make_display(
    verbose: Any,
    title: str,
    plan: Plan,
    folder: str | None,
    workers: int = 1,
    lang: str | None = None,
    report: str = "tuner.report()",
) -> Listener:
    """Returns the display.

    Args:
        verbose: 0 or False for silence (only an interruption is noted); 2 for lines even in a
            terminal.
        title: the tuner and its algorithm.
        plan: the plan of the search.
        folder: the study's folder, None for one in memory.
        workers: how many trials are trained in parallel.
        lang: ``"en"`` or ``"es"``; None for the usual choice (``KERASHPO_LANG``).
        report: the call that writes the report; not shown in a command of kerashpo.
    """
    report = "" if in_own_command() else report
    progress = Progress(title, plan, folder, workers, Texts.of(lang), report)
    if not verbose:
        return PartialNotice(progress, sys.stderr)
    if in_a_notebook():
        import IPython.display

        from kerashpo.display.notebook import NotebookDisplay

        return NotebookDisplay(progress, IPython.display.display, IPython.display.HTML)
    if sys.stdout is None:  # a program without a console, e.g. under pythonw
        return PartialNotice(progress, sys.stderr)
    if verbose != 2 and sys.stdout.isatty():
        from kerashpo.display.terminal import TerminalDisplay

        return TerminalDisplay(progress)
    return LineDisplay(progress, sys.stdout)


def search_title(tuner: str, algorithm: str) -> str:
    """Returns tuner and algorithm, the tuner alone where it is named after the algorithm."""
    named_after = algorithm.lower().replace("_", "") in tuner.lower()
    return tuner if named_after else f"{tuner} + {algorithm}"
