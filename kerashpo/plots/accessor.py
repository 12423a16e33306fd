"""`results.plot`: the figures of one study as methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, final, overload

from kerashpo.analysis.anytime import Axis, trace
from kerashpo.analysis.design_matrix import DesignMatrix, design_matrix
from kerashpo.analysis.forest import Forest, StudyForest, grow
from kerashpo.analysis.importance import shares
from kerashpo.analysis.pareto import SECONDS, hypervolume_trace, objective_named, tradeoff
from kerashpo.core.errors import unknown
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.i18n.texts import ENGLISH, Labels, Texts
from kerashpo.plots.anytime import draw_anytime
from kerashpo.plots.curves import draw_curves
from kerashpo.plots.gantt import draw_gantt
from kerashpo.plots.optimization_history import draw_history
from kerashpo.plots.rungs import draw_rungs
from kerashpo.plots.searches import BACKENDS, COSTS
from kerashpo.plots.style import literal
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@final
class Plots:
    """Draws a study; every method returns matplotlib Axes.

    Each method takes the Axes to draw on, or makes a figure with a title. Called with a language,
    ``results.plot("es")``, it returns the same figures in that language; with a backend,
    ``results.plot(backend="plotly")``, interactive ones.

    Args:
        history: the study.
        space: returns its space as it is now.
        say: labels and numbers in the reader's language.
        forest: the study's forest, where it is in use already.
    """

    def __init__(
        self,
        history: History,
        space: Callable[[], Space],
        say: Labels = ENGLISH,
        forest: StudyForest | None = None,
    ) -> None:
        self._history, self._space, self._say = history, space, say
        self._forest = forest or StudyForest(history, space)

    @overload
    def __call__(
        self, lang: str | None = None, backend: Literal["matplotlib"] = "matplotlib"
    ) -> Plots: ...

    @overload
    def __call__(self, lang: str | None = None, *, backend: str) -> Any: ...

    def __call__(self, lang: str | None = None, backend: str = "matplotlib") -> Any:
        """Returns the same figures in another language, or interactive ones by plotly.

        Args:
            lang: ``"en"`` or ``"es"``; None for the present one.
            backend: ``"matplotlib"``, or ``"plotly"`` (extra ``[plotly]``), whose methods return
                a `plotly.graph_objects.Figure` of the same numbers.

        Raises:
            InvalidInput: for another language or backend.
            MissingExtra: if plotly is not installed.
        """
        say = self._say if lang is None else Texts(lang).labels
        plots = Plots(self._history, self._space, say, self._forest)
        if backend not in BACKENDS:
            raise unknown("backend", backend, BACKENDS)
        if backend == "matplotlib":
            return plots
        from kerashpo.plots.interactive import InteractivePlots

        return InteractivePlots(plots, say)

    def history(self, ax: Axes | None = None) -> Axes:
        """Every trial's score and the best so far."""
        return draw_history(self._history, ax, self._say)

    def curves(self, metric: str | None = None, ax: Axes | None = None) -> Axes:
        """Learning curves of a metric (the objective's by default)."""
        return draw_curves(self._history, metric, ax, self._say)

    def anytime(self, by: Axis = "seconds", ax: Axes | None = None) -> Axes:
        """The best value against ``"epochs"``, ``"trials"`` or ``"seconds"``."""
        name, say = literal(self._history.objective.name), self._say
        if by not in COSTS:
            raise unknown("cost", by, COSTS)
        series = {say("best so far"): [trace(self._history, by)]}
        return draw_anytime(series, say(COSTS[by]), name, ax, say)

    def importances(self, ax: Axes | None = None, objective: str | Objective | None = None) -> Axes:
        """Parameter importances: functional ANOVA over a random forest.

        Args:
            ax: where to draw.
            objective: which of several objectives, or another metric; None for the score.

        Raises:
            InvalidInput: for a metric that was not logged, or whose direction cannot be inferred.
        """
        from kerashpo.plots.importances import draw_importances

        if objective is None:
            matrix, forest = self._forest.get()
        else:
            if isinstance(objective, str):
                objective = objective_named(self._history, objective)
            matrix = design_matrix(self._history, self._space(), objective)
            forest = grow(matrix)
        explained = shares(forest, matrix.names) if forest is not None else []
        skill = 0.0 if forest is None else forest.skill
        return draw_importances(explained, skill, ax, self._say)

    def parallel(self, params: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
        """Parallel coordinates: a line for each trial through its values to its score.

        Args:
            params: from left to right; None for all, or the most important ones of many.
            ax: the Axes to draw on.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        from kerashpo.plots.parallel import MOST, draw_parallel

        matrix, forest = self._forest.get()
        return draw_parallel(matrix, self._columns(matrix, forest, params, MOST), ax, self._say)

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

        matrix, forest = self._forest.get()
        columns = self._columns(matrix, forest, params, 9)
        return draw_slices(matrix, columns, forest, axes, self._say)

    def contours(self, x: str, y: str, ax: Axes | None = None) -> Axes:
        """The score that a random forest predicts over two parameters, averaged over the others.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        from kerashpo.plots.contours import draw_contours

        matrix, forest = self._forest.get()
        return draw_contours(matrix, forest, matrix.column(x), matrix.column(y), ax, self._say)

    def pareto(
        self,
        x: str | Objective | None = None,
        y: str | Objective | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Two objectives against each other, and the Pareto front.

        Args:
            x: a metric, an objective, or ``"seconds"`` of training; None for the study's second
                objective, or the seconds.
            y: the same; None for the study's first objective.
            ax: the Axes to draw on.

        Raises:
            InvalidInput: for a metric that was not logged, or whose direction cannot be inferred.
        """
        from kerashpo.plots.pareto import draw_pareto

        objectives = self._history.objectives
        across = x or (objectives[1] if len(objectives) > 1 else SECONDS)
        chosen = tuple(
            o if isinstance(o, Objective) else objective_named(self._history, o)
            for o in (across, y or objectives[0])
        )
        return draw_pareto(tradeoff(self._history, chosen), ax, self._say)

    def objectives(self, ax: Axes | None = None) -> Axes:
        """Parallel coordinates over the objectives: a line for each trial through its values.

        With one objective the other one is the seconds of training.

        Args:
            ax: where to draw.
        """
        from kerashpo.plots.objective_lines import draw_objectives

        return draw_objectives(tradeoff(self._history), ax, self._say)

    def hypervolume(
        self, reference: Mapping[str, float] | None = None, ax: Axes | None = None
    ) -> Axes:
        """The hypervolume of the study's objectives after each trial.

        Args:
            reference: see `Results.hypervolume`.
            ax: the Axes to draw on.

        Raises:
            InvalidInput: for one objective, or a reference that names others.
        """
        from kerashpo.plots.pareto import draw_hypervolume

        return draw_hypervolume(hypervolume_trace(self._history, reference), ax, self._say)

    def surrogate(self, param: str, other: str | None = None, ax: Axes | None = None) -> Axes:
        """The posterior of a Gaussian process along a parameter, or over a pair.

        The other parameters are those of the best known configuration; whichever algorithm
        searched, the model is `BayesianOptimization`'s.

        Raises:
            InvalidInput: if the space has no such parameter to tune.
        """
        # Imported here: the model brings scipy's optimisers with it.
        from kerashpo.algorithms.bayesian import BayesianOptimization
        from kerashpo.plots.surrogate import draw_plane, draw_slice, plane_of, slice_of

        objective = self._history.objective
        model = BayesianOptimization(self._space(), self._history.seed).surrogate(self._history)
        if other is None:
            cut = None if model is None else slice_of(model, param, objective)
            return draw_slice(cut, objective, ax, self._say)
        pair = None if model is None else plane_of(model, param, other, objective)
        return draw_plane(pair, objective, ax, self._say)

    def rungs(self, ax: Axes | None = None) -> Axes:
        """Promotions over time: epochs against the seconds of the search."""
        return draw_rungs(self._history, ax, self._say)

    def lineage(self, ax: Axes | None = None) -> Axes:
        """The lineage of population-based training: copied trials and their scores as a tree."""
        from kerashpo.plots.lineage import draw_lineage

        return draw_lineage(self._history, ax, self._say)

    def schedule(self, axes: Sequence[Axes] | None = None) -> list[Axes]:
        """The values along the best trial's line of ancestors, a panel for each that changed.

        Args:
            axes: where to draw, one for each.
        """
        from kerashpo.plots.schedule import draw_schedule

        return draw_schedule(self._history, self._space(), axes, self._say)

    def gantt(self, ax: Axes | None = None) -> Axes:
        """Gantt chart of the workers, one lane each."""
        return draw_gantt(self._history, ax, self._say)

    @staticmethod
    def _columns(
        matrix: DesignMatrix, forest: Forest | None, params: Sequence[str] | None, most: int
    ) -> list[int]:
        if params is not None:
            return [matrix.column(name) for name in params]
        every = list(range(len(matrix.names)))
        if forest is None or len(every) <= most:
            return every[:most]
        ranked = [s.names[0] for s in shares(forest, matrix.names) if len(s.names) == 1]
        return sorted(matrix.column(name) for name in ranked[:most])
