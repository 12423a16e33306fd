"""Six tasks of LCBench as YAHPO Gym's surrogate has them (Apache-2.0, see the data's README)."""

from __future__ import annotations

from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from experiments.lcbench import ACCURACY, TASKS, TIME, LCBenchModel, lcbench_space

__all__ = ["EPOCHS", "TASKS", "LCBench"]

EPOCHS = 51
_PIECES = (1, 3, 9, 27, EPOCHS)
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@final
class LCBench:
    """Validation accuracy (0 to 100) and training time of a task, epoch by epoch.

    The data's epoch 1 is the untrained network, so our epoch e is the data's e + 1.

    Args:
        task: an OpenML task id.
    """

    direction: Literal["min", "max"] = "max"
    max_epochs = EPOCHS

    def __init__(self, task: str) -> None:
        self.task, self.space = task, lcbench_space()
        self._model = LCBenchModel(task)
        self._curves: dict[tuple[float, ...], Curve] = {}

    def evaluate(self, config: dict[str, Any], epoch: int) -> tuple[float, float]:
        """Returns validation accuracy after `epoch` epochs and the seconds up to then."""
        values, seconds = self.curve(config, epoch)
        return float(values[epoch - 1]), float(seconds[epoch - 1])

    def curve(self, config: dict[str, Any], through: int = EPOCHS) -> Curve:
        """Returns accuracies and cumulative seconds of a configuration, at least to `through`.

        Curves are read in pieces, since most trials never come to the end of theirs.
        """
        key = tuple(float(config[name]) for name in self.space.names)
        values, seconds = self._curves.get(key, (np.empty(0), np.empty(0)))
        if len(values) < through:
            until = next(end for end in _PIECES if end >= through)
            epochs = np.arange(len(values), until) + 2
            output = self._model.outputs(np.array([key]), epochs)[0]
            values = np.append(values, output[:, ACCURACY])
            seconds = np.maximum.accumulate(np.append(seconds, output[:, TIME]))
            self._curves[key] = values, seconds
        return values, seconds

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the best accuracy over all epochs (n,) of configurations (n, 7)."""
        found = [
            self._model.outputs(part, np.arange(2, EPOCHS + 2))[:, :, ACCURACY].max(axis=1)
            for part in np.array_split(rows, max(1, len(rows) // 200))
        ]
        return np.concatenate(found)
