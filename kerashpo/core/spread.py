"""A measured number with its spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Measurement:
    """A repeated measurement, as a function of a model may return it.

    Attributes:
        value: the number that counts.
        spread: how far the repetitions lie apart, in the same unit.
    """

    value: float
    spread: float

    def __float__(self) -> float:
        return self.value
