"""How choices without a JSON form are written in the log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, final


def labels(values: tuple[Any, ...]) -> list[str]:
    """Returns how values without a JSON form are written: alike in every process, no two equal."""
    texts = [_label(value) for value in values]
    return [f"{t} #{i}" if texts.count(t) > 1 else t for i, t in enumerate(texts)]


def _label(value: Any) -> str:
    name = getattr(value, "__qualname__", None)
    if name is not None:
        return f"{value.__module__}.{name}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


@final
@dataclass(frozen=True, slots=True)
class Label:
    """A choice that the log knows only by how it was printed."""

    text: str

    def __repr__(self) -> str:
        return self.text
