"""`results.plot`: the figures of one study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, final

from kerashpo.analysis.anytime import Axis, trace
from kerashpo.analysis.design_matrix import DesignMatrix, evidence
from kerashpo.analysis.forest import Forest, grow
from kerashpo.analysis.importance import shares
from kerashpo.analysis.pareto import SECONDS, respect, tradeoff
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.plots.anytime import draw_anytime
from kerashpo.plots.curves import draw_curves
from kerashpo.plots.gantt import draw_gantt
from kerashpo.plots.optimization_history import draw_history
from kerashpo.plots.rungs import draw_rungs
from kerashpo.plots.style import Say, english, literal
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class Plots:
    """Draws a study; every method returns matplotlib Axes.

    Args:
        history: the study.
        space: returns its space as it is now.
        say: puts labels into another language than English.
    """

    def __init__(self, history: History, space: Callable[[], Space], say: Say = english) -> None:
        self._history, self._space, self._say = history, space, say
        self._kept: tuple[tuple[int, int, int], DesignMatrix, Forest | None] | None = None

    def history(self, ax: Axes | None = None) -> Axes:
        """Every trial's score and the best so far."""
        return draw_history(self._history, ax, self._say)

    def curves(self, metric: str | None = None, ax: Axes | None = None) -> Axes:
        """Learning curves of a metric (the objective's by default)."""
        return draw_curves(self._history, metric, ax, self._say)

    def anytime(self, by: Axis = "seconds", ax: Axes | None = None) -> Axes:
        """The best value against ``"epochs"``, ``"trials"`` or ``"seconds"``."""
        name, say = literal(self._history.objective.name), self._say
        label = {"epochs": "epochs trained", "trials": "trials started"}.get(
            by, "seconds of search"
        )
        series = {say("best so far"): [trace(self._history, by)]}
        return draw_anytime(series, say(label), name, ax, say)

    def importances(self, ax: Axes | None = None) -> Axes:
        """Which parameters matter: functional ANOVA over a random forest."""
        from kerashpo.plots.importances import draw_importances

        known, forest = self.grown()
        found = shares(forest, known.names) if forest is not None else []
        skill = 0.0 if forest is None else forest.skill
        return draw_importances(found, skill, ax, self._say)

    def parallel(self, params: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
        """Parallel coordinates: a line for each trial through its values to its score.

        Args:
            params: from left to right; None for all, or the most important ones of many.
            ax: where to draw.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        from kerashpo.plots.parallel import MOST, draw_parallel

        known, forest = self.grown()
        return draw_parallel(known, self._columns(known, forest, params, MOST), ax, self._say)

    def slices(
        self, params: Sequence[str] | None = None, axes: Sequence[Axes] | None = None
    ) -> list[Axes]:
        """Every trial's score against a parameter, a panel for each; returns their Axes.

        Args:
            params: which; None for all, or the nine most important ones of many.
            axes: where to draw, one for each.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        from kerashpo.plots.slices import draw_slices

        known, forest = self.grown()
        columns = self._columns(known, forest, params, 9)
        return draw_slices(known, columns, forest, axes, self._say)

    def contours(self, x: str, y: str, ax: Axes | None = None) -> Axes:
        """What a random forest expects over two parameters, averaged over the others.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        from kerashpo.plots.contours import draw_contours

        known, forest = self.grown()
        return draw_contours(known, forest, known.column(x), known.column(y), ax, self._say)

    def pareto(
        self,
        x: str | Objective | None = None,
        y: str | Objective | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Two respects against each other, and the trials that no other beats in both.

        Args:
            x: a metric, an objective, or ``"seconds"`` of training; None for the study's second
                objective, or the seconds.
            y: the same; None for the study's first objective.
            ax: where to draw.

        Raises:
            InvalidInput: for a metric that was not logged, or whose direction is not known.
        """
        from kerashpo.plots.pareto import draw_pareto

        objectives = self._history.objectives
        across = x or (objectives[1] if len(objectives) > 1 else SECONDS)
        chosen = tuple(
            o if isinstance(o, Objective) else respect(self._history, o)
            for o in (across, y or objectives[0])
        )
        return draw_pareto(tradeoff(self._history, chosen), ax, self._say)

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
            return draw_slice(found, objective, ax, self._say)
        pair = None if believed is None else plane_of(believed, param, other, objective)
        return draw_plane(pair, objective, ax, self._say)

    def rungs(self, ax: Axes | None = None) -> Axes:
        """How trials climb the rungs: epochs against the seconds of the search."""
        return draw_rungs(self._history, ax, self._say)

    def gantt(self, ax: Axes | None = None) -> Axes:
        """Who trained what when, one lane a worker."""
        return draw_gantt(self._history, ax, self._say)

    def grown(self) -> tuple[DesignMatrix, Forest | None]:
        """Returns what the trials say, and a forest over them; kept until the study grows."""
        history = self._history
        now = (len(history.trials), history.epochs, history.failed)
        if self._kept is None or self._kept[0] != now:
            known = evidence(history, self._space())
            self._kept = (now, known, grow(known))
        return self._kept[1:]

    @staticmethod
    def _columns(
        known: DesignMatrix, forest: Forest | None, params: Sequence[str] | None, most: int
    ) -> list[int]:
        if params is not None:
            return [known.column(name) for name in params]
        every = list(range(len(known.names)))
        if forest is None or len(every) <= most:
            return every[:most]
        ranked = [s.names[0] for s in shares(forest, known.names) if len(s.names) == 1]
        return sorted(known.column(name) for name in ranked[:most])
