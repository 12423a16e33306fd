"""Figures: numbers first (pure, tested), then drawing with matplotlib.

============  ======================================================================
``menu``      `results.plot`, the figures of one study
``gantt``     who trained what when, one lane a worker
``rungs``     how trials climb, epochs against seconds
``history``   the score of every trial and the best so far
``curves``    learning curves
``anytime``   the best value against what was spent, several searches beside each other
``style``     colours that stay apart in grey and for the colour-blind
============  ======================================================================

Each figure takes the Axes to draw on, or makes some, and returns them. matplotlib is
imported when something is drawn.
"""
