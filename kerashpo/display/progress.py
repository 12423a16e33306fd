"""What a display shows, as numbers and words: no drawing here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, final

from kerashpo.core.events import Event, Reported
from kerashpo.core.history import History
from kerashpo.core.records import Plan, Status


@final
@dataclass(slots=True)
class Progress:
    """Follows a search.

    Attributes:
        title: what searches.
        plan: what it plans to do.
        folder: where the study lives.
    """

    title: str
    plan: Plan
    folder: str
    _first: tuple[float, int] | None = None
    _epochs: int = 0
    _recent: list[tuple[float, int]] = field(default_factory=list)

    def update(self, event: Event, history: History) -> None:
        """Takes in an event, for the estimate of the time that is left."""
        if self._first is None:
            self._first = (history.now, history.epochs)
        if isinstance(event, Reported):
            self._recent.append((history.now, history.epochs))
            # The last epochs say more about the next ones than the first did.
            del self._recent[:-200]

    def left(self, history: History) -> float | None:
        """Returns the seconds that the planned epochs may still take, None while unknown."""
        if self.plan.epochs is None or len(self._recent) < 5:
            return None
        (t0, n0), (t1, n1) = self._recent[0], self._recent[-1]
        if n1 <= n0:
            return None
        return max(0, self.plan.epochs - history.epochs) * (t1 - t0) / (n1 - n0)

    def share(self, history: History) -> float | None:
        """Returns which part of the planned epochs is done, None while unknown."""
        if not self.plan.epochs:
            return None
        return min(1.0, history.epochs / self.plan.epochs)

    def counts(self, history: History) -> str:
        """Returns trials, epochs and times as one line."""
        left = self.left(history)
        remaining = "?" if left is None else clock(left)
        return (
            f"trials {len(history.trials)}/{_or_dots(self.plan.trials)}   "
            f"epochs {history.epochs}/{_or_dots(self.plan.epochs)}   "
            f"elapsed {clock(history.now)}   left {remaining}"
        )

    def best(self, history: History) -> str:
        """Returns the incumbent as one line."""
        leader = history.best
        if leader is None or leader.score is None:
            return "best: none yet"
        name = history.objective.name
        return f"best {name} {leader.score:.4f}   trial {leader.number}, epoch {leader.best_epoch}"

    def rungs(self, history: History) -> str:
        """Returns how many trials reached each rung, with stopped and failed ones."""
        epochs = sorted({rung.epochs for bracket in self.plan.brackets for rung in bracket})
        parts = []
        if len(epochs) > 1:
            reached = [sum(t.epoch >= e for t in history.trials.values()) for e in epochs]
            parts.append("rungs " + " ".join(f"{e}:{n}" for e, n in zip(epochs, reached)))
        stopped = sum(t.status is Status.STOPPED for t in history.trials.values())
        if stopped:
            parts.append(f"stopped {stopped}")
        if history.failed:
            parts.append(f"failed {history.failed}")
        return "   ".join(parts)

    def heading(self, history: History) -> str:
        """Returns what searches, for what, with which seed."""
        objective = history.objective
        return f"{self.title}   {objective.name} {objective.direction}   seed {history.seed}"

    def farewell(self, history: History) -> list[str]:
        """Returns the last lines: the best values to copy, where the study is, how to go on."""
        lines = [self.best(history)]
        if history.best is not None:
            lines.append(f"values {plain(dict(history.best.config))}")
        if history.stopped == "interrupted":
            lines.append("stopped on your request; run the same search again to go on")
        else:
            lines.append(f"ended: {history.stopped}")
        lines.append(f"study  {self.folder}   (kerashpo.open_study({self.folder!r}))")
        return lines


def clock(seconds: float) -> str:
    """Returns seconds as m:ss or h:mm:ss."""
    whole = 0 if math.isnan(seconds) else round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{last:02d}" if hours else f"{minutes}:{last:02d}"


def plain(config: dict[str, Any]) -> dict[str, Any]:
    """Returns values to copy: floats without rounding noise."""
    return {k: float(f"{v:.6g}") if isinstance(v, float) else v for k, v in config.items()}


def _or_dots(number: int | None) -> str:
    return "..." if number is None else str(number)
