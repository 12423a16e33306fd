"""`results.plot`: the figures of one study."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, final

from kerashpo.analysis.anytime import Axis, trace
from kerashpo.core.history import History
from kerashpo.plots.anytime import draw_anytime
from kerashpo.plots.curves import draw_curves
from kerashpo.plots.gantt import draw_gantt
from kerashpo.plots.history import draw_history
from kerashpo.plots.rungs import draw_rungs
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class Plots:
    """Draws a study; every method returns matplotlib Axes.

    Args:
        history: the study.
        space: returns its space as it is now.
    """

    def __init__(self, history: History, space: Callable[[], Space]) -> None:
        self._history, self._space = history, space

    def history(self, ax: Axes | None = None) -> Axes:
        """Every trial's score and the best so far."""
        return draw_history(self._history, ax)

    def curves(self, metric: str | None = None, ax: Axes | None = None) -> Axes:
        """Learning curves of a metric (the objective's by default)."""
        return draw_curves(self._history, metric, ax)

    def anytime(self, by: Axis = "seconds", ax: Axes | None = None) -> Axes:
        """The best value against ``"epochs"``, ``"trials"`` or ``"seconds"``."""
        name = self._history.objective.name
        return draw_anytime({"best so far": [trace(self._history, by)]}, by, name, ax)

    def surrogate(self, param: str, other: str | None = None, ax: Axes | None = None) -> Axes:
        """What a Gaussian process makes of the trials along a parameter, or over a pair.

        The other parameters are those of the best known configuration; whichever algorithm
        searched, the model is `BayesianOptimization`'s.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        # Here, for the model brings scipy's optimisers with it.
        from kerashpo.algorithms.bayesian import BayesianOptimization
        from kerashpo.plots.surrogate import draw_plane, draw_slice, plane_of, slice_of

        objective = self._history.objective
        believed = BayesianOptimization(self._space(), self._history.seed).surrogate(self._history)
        if other is None:
            found = None if believed is None else slice_of(believed, param, objective)
            return draw_slice(found, objective, ax)
        pair = None if believed is None else plane_of(believed, param, other, objective)
        return draw_plane(pair, objective, ax)

    def rungs(self, ax: Axes | None = None) -> Axes:
        """How trials climb the rungs: epochs against the seconds of the search."""
        return draw_rungs(self._history, ax)

    def gantt(self, ax: Axes | None = None) -> Axes:
        """Who trained what when, one lane a worker."""
        return draw_gantt(self._history, ax)
