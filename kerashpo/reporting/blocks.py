"""Blocks: the parts of a report before they are rendered as Markdown or HTML.

Texts are plain: a renderer escapes them, so that a problem or a tuner named ``<script>`` or
``*`` is harmless.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_NUMBER = re.compile(r"\s*([-−+±<≤>≥]?\s*[.,]?\d|-?$|[-+]?(nan|inf)$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; level 1 is the report's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; a strong paragraph is the verdict, which is read first."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its columns are aligned by their content.

    Attributes:
        columns: their titles (n,).
        rows: cells as text (m, n).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def textual(self) -> tuple[bool, ...]:
        """Whether each column holds text, which is aligned left; numbers are aligned right (n,)."""
        return tuple(not all(map(_is_number, cells)) for cells in zip(*self.rows)) or (True,) * len(
            self.columns
        )


@dataclass(frozen=True, slots=True)
class Code:
    """A line to copy."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure.

    Attributes:
        svg: the drawing, for HTML.
        path: the file beside the report, for Markdown.
        caption: its caption, and its text for screen readers.
    """

    svg: str
    path: str
    caption: str


@dataclass(frozen=True, slots=True)
class Folded:
    """A collapsed section, which a reader opens on demand.

    Attributes:
        summary: its visible line.
        blocks: the contents.
    """

    summary: str
    blocks: tuple[Block, ...]


def _is_number(cell: str) -> bool:
    """Whether a cell is a number, with a unit or an interval perhaps, or a number's absence."""
    return _NUMBER.match(cell) is not None


Block: TypeAlias = "Heading | Paragraph | Items | Table | Code | Picture | Folded"
