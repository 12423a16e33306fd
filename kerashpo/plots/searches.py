"""Comparison of searches in one figure: `kerashpo.plots.compare`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerashpo.analysis.anytime import Axis, Trace, trace
from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.history import History
from kerashpo.core.requirements import packages_required
from kerashpo.i18n.texts import Texts
from kerashpo.plots.anytime import draw_anytime
from kerashpo.plots.style import literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BACKENDS = ("matplotlib", "plotly")
COSTS: dict[Axis, str] = {
    "seconds": "seconds of search",
    "epochs": "epochs trained",
    "trials": "trials started",
}
"""Labels of the costs that an anytime figure can be drawn against."""


@packages_required()
def compare(
    searches: Mapping[str, Any] | Iterable[Any],
    by: Axis = "seconds",
    ax: Axes | None = None,
    lang: str | None = None,
    backend: str = "matplotlib",
) -> Any:
    """Draws the best value so far of several searches in one figure.

        kt.plots.compare({"Hyperband": tuner_a, "Bayesian": tuner_b}, by="epochs")

    Args:
        searches: tuners, results or studies: a list, named by their tuners, or a mapping from
            the name that the legend shows. In a mapping a list of searches (e.g. several seeds)
            is drawn as their mean.
        by: the cost: ``"seconds"`` of search, ``"epochs"`` trained or ``"trials"`` started.
        ax: the Axes to draw on; None for a new figure.
        lang: ``"en"`` or ``"es"``; None for the usual choice (``KERASHPO_LANG``).
        backend: ``"matplotlib"``, or ``"plotly"`` (extra ``[plotly]``) for an interactive figure.

    Returns:
        matplotlib Axes, or a `plotly.graph_objects.Figure`.

    Raises:
        InvalidInput: for something that is no search, for searches with different objectives,
            for another cost or backend, or for Axes together with plotly.
        MissingExtra: if plotly is not installed.
    """
    if by not in COSTS:
        raise unknown("cost", by, COSTS)
    if backend not in BACKENDS:
        raise unknown("backend", backend, BACKENDS)
    if backend == "plotly":
        if ax is not None:
            raise InvalidInput("ax belongs to matplotlib: leave it out with backend='plotly'.")
        from kerashpo.plots.interactive import interactive

        return interactive(
            partial(compare, searches, by, lang=lang),
            Texts.of(lang).labels,
            'kerashpo.plots.compare(backend="plotly")',
        )
    histories = _named(searches)
    every = [history for group in histories.values() for history in group]
    metrics = {(history.objective.name, history.objective.direction) for history in every}
    if len(metrics) > 1:
        listed = ", ".join(sorted(f"{name} ({direction})" for name, direction in metrics))
        raise InvalidInput(
            f"Searches can be compared when they have the same objective. Received: {listed}."
        )
    say = Texts.of(lang).labels
    series: dict[str, list[Trace]] = {
        name: [trace(history, by) for history in group] for name, group in histories.items()
    }
    metric = literal(every[0].objective.name)
    return draw_anytime(series, say(COSTS[by]), metric, ax, say)


def _named(searches: Mapping[str, Any] | Iterable[Any]) -> dict[str, list[History]]:
    if isinstance(searches, Mapping):
        groups = {
            str(name): [_history(one) for one in given]
            if isinstance(given, (list, tuple))
            else [_history(given)]
            for name, given in searches.items()
        }
    else:
        given = list(searches) if _is_several(searches) else [searches]
        names = _distinct([_name(one) for one in given])
        groups = {name: [_history(one)] for name, one in zip(names, given)}
    if not any(groups.values()):
        raise InvalidInput("There is no search to compare: pass a list of tuners or results.")
    return {name: group for name, group in groups.items() if group}


def _is_several(searches: Any) -> bool:
    return isinstance(searches, Iterable) and not isinstance(searches, (str, Path))


def _history(search: Any) -> History:
    """Returns the history of a tuner, of results or of a study."""
    found = getattr(search, "history", None)
    if found is None and not isinstance(search, (str, Path)):
        found = getattr(getattr(search, "results", None), "history", None)
    if not isinstance(found, History):
        raise InvalidInput(
            "What is compared are tuners, their results, or studies opened by "
            f"kerashpo.open_study(folder). Received: {search!r}."
        )
    return found


def _name(search: Any) -> str:
    """Returns a search's name: its tuner's, with the algorithm where that is another word."""
    settings = _history(search).settings
    tuner, algorithm = settings.get("tuner"), settings.get("algorithm")
    parts = [str(part) for part in (tuner, algorithm) if part]
    if len(parts) == 2 and parts[1].lower() in parts[0].lower():
        parts = parts[:1]
    return " + ".join(parts) or "search"


def _distinct(names: Sequence[str]) -> list[str]:
    """Returns the names, numbered where several are equal."""
    total, seen, distinct = Counter(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        distinct.append(name if total[name] == 1 else f"{name} ({seen[name]})")
    return distinct
