"""Labels of choices that are not JSON scalars, as written to the log."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any, final


def labels(values: tuple[Any, ...]) -> list[str]:
    """Returns labels of values that are not JSON scalars: the same in every process, distinct."""
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
    """Stands for a choice that is not a JSON scalar, if only its label is known from the log."""

    text: str

    def __repr__(self) -> str:
        return self.text


def plain_value(value: Any) -> Any:
    """Returns a choice without a JSON form as the Python value of its label, else the label.

    To be used as the ``default`` of `json.dumps`.
    """
    text = value.text if isinstance(value, Label) else _label(value)
    try:
        found = ast.literal_eval(text)
        json.dumps(found)
    except (ValueError, SyntaxError, TypeError):
        return text
    return found
