"""HTML renderer of reports: one file without scripts, outgoing links or anything to load."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kerashpo.reporting.blocks import Block, Heading, Picture

_INTERVAL = re.compile(r"(\S+(?: %)?) (\[\S+; \S+\])")
"""A mean and its interval: the one kind of cell that may be broken, between the two."""
_LONGEST = 22
"""Characters of a cell that are never broken into lines."""
# Inline SVG needs no namespaces in HTML, and they would be the only addresses in the page.
_NAMESPACES = re.compile(r' xmlns(:\w+)?="[^"]*"')


def to_html(blocks: Sequence[Block], language: str) -> str:
    """Returns the report as a page; every text in it is escaped.

    Args:
        blocks: the report; its first heading is the page's title.
        language: the language of the texts, e.g. ``"es"``.
    """
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    sections = [block.text for block in blocks if isinstance(block, Heading) and block.level == 2]
    template = _environment().get_template("page.html")
    return template.render(title=title, language=language, blocks=blocks, sections=sections)


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("kerashpo.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["in_two"] = lambda cell: _INTERVAL.fullmatch(cell).groups()  # type: ignore[union-attr]
    made.filters["kind"] = lambda block: type(block).__name__
    made.filters["column"] = _classes
    made.filters["drawing"] = _drawing
    made.tests["interval"] = lambda cell: _INTERVAL.fullmatch(cell) is not None
    return made


def _classes(textual: bool, cell: str = "") -> Markup:
    """Returns the class attribute of a cell: of a column of text, and so long that it is broken."""
    long = len(cell) > _LONGEST and _INTERVAL.fullmatch(cell) is None
    names = " ".join(name for name, is_so in (("text", textual), ("long", long)) if is_so)
    return Markup(f' class="{names}"' if names else "")


def _drawing(picture: Picture) -> Markup:
    """Returns a figure as inline SVG; matplotlib has escaped the texts in it."""
    label = f'<svg role="img" aria-label="{escape(picture.caption)}"'
    return Markup(_NAMESPACES.sub("", picture.svg).replace("<svg", label, 1))
