"""Blocks: the parts of a report before they are rendered as Markdown or HTML.

Texts are plain: a renderer escapes them, so that a problem or a tuner named ``<script>`` or
``*`` is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


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
    """A table; the first column names the row, the others are numbers.

    Attributes:
        columns: their titles (n,).
        rows: cells as text (m, n).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


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


Block: TypeAlias = "Heading | Paragraph | Items | Table | Code | Picture | Folded"
