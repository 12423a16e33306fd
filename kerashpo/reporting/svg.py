"""Figures as small inline SVG in the colour of the page's text, for light and dark pages."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw: TypeAlias = "Callable[[Figure], object]"
"""Draws on an empty figure."""

INK = "#010203"
"""Placeholder for the text's colour while matplotlib draws; no other part has this colour."""
_DPI = 110
_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_CLEAR = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")
_LOOK: dict[Any, Any] = {
    **dict.fromkeys(_INKED, INK),
    **dict.fromkeys(_CLEAR, "none"),
    "font.size": 9,
    # Text stays text instead of paths: small files that can be searched and copied from.
    "svg.fonttype": "none",
    "font.family": "sans-serif",
}


def svg_of(stem: str, size: tuple[float, float], draw: Draw) -> str:
    """Returns a figure as SVG, the same text for the same figure.

    Args:
        stem: begins every id in it, so that several drawings may stand in one page.
        size: inches across and upwards.
        draw: draws on an empty figure.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    # The page decides on the colours, not the matplotlib style that is in use here.
    with matplotlib.style.context(["default", {**_LOOK, "svg.hashsalt": stem}]):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None}, dpi=_DPI)
    return slim(buffer.getvalue(), stem).replace(INK, "currentColor")


def slim(svg: str, stem: str) -> str:
    """Returns matplotlib's SVG in a third of its size, with ids made unique by `stem`.

    Comments, metadata, the space between tags and unused ids are left out, coordinates are
    rounded to a hundredth of a point, and equal styles become classes.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", svg)
    svg = re.sub(r' (?:d|x|y|transform)="[^"]*"', _short, svg)
    svg = _ids(svg, stem)
    return _classes(svg, stem)


def _short(attribute: re.Match[str]) -> str:
    text = re.sub(r"(\.\d\d)\d+", r"\1", attribute[0])
    return re.sub(r"\s*\n", " ", text).replace(' "', '"')


def _ids(svg: str, stem: str) -> str:
    wanted = set(re.findall(r'(?:url\(#|xlink:href="#)([^")]+)', svg))

    def named(match: re.Match[str]) -> str:
        return f' id="{stem}-{match[1]}"' if match[1] in wanted else ""

    svg = re.sub(r' id="([^"]+)"', named, svg)
    return re.sub(r'(url\(#|xlink:href="#)', rf"\g<1>{stem}-", svg)


def _classes(svg: str, stem: str) -> str:
    styles = re.findall(r' style="([^"]*)"', svg)
    often = [style for style in dict.fromkeys(styles) if styles.count(style) > 2]
    names = {style: f"{stem}-{number}" for number, style in enumerate(often)}

    def classed(match: re.Match[str]) -> str:
        return f' class="{names[match[1]]}"' if match[1] in names else match[0]

    # A class loses against a style of matplotlib's own sheet only where both name a property.
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    svg = re.sub(r' style="([^"]*)"', classed, svg)
    return svg.replace("</svg>", f"<style>{rules}</style></svg>") if rules else svg
