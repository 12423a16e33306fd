"""What this process is: a notebook's kernel or not."""

from __future__ import annotations

import sys


def in_a_notebook() -> bool:
    """Whether cells are run here; imports nothing itself.

    That a notebook's packages are imported says nothing: progress bars and plots import them in
    scripts too.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"
