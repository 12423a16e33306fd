"""Picks the display for where the output goes."""

from __future__ import annotations

import sys
from typing import Any

from kerashpo.core.records import Plan
from kerashpo.display.lines import LineDisplay
from kerashpo.display.listener import Listener
from kerashpo.display.progress import Progress
from kerashpo.display.surroundings import in_a_notebook


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
