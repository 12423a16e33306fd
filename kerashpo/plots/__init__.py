"""Figures: numbers first (pure, tested), then drawing with matplotlib.

`compare` draws several searches in one figure; the figures of one study are the methods of
`results.plot`:

========================  =========================================================
``searches``              `compare`: the best value of several searches over time
``accessor``              `Plots`, the methods of `results.plot`
``optimization_history``  the score of every trial and the best so far
``anytime``               the best value against epochs, trials or seconds
``curves``                learning curves by the rung that trials reached
``rungs``                 promotions: epochs against seconds
``gantt``                 Gantt chart of the workers
``importances``           parameter importances
``parallel``              parallel coordinates
``slices``                the score against one parameter each
``contours``              the expected score over two parameters
``surrogate``             posterior and acquisition of a Gaussian process
``pareto``                two objectives against each other, and the Pareto front
``objective_lines``       parallel coordinates over several objectives
``fronts``                Pareto fronts of several searches, with attainment curves
``lineage``               family tree of a population, with scores
``schedule``              the values along the best trial's line of ancestors
``interactive``           the figures by plotly: `results.plot(backend="plotly")`
``ranks``                 critical-difference diagram of several methods
``ticks``                 ticks for a parameter's values on the unit interval
``style``                 colours that stay apart in grey and for the colour-blind
========================  =========================================================

Labels are English and go through `Labels`, which translates them (section ``figures`` of
``i18n/lang``) and formats numbers. Each figure takes the Axes to draw on, or makes some with a
title, and returns them. matplotlib is imported when something is drawn.

To add one: its numbers in `kerashpo.analysis`, a module here that draws them, a method of `Plots`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerashpo.plots.searches import compare as compare

__all__ = ["compare"]


def __getattr__(name: str) -> Any:
    if name == "compare":
        from kerashpo.core.requirements import packages_required

        with packages_required():
            from kerashpo.plots.searches import compare

        return compare
    from kerashpo.core.errors import nearest

    raise AttributeError(
        f"module 'kerashpo.plots' has no attribute {name!r}.{nearest(name, __all__)}"
    )


def __dir__() -> list[str]:
    return sorted(__all__)
