"""`results.best`: the best trial of a search."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

from kerashpo.display.snapshot import plain


@final
@dataclass(frozen=True, slots=True)
class BestTrial:
    """The incumbent: the best trial so far.

    Attributes:
        trial: its number.
        score: the objective at its best epoch; of several objectives the first.
        epoch: that epoch, counted from 1.
        config: its values, as the model or function got them.
        metrics: every metric of that epoch.
        note: why it cannot be distinguished from other trials on so few validation rows, and what
            to do; empty if it can, or if the number of rows is not known.
    """

    trial: int
    score: float
    epoch: int
    config: dict[str, Any]
    metrics: dict[str, float]
    note: str = field(default="", compare=False)

    def __repr__(self) -> str:
        parts = {
            "trial": self.trial,
            "score": float(f"{self.score:.6g}"),
            "epoch": self.epoch,
            "config": plain(self.config),
            "metrics": plain(self.metrics),
        }
        values = ", ".join(f"{name}={value!r}" for name, value in parts.items())
        return f"BestTrial({values})" + (f"\n{self.note}" if self.note else "")
