"""Picks the display for where the output goes."""

from __future__ import annotations

import sys
from typing import Any

from kerashpo.core.listener import Listener
from kerashpo.core.records import Plan
from kerashpo.display.lines import LineDisplay
from kerashpo.display.progress import Progress


def in_a_notebook() -> bool:
    """Whether cells are run here; imports nothing itself.

    That a notebook's packages are imported says nothing: progress bars and plots import them in
    scripts too.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"


def make_display(
    verbose: Any, title: str, plan: Plan, folder: str, workers: int = 1
) -> Listener | None:
    """Returns the display, None for silence.

    Args:
        verbose: 0 or False for silence; 2 for lines even in a terminal.
        title: what searches.
        plan: what it plans to do.
        folder: where the study lives.
        workers: how many trials are trained at once.
    """
    if not verbose:
        return None
    progress = Progress(title, plan, folder, workers)
    if in_a_notebook():
        import IPython.display

        from kerashpo.display.notebook import NotebookDisplay

        return NotebookDisplay(progress, IPython.display.display, IPython.display.HTML)
    if verbose != 2 and sys.stdout.isatty():
        from kerashpo.display.terminal import TerminalDisplay

        return TerminalDisplay(progress)
    return LineDisplay(progress, sys.stdout)
