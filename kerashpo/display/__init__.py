"""Progress displays and summaries: what a search shows while it runs, and afterwards.

=============  ======================================================================
``terminal``   `TerminalDisplay`: a live block of lines, where the output is a terminal
``notebook``   `NotebookDisplay`: one cell output, updated in place
``lines``      `LineDisplay`: one plain line a finished trial, everywhere else
``select``     `make_display`: which of them fits the output
``progress``   `Progress`: follows the events and makes a `View` of them
``time_left``  `TimeLeft`: estimates the time left, set-up apart from epochs
``snapshot``   `View`: the numbers shown at one moment
``text``       those numbers as text in the reader's language
``summary``    what `results_summary` and `search_space_summary` print
``plan``       `ShownPlan`: a plan that prints itself
``sparkline``  a bar and a small curve as text
``chart``      the notebook's SVG chart
=============  ======================================================================

Displays are `Listener` objects: they receive every event with the history that holds it, and their
exceptions never stop a study. To add one: a final subclass of `Listener`, and a line in
``select.py``. Sentences stand in ``i18n/lang``, section ``display``.
"""

from kerashpo.core.listener import Listener

__all__ = ["Listener"]
