"""Counts lost workers, so that a trial that repeatedly kills its workers fails."""

from __future__ import annotations

from collections import Counter
from typing import final

from kerashpo.core.records import Failure, Report
from kerashpo.executors.pool.transport import Loss

LIVES = 3
"""Limit of worker deaths at one epoch of a trial, and of consecutive failed starts per worker."""


@final
class LossCounter:
    """Counts the workers lost at one epoch of each trial, and failed starts."""

    def __init__(self) -> None:
        self._deaths: Counter[int] = Counter()
        self._furthest: dict[tuple[int, int], int] = {}
        self.failed_starts = 0

    def advance(self, report: Report) -> None:
        """Resets the count of a trial that completed a further epoch."""
        run = (report.trial, report.run)
        if report.epoch > self._furthest.get(run, 0):
            self._furthest[run] = report.epoch
            self._deaths.pop(report.trial, None)

    def count(self, trial: int, loss: Loss) -> int:
        """Counts a worker lost while it trained `trial`; returns the count."""
        self._deaths[trial] += loss.counts
        return self._deaths[trial]

    def failure(self, trial: int, loss: Loss, output: str) -> Failure | None:
        """Returns the trial's failure, None while its limit of lost workers is not reached.

        Args:
            trial: the trial.
            loss: how its last worker was lost.
            output: the last lines that this worker printed.
        """
        lost = self._deaths[trial]
        if lost < LIVES:
            return None
        text = (
            f"{lost} workers were lost while training it, and no epoch came in between; of the "
            f"last one, {loss.text}"
        )
        return Failure(loss.kind, text, output=output)
