"""The figures of a comparison: best score against cost, and average ranks."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerashpo.analysis.anytime import Axis, Trace, trace_of
from kerashpo.analysis.ranking import Ranking
from kerashpo.compare.formatting import metric_name, tuner_name
from kerashpo.compare.front_report import named
from kerashpo.compare.hypervolumes import Fronts
from kerashpo.compare.runs import Result
from kerashpo.compare.statistics import by_tuner
from kerashpo.compare.tuners import BASELINES
from kerashpo.i18n.texts import Texts
from kerashpo.problems.task import Task
from kerashpo.reporting.blocks import Picture
from kerashpo.reporting.svg import svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def traces(results: Sequence[Result], problem: str, by: Axis) -> dict[str, list[Trace]]:
    """Returns the best-so-far traces of a problem, by tuner, one for each seed."""
    found: dict[str, list[Trace]] = {}
    for result in results:
        if result.problem == problem and result.tuner not in BASELINES and result.steps:
            end = float(getattr(result, by))
            found.setdefault(result.tuner, []).append(trace_of(result.steps, by, end))
    return found


class Gallery:
    """Draws a comparison's figures, each once, into a folder.

    Args:
        folder: the folder for the files.
        report: the folder of the report, which the files' names are relative to.
        prefix: a prefix of their names, so that reports in two languages may share a folder.
        results: the comparison's rows.
        tasks: its problems by name.
        texts: the sentences of the output language.
        fronts: the Pareto fronts of problems with several objectives.
    """

    def __init__(
        self,
        folder: Path,
        report: Path,
        prefix: str,
        results: Sequence[Result],
        tasks: Mapping[str, Task],
        texts: Texts,
        fronts: Mapping[str, Fronts] | None = None,
    ) -> None:
        self._folder, self._report, self._texts = folder, report, texts
        self._prefix, self._fronts = prefix, fronts or {}
        self._results, self._tasks = results, tasks
        self.files: list[str] = []

    def anytime(self, problem: str, by: Axis) -> Picture:
        """Draws a problem's best validation score against epochs, seconds or trials.

        The figure by seconds is called ``anytime_PROBLEM.png``.
        """
        from kerashpo.plots.anytime import draw_anytime

        texts, task = self._texts, self._tasks[problem]
        xlabel = texts(f"compare.figure_{by}")
        ylabel = texts("compare.figure_y", metric=metric_name(texts, task))
        series = traces(self._results, problem, by)
        name = f"anytime_{problem}.png" if by == "seconds" else f"anytime_{problem}_{by}.png"
        caption = texts("report.anytime_caption", problem=task.titled(texts.language), by=xlabel)
        return self._drawn(
            name, caption, lambda ax: draw_anytime(series, xlabel, ylabel, ax, texts.labels)
        )

    def fronts(self, problem: str) -> list[Picture]:
        """Draws the first objective against each other one: the fronts of all searches."""
        from kerashpo.plots.fronts import draw_fronts

        found, texts = self._fronts[problem], self._texts
        groups = by_tuner(found.results)
        pictures = []
        for place, other in enumerate(found.task.further, start=1):
            pair = (found.task.objective, other)
            series = {
                tuner_name(texts, tuner): [found.tested(result)[:, [0, place]] for result in group]
                for tuner, group in groups.items()
            }
            caption = texts(
                "front.caption",
                problem=found.task.titled(texts.language),
                first=named(pair[0], texts),
                other=named(other, texts),
            )
            name = f"fronts_{problem}_{other.name}.png"
            drawn = partial(draw_fronts, series, pair, say=texts.labels)
            pictures.append(self._drawn(name, caption, drawn))
        return pictures

    def ranks(self, problem: str, ranking: Ranking) -> Picture:
        """Draws average ranks, of a problem or, by the empty name, of all."""
        from kerashpo.plots.ranks import draw_ranks

        name = f"ranks_{problem}.png" if problem else "ranks.png"
        title = self._tasks[problem].titled(self._texts.language) if problem else ""
        caption = self._texts("report.ranks_caption", problem=title).strip()
        height = 1.1 + 0.28 * len(ranking.names)
        label, say = self._texts("report.axis"), self._texts.labels
        return self._drawn(name, caption, lambda ax: draw_ranks(ranking, label, ax, say), height)

    def _drawn(
        self, name: str, caption: str, draw: Callable[[Axes], Any], height: float = 4.0
    ) -> Picture:
        from matplotlib.figure import Figure

        name = f"{self._prefix}{name}"
        figure = Figure(figsize=(6.4, height), layout="constrained", dpi=150)
        draw(figure.add_subplot())
        # The file may stand alone; in the report the caption is the title.
        title = caption.partition(". ")[0].replace("$", r"\$")
        figure.suptitle(title, x=0.01, ha="left", fontsize="medium", wrap=True)
        figure.savefig(self._folder / name)
        self.files.append(name)
        path = os.path.relpath(self._folder / name, self._report)
        size = (6.4, height)
        svg = svg_of(Path(name).stem, size, lambda figure: draw(figure.add_subplot()))
        return Picture(svg, Path(path).as_posix(), caption)
