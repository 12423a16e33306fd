"""Listeners that show progress.

============  ======================================================================
``terminal``  a live block of bars, where the output is a terminal
``notebook``  one cell output, updated in place
``lines``     one plain line a finished trial, everywhere else
============  ======================================================================

A `Listener` hears every event with the history that holds it. Its exceptions never
stop a study. To add one: a final subclass, and a line in ``choose.py``.
"""

from kerashpo.display.listener import Listener

__all__ = ["Listener"]
