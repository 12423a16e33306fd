"""Markdown renderer of reports."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kerashpo.reporting.blocks import Block, Code, Folded, Heading, Items, Paragraph, Picture, Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")


def to_markdown(blocks: Sequence[Block]) -> str:
    """Returns the report as GitHub's Markdown, a blank line between blocks."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_escaped(text)}"
        case Paragraph(text, strong):
            return f"**{_escaped(text)}**" if strong else _escaped(text)
        case Items(texts):
            return "\n".join(f"- {_escaped(text)}" for text in texts)
        case Code(text):
            fence = _fence(text)
            return f"{fence}\n{text}\n{fence}"
        case Picture(_, path, caption):
            return f"![{_escaped(caption)}](<{path}>)"
        case Folded(summary, inner):
            return "\n\n".join([f"**{_escaped(summary)}**", *map(_block, inner)])
        case Table(columns, rows):
            rule = ["---" if text else "---:" for text in block.textual]
            lines = [_row(columns), f"| {' | '.join(rule)} |", *map(_row, rows)]
            return "\n".join(lines)


def _fence(text: str) -> str:
    """Returns a code fence longer than any run of backticks in the text, which cannot close it."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(text: str) -> str:
    """Returns the text escaped for Markdown, on one line."""
    marked = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return marked.replace("<", "&lt;").replace(">", "&gt;")
