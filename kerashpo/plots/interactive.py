"""Interactive figures by plotly, made of the artists that matplotlib drew: the same numbers.

Lines, points, areas, bars, grids, ticks and notes of Axes become traces and layout of a plotly
figure. A figure that is added to `Plots` is interactive without further code, as long as it draws
with the artists that `_traces` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, final

import numpy as np

from kerashpo.core.requirements import require_package
from kerashpo.i18n.texts import Labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kerashpo.plots.accessor import Plots

Trace: TypeAlias = dict[str, Any]
"""A trace as plotly's JSON has it."""

_NEEDED = 'results.plot(backend="plotly")'
_SHAPES = {"steps-post": "hv", "steps-pre": "vh", "steps": "vh", "steps-mid": "hvh"}
_GAP = 0.12
"""The share of a panel beside another that its tick labels and title take."""
_ABOVE = {"orientation": "h", "x": 1.0, "xanchor": "right", "y": 1.0, "yanchor": "bottom"}
"""The legend's place where the right side is taken."""
_HEIGHTS = {"center": "middle", "center_baseline": "middle", "baseline": "bottom"}
_DASHES = {"-": "solid", "--": "dash", "-.": "dashdot", ":": "dot"}
_MARKS = {
    "o": "circle", "s": "square", "D": "diamond", "x": "x", "^": "triangle-up",
    "v": "triangle-down", "P": "cross", "X": "x", ".": "circle",
}  # fmt: skip


@final
class InteractivePlots:
    """The figures of a study by plotly; every method returns a `plotly.graph_objects.Figure`.

    The methods and their arguments are those of `Plots`, without Axes.

    Args:
        plots: draws the figures.
        say: the reader's language.

    Raises:
        MissingExtra: if plotly is not installed.
    """

    def __init__(self, plots: Plots, say: Labels) -> None:
        require_package("plotly", _NEEDED)
        self._plots, self._say = plots, say

    def __getattr__(self, name: str) -> Callable[..., Any]:
        draw = getattr(self._plots, name)

        def drawn(*args: Any, **kwargs: Any) -> Any:
            return interactive(partial(draw, *args, **kwargs), self._say)

        drawn.__name__, drawn.__doc__ = name, draw.__doc__
        return drawn

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._plots) if not name.startswith("_")]


def interactive(draw: Callable[[], Any], say: Labels, needed_by: str = _NEEDED) -> Any:
    """Returns the plotly figure of what a function draws with matplotlib.

    Args:
        draw: draws and returns Axes, or a list of them.
        say: the reader's language.
        needed_by: the call, for the error.

    Raises:
        MissingExtra: if plotly is not installed.
    """
    require_package("plotly", needed_by)
    import matplotlib.pyplot as plt

    with plt.ioff():
        found = draw()
        figure = (found[0] if isinstance(found, list) else found).figure
        try:
            figure.canvas.draw()  # places legends, ticks and limits
            return to_plotly(figure.axes, say)
        finally:
            plt.close(figure)


def to_plotly(axes: Sequence[Axes], say: Labels) -> Any:
    """Returns a plotly figure of what was drawn on Axes of one matplotlib figure.

    Args:
        axes: of one figure; those of colour bars are left out, for plotly draws its own.
        say: the reader's language, for the decimal mark.
    """
    from plotly.graph_objects import Figure

    shown = [ax for ax in axes if ax.get_label() != "<colorbar>" and ax.axison]
    layout: dict[str, Any] = {"template": "plotly_white", "shapes": [], "annotations": []}
    layout["separators"] = f"{say.mark} "
    title = getattr(axes[0].figure, "_suptitle", None)
    if title is not None and title.get_text():
        layout["title"] = {"text": _text(title.get_text())}
    traces: list[Trace] = []
    names: set[str] = set()
    for place, ax in enumerate(shown, start=1):
        key = "" if place == 1 else str(place)
        twin = next((n for n, other in enumerate(shown[: place - 1], 1) if _twins(other, ax)), None)
        across = f"x{key if twin is None else ('' if twin == 1 else twin)}"
        # Without anchors plotly draws the ticks of every row of panels below the first one.
        for which, anchor in (("x", f"y{key}"), ("y", across)):
            place_of = {"domain": _span(ax, shown, "xy".index(which)), "anchor": anchor}
            layout[f"{which}axis{key}"] = {**_axis(ax, which), **place_of}
        if twin is not None:
            over = {"overlaying": f"y{'' if twin == 1 else twin}", "side": "right"}
            layout[f"yaxis{key}"] |= {**over, "showgrid": False}
            layout.pop(f"xaxis{key}")
            layout["legend"] = _ABOVE
        for trace in _traces(ax):
            label = trace.get("name")
            shown_before = label in names
            if label:
                names.add(label)
            legend = bool(label) and not shown_before
            traces.append({**trace, "xaxis": across, "yaxis": f"y{key}", "showlegend": legend})
        layout["shapes"] += _rules(ax, across, f"y{key}")
        layout["annotations"] += _notes(ax, across, f"y{key}")
    if any(trace["type"] == "heatmap" for trace in traces):
        layout["legend"] = _ABOVE  # its colour bar stands on the right
    return Figure({"data": traces, "layout": layout})


def _span(ax: Axes, every: Sequence[Axes], side: int) -> list[float]:
    """Returns where an Axes begins and ends, as shares of what all Axes fill together."""
    edges = np.array([[*one.get_position().min, *one.get_position().max] for one in every])
    low, high = edges[:, side].min(), edges[:, side + 2].max()
    box = ax.get_position()
    ends = (np.array([box.min[side], box.max[side]]) - low) / (high - low)
    # Plotly's labels need more room between panels than matplotlib left for its own.
    ends[0] += _GAP * (ends[1] - ends[0]) if ends[1] - ends[0] < 0.9 else 0.0
    return [float(end) for end in np.clip(ends, 0.0, 1.0)]


def _twins(one: Axes, other: Axes) -> bool:
    return one.get_shared_x_axes().joined(one, other) and np.allclose(
        one.get_position().bounds, other.get_position().bounds
    )


def _axis(ax: Axes, which: str) -> dict[str, Any]:
    """Returns the layout of an axis: its place, scale, range, title and own ticks."""
    from matplotlib.ticker import FixedFormatter, FuncFormatter, NullLocator

    axis = getattr(ax, f"{which}axis")
    low, high = getattr(ax, f"get_{which}lim")()
    log = axis.get_scale() == "log"
    found: dict[str, Any] = {
        "type": "log" if log else "linear",
        "range": [float(np.log10(edge)) for edge in (low, high)] if log else [low, high],
        "title": {"text": _text(axis.get_label().get_text()).replace("\n", " ")},
    }
    formatter = axis.get_major_formatter()
    if isinstance(axis.get_major_locator(), NullLocator) or not len(axis.get_ticklocs()):
        found["showticklabels"] = found["showgrid"] = False
    elif isinstance(formatter, (FixedFormatter, FuncFormatter)):
        places = [
            place for place in axis.get_ticklocs() if min(low, high) <= place <= max(low, high)
        ]
        texts = [_text(text) for text in formatter.format_ticks(axis.get_ticklocs())]
        kept = dict(zip(axis.get_ticklocs(), texts))
        found |= {"tickvals": places, "ticktext": [kept[place] for place in places]}
    return found


def _traces(ax: Axes) -> Iterator[Trace]:
    """Yields the traces of an Axes' artists, from back to front."""
    from matplotlib.collections import (
        LineCollection,
        PathCollection,
        PolyCollection,
        QuadMesh,
    )
    from matplotlib.contour import ContourSet
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    artists = [one for one in ax.get_children() if one.get_visible() and one is not ax.patch]
    for artist in sorted(artists, key=lambda one: one.get_zorder()):
        match artist:
            case Line2D() if artist.get_transform().contains_branch(ax.transData):
                if artist.get_transform() == ax.transData:
                    yield _line(artist)
            case QuadMesh():
                yield _grid(artist)
            case ContourSet():
                yield from _contours(artist)
            case PathCollection():
                yield _points(artist)
            case LineCollection():
                yield _lines(artist)
            case PolyCollection():
                yield _areas(artist)
            case Rectangle() if artist.get_width() and artist.get_height():
                yield _bar(artist, ax)


def _line(line: Any) -> Trace:
    x, y = (np.ma.filled(np.asarray(part, dtype=float), np.nan) for part in line.get_data())
    if not len(x):
        x = y = np.array([None])  # an entry of the legend alone
    drawn, marked = line.get_linestyle() not in ("None", "", " "), line.get_marker()
    has_marks = marked not in ("None", "", " ", None)
    mode = "+".join(["lines"] * drawn + ["markers"] * has_marks) or "lines"
    found = _trace(x, y, mode, line)
    if drawn:
        dash = _DASHES.get(line.get_linestyle(), "solid")
        shape = _SHAPES.get(line.get_drawstyle(), "linear")
        found["line"] = {
            "color": _colour(line.get_color(), line.get_alpha()), "dash": dash, "shape": shape,
            "width": max(1.0, line.get_linewidth()),
        }  # fmt: skip
    if has_marks:
        found["marker"] = {
            "color": _colour(line.get_markerfacecolor(), line.get_alpha()),
            "symbol": _MARKS.get(str(marked), "circle"), "size": line.get_markersize(),
            "line": {"color": _colour(line.get_markeredgecolor(), None), "width": 1},
        }  # fmt: skip
    return found


def _points(points: Any) -> Trace:
    offsets = np.ma.filled(np.asarray(points.get_offsets(), dtype=float), np.nan)
    found = _trace(offsets[:, 0], offsets[:, 1], "markers", points)
    faces, edges, sizes = points.get_facecolors(), points.get_edgecolors(), points.get_sizes()
    inside = [_colour(one, None) for one in faces] or ["rgba(0,0,0,0)"]
    found["marker"] = {
        "color": inside[0] if len(inside) == 1 else inside,
        "size": max(4.0, float(np.sqrt(sizes[0])) * 1.4) if len(sizes) else 6.0,
        "line": {"color": _colour(edges[0], None) if len(edges) else inside[0], "width": 1},
    }
    return found


def _lines(lines: Any) -> Trace:
    """Returns the lines of a collection as one trace, with gaps between them."""
    gap = np.full((1, 2), np.nan)
    parts = [part for one in lines.get_segments() for part in (np.asarray(one), gap)]
    table = np.concatenate(parts) if parts else gap
    found = _trace(table[:, 0], table[:, 1], "lines", lines)
    shades, widths = lines.get_colors(), lines.get_linewidths()
    found["line"] = {
        "color": _colour(shades[len(shades) // 2], None) if len(shades) else "grey",
        "width": float(widths[0]) if len(widths) else 1.0,
    }
    return found


def _areas(areas: Any) -> Trace:
    gap = np.full((1, 2), np.nan)
    parts = [part for path in areas.get_paths() for part in (path.vertices, gap)]
    table = np.concatenate(parts) if parts else gap
    found = _trace(table[:, 0], table[:, 1], "lines", areas)
    faces = areas.get_facecolors()
    shade = _colour(faces[0], None) if len(faces) else "grey"
    return {**found, "fill": "toself", "fillcolor": shade, "line": {"width": 0, "color": shade}}


def _bar(bar: Any, ax: Axes) -> Trace:
    x, y = np.array([0.0, 1, 1, 0, 0]), np.array([0.0, 0, 1, 1, 0])
    found = _trace(
        bar.get_x() + x * bar.get_width(), bar.get_y() + y * bar.get_height(), "lines", bar
    )
    for container in ax.containers:
        if bar in getattr(container, "patches", ()):
            found["name"] = _label(container)
    shade = _colour(bar.get_facecolor(), None)
    return {**found, "fill": "toself", "fillcolor": shade, "line": {"width": 0, "color": shade}}


def _grid(mesh: Any) -> Trace:
    corners, values = mesh.get_coordinates(), np.ma.filled(mesh.get_array().astype(float), np.nan)
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    middle = (corners[1:, 1:] + corners[:-1, :-1]) / 2
    bar: dict[str, Any] = {}
    if mesh.colorbar is not None:
        bar = {"title": {"text": _text(mesh.colorbar.ax.get_ylabel()), "side": "right"}}
    return {
        "type": "heatmap", "x": middle[0, :, 0].tolist(), "y": middle[:, 0, 1].tolist(),
        "z": values.reshape(rows, columns).tolist(), "colorbar": bar, "name": "",
        "colorscale": mesh.get_cmap().name.capitalize(),
    }  # fmt: skip


def _contours(contours: Any) -> Iterator[Trace]:
    for segments, width in zip(contours.allsegs, contours.get_linewidths()):
        gap = np.full((1, 2), np.nan)
        parts = [part for one in segments for part in (one, gap)]
        if parts:
            table = np.concatenate(parts)
            look = {"color": "white", "width": float(width)}
            yield {**_trace(table[:, 0], table[:, 1], "lines", contours), "line": look, "name": ""}


def _trace(x: Any, y: Any, mode: str, artist: Any) -> Trace:
    return {
        "type": "scatter", "x": np.asarray(x).tolist(), "y": np.asarray(y).tolist(),
        "mode": mode, "name": _label(artist),
    }  # fmt: skip


def _label(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else _text(label)


def _text(text: str) -> str:
    """Returns a text as matplotlib shows it: it escapes dollar signs, and plotly reads HTML."""
    return text.replace(r"\$", "$").replace("&", "&amp;").replace("<", "&lt;")


def _colour(given: Any, alpha: float | None) -> str:
    from matplotlib.colors import to_rgba

    red, green, blue, opaque = to_rgba(given, alpha)
    return f"rgba({round(255 * red)},{round(255 * green)},{round(255 * blue)},{opaque:.3g})"


def _rules(ax: Axes, x: str, y: str) -> list[dict[str, Any]]:
    """Returns lines across the whole Axes, such as limits."""
    found = []
    for line in ax.lines:
        across, upwards = line.get_transform().contains_branch_seperately(ax.transData)
        if across == upwards:
            continue
        ((x0, x1), (y0, y1)) = (np.asarray(part, dtype=float)[[0, -1]] for part in line.get_data())
        look = {"color": _colour(line.get_color(), line.get_alpha()), "width": 1}
        look["dash"] = _DASHES.get(str(line.get_linestyle()), "solid")
        refs = {"xref": x if across else f"{x} domain", "yref": y if upwards else f"{y} domain"}
        ends = {"x0": x0, "x1": x1, "y0": y0, "y1": y1}
        found.append({"type": "line", **refs, **ends, "line": look})
    return found


def _notes(ax: Axes, x: str, y: str) -> list[dict[str, Any]]:
    """Returns the texts within and above an Axes."""
    from matplotlib.text import Annotation

    found = []
    for text in ax.texts:
        inside = text.get_transform() == ax.transData
        place = text.get_position()
        if isinstance(text, Annotation):
            inside, place = text.xycoords == "data", text.xy
        if not text.get_text() or not text.get_visible():
            continue
        up = text.get_verticalalignment()
        if inside and ax.get_yscale() == "log":
            place = (place[0], float(np.log10(place[1])))
        found.append(
            {
                "text": _text(text.get_text()).replace("\n", "<br>"), "showarrow": False,
                "x": float(place[0]), "y": float(place[1]), "font": {"size": 10},
                "xref": x if inside else f"{x} domain", "yref": y if inside else f"{y} domain",
                "xanchor": text.get_horizontalalignment(), "yanchor": _HEIGHTS.get(up, up),
            }
        )  # fmt: skip
    return found
