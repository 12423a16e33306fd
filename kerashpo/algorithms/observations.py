"""What a model reads of a history: rows, costs, and what is still running."""

from __future__ import annotations

import math
from typing import final

import numpy as np

from kerashpo.algorithms.distinct import Key
from kerashpo.core.history import History
from kerashpo.core.records import Status
from kerashpo.space.cube import Cube, Matrix
from kerashpo.space.space import key


@final
class Observations:
    """Rows of all trials, encoded once each.

    Attributes:
        taken: `Cube.key` of every trial's row.
        configs: `space.key` of every trial's configuration.
    """

    def __init__(self, cube: Cube) -> None:
        self._cube = cube
        self._forget()

    def _forget(self) -> None:
        self._rows: list[Matrix] = []
        self.taken: set[bytes] = set()
        self.configs: set[Key] = set()

    def update(self, history: History) -> None:
        """Encodes the trials that are new since the last call."""
        if len(self._rows) > history.next_trial:
            self._forget()
        for number in range(len(self._rows), history.next_trial):
            config = history.trials[number].config
            row = self._cube.encode(config)
            self._rows.append(row)
            self.taken.add(self._cube.key(row))
            self.configs.add(key(config))

    def read(self, history: History) -> tuple[Matrix, Matrix, Matrix]:
        """Returns rows (n, d) and costs (n,) of trials that ended, and pending rows (m, d).

        In the order of trials, so that the order of reports cannot matter. The cost of a
        trial that failed is inf.
        """
        done, costs, pending = [], [], []
        for number, row in enumerate(self._rows):
            record = history.trials[number]
            if record.status is Status.RUNNING:
                pending.append(row)
                continue
            failed = record.status is Status.FAILED
            done.append(row)
            costs.append(math.inf if failed else record.best.cost)
        shape = (-1, self._cube.dim)
        return (
            np.array(done).reshape(shape),
            np.array(costs, dtype=float),
            np.array(pending).reshape(shape),
        )
