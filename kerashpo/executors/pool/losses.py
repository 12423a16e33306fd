"""Counts lost workers, so that a trial that kills its workers fails, and one that does not, not."""

from __future__ import annotations

from collections import Counter
from typing import final

from kerashpo.core.records import Failure, Report
from kerashpo.executors.pool.transport import Loss

LIVES = 3
"""Limit of worker deaths at one epoch of a trial, and of consecutive failed starts a worker."""


@final
class LossCounter:
    """Counts the workers that were lost at one epoch of each trial, and failed starts."""

    def __init__(self) -> None:
        self._deaths: Counter[int] = Counter()
        self._furthest: dict[tuple[int, int], int] = {}
        self.failed_starts = 0

    def advance(self, report: Report) -> None:
        """Takes in an epoch: a trial that gets further is not what kills its workers."""
        run = (report.trial, report.run)
        if report.epoch > self._furthest.get(run, 0):
            self._furthest[run] = report.epoch
            self._deaths.pop(report.trial, None)

    def count(self, trial: int, loss: Loss) -> int:
        """Counts a worker that was lost while it trained `trial`; returns how many were."""
        self._deaths[trial] += loss.counts
        return self._deaths[trial]

    def failure(self, trial: int, loss: Loss, output: str) -> Failure | None:
        """Returns why the trial fails, None while it has lives left.

        Args:
            trial: which trial.
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
