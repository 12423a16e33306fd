"""The figures of a study's report, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

from kerashpo.analysis.anytime import Axis
from kerashpo.analysis.design_matrix import DesignMatrix
from kerashpo.analysis.forest import Forest, StudyForest
from kerashpo.analysis.importance import shares
from kerashpo.analysis.lineage import changing, line_of
from kerashpo.core.history import History
from kerashpo.core.records import Objective
from kerashpo.i18n.texts import Texts
from kerashpo.plots.accessor import Plots
from kerashpo.plots.importances import bars_of
from kerashpo.plots.style import literal
from kerashpo.reporting.blocks import Block, Picture
from kerashpo.reporting.svg import Draw, svg_of
from kerashpo.space.space import Space

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDE, _HIGH = 8.0, 3.4
_MOST_SLICES = 9


@final
class ReportFigures:
    """Draws the figures of a study for its report.

    Args:
        history: the study.
        space: its space.
        texts: the reader's language.
    """

    def __init__(self, history: History, space: Space, texts: Texts) -> None:
        self._history, self._texts = history, texts
        self._forest = StudyForest(history, lambda: space)
        self._plots = Plots(history, lambda: space, texts.labels, self._forest)

    def sections(self) -> Iterator[tuple[str, list[Block]]]:
        """Yields each section's key and its figures."""
        plots = self._plots
        yield "anytime", [self._picture("anytime", _HIGH, self._anytime)]
        matrix, forest = self._forest.get()
        if matrix.names and len(matrix.scores):
            yield "importance", self._parameters(matrix, forest)
        yield (
            "curves",
            [
                self._picture(
                    "curves", _HIGH + 0.6, lambda figure: plots.curves(ax=figure.subplots())
                )
            ],
        )
        if len(self._history.objectives) > 1:
            front = self._picture(
                "pareto", _HIGH, lambda figure: plots.pareto(ax=figure.subplots())
            )
            grown = self._picture(
                "hypervolume", _HIGH, lambda figure: plots.hypervolume(ax=figure.subplots())
            )
            lines = self._picture(
                "objectives", _HIGH, lambda figure: plots.objectives(ax=figure.subplots())
            )
            yield "pareto", [front, grown, lines]
        if any(trial.parent is not None for trial in self._history.trials.values()):
            yield "population", self._population()
        yield "timeline", [self._picture("timeline", _HIGH, self._timeline)]

    def _parameters(self, matrix: DesignMatrix, forest: Forest | None) -> list[Block]:
        plots, count = self._plots, min(len(matrix.names), _MOST_SLICES)
        rows = -(-count // 3)

        def slices(figure: Figure) -> None:
            table = figure.subplots(rows, min(count, 3), sharey=True, squeeze=False)
            made = list(table.flat)
            for spare in made[count:]:
                figure.delaxes(spare)
            plots.slices(axes=made[:count])

        blocks: list[Block] = []
        if forest is not None and self._history.several:
            blocks += [self._importances(one) for one in self._history.objectives]
        elif forest is not None:
            bars = len(bars_of(shares(forest, matrix.names)))
            only: Draw = lambda figure: plots.importances(figure.subplots())
            blocks.append(self._picture("importances", 0.9 + 0.24 * bars, only))
        draw: Draw = lambda figure: plots.parallel(ax=figure.subplots())
        blocks.append(self._picture("parallel", _HIGH + 0.6, draw))
        blocks.append(self._picture("slices", 0.8 + 2.0 * rows, slices))
        return blocks

    def _importances(self, objective: Objective) -> Block:
        """Returns the importances of one of several objectives, under its name."""

        def draw(figure: Figure) -> None:
            ax = self._plots.importances(figure.subplots(), objective)
            ax.set_title(literal(objective.name), loc="left", fontsize="small")

        return self._picture("importances", 0.9 + 0.24 * 6, draw)

    def _population(self) -> list[Block]:
        plots = self._plots
        count = max(1, len(changing(line_of(self._history)) if self._history.best else ()))

        def schedule(figure: Figure) -> None:
            table = figure.subplots(count, 1, sharex=True, squeeze=False)
            plots.schedule(list(table.flat))

        lineage: Draw = lambda figure: plots.lineage(figure.subplots())
        return [
            self._picture("lineage", _HIGH + 0.6, lineage),
            self._picture("schedule", 0.8 + 1.4 * count, schedule),
        ]

    def _anytime(self, figure: Figure) -> None:
        axes: tuple[Axis, ...] = ("trials", "epochs", "seconds")
        for by, ax in zip(axes, figure.subplots(1, 3, sharey=True)):
            self._plots.anytime(by, ax)
            if by != "trials":
                ax.set_ylabel("")
            if (legend := ax.get_legend()) is not None:
                # There is one line, which the caption explains.
                legend.remove()

    def _timeline(self, figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        self._plots.gantt(left)
        self._plots.rungs(right)

    def _picture(self, name: str, height: float, draw: Draw) -> Picture:
        svg = svg_of(name, (_WIDE, height), draw)
        return Picture(svg, f"{name}.svg", self._texts(f"caption.{name}"))
