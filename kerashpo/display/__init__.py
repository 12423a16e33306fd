"""Listeners that show progress.

============  ======================================================================
``terminal``  a live block of bars, where the output is a terminal
``notebook``  one cell output, updated in place
``lines``     one plain line a finished trial, everywhere else
``progress``  follows the events, and says where the search stands as a `View`
``view``      what is shown at one moment: plain numbers
``words``     those numbers in words
``spark``     a bar and a small curve as text; ``picture`` the notebook's SVG
``disk``      how much room a study takes
``plan``      a plan to read
============  ======================================================================

A `Listener` hears every event with the history that holds it. Its exceptions never
stop a study. To add one: a final subclass, and a line in ``choose.py``.
"""

from kerashpo.core.listener import Listener

__all__ = ["Listener"]
