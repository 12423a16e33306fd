"""Figures: numbers first (pure, tested), then drawing with matplotlib.

=============== ====================================================================
``menu``        `results.plot`, the figures of one study
``gantt``       who trained what when, one lane a worker
``rungs``       how trials climb, epochs against seconds
``history``     the score of every trial and the best so far
``curves``      learning curves by the rung that trials reached
``importances`` which parameters matter
``parallel``    a line for each trial through its values to its score
``slices``      the score against one parameter each
``contours``    the expected score over two parameters
``pareto``      two respects against each other, and the front
``surrogate``   what a Gaussian process believes
``anytime``     the best value against what was spent, several searches beside each other
``positions``   where a parameter's values are written on [0, 1]
``style``       colours that stay apart in grey and for the colour-blind
=============== ====================================================================

Labels are English and go through `say`, which puts them into another language
(``i18n/lang``, section ``figures``). Each figure takes the Axes to draw on, or makes some, and
returns them. matplotlib is imported when something is drawn.
"""
