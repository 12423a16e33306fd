"""Six tasks of LCBench as YAHPO Gym's surrogate has them (Apache-2.0, see the data's README)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from kerashpo.space import Space, integer, loguniform, uniform

DATA = Path(__file__).parents[1] / "data" / "lcbench"
TASKS = ("3945", "7593", "34539", "126026", "167168", "189862")
"""The tasks to develop on. The others are kept for validation: leave them alone."""

EPOCHS = 51
_PIECES = (1, 3, 9, 27, EPOCHS)
_TIME, _ACCURACY = 0, 1
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
        import onnxruntime  # an extra: only this benchmark needs it

        self.task = task
        self.space = Space(
            {
                "batch_size": integer(16, 512, log=True),
                "learning_rate": loguniform(1e-4, 1e-1),
                "momentum": uniform(0.1, 0.99),
                "weight_decay": uniform(1e-5, 1e-1),
                "num_layers": integer(1, 5),
                "max_units": integer(64, 1024, log=True),
                "max_dropout": uniform(0.0, 1.0),
            }
        )
        self._code = json.loads((DATA / "encoding.json").read_text())["OpenML_task_id"][task]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(DATA / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
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
            output = self._outputs(np.array([key]), epochs)[0]
            values = np.append(values, output[:, _ACCURACY])
            seconds = np.maximum.accumulate(np.append(seconds, output[:, _TIME]))
            self._curves[key] = values, seconds
        return values, seconds

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the best accuracy over all epochs (n,) of configurations (n, 7)."""
        found = [
            self._outputs(part, np.arange(2, EPOCHS + 2))[:, :, _ACCURACY].max(axis=1)
            for part in np.array_split(rows, max(1, len(rows) // 200))
        ]
        return np.concatenate(found)

    def _outputs(self, rows: NDArray[np.float64], epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the surrogate's outputs (n, epochs, 6)."""
        n, m = len(rows), len(epochs)
        repeated = np.repeat(rows, m, axis=0)
        inputs = np.column_stack([np.tile(epochs, n), repeated]).astype(np.float32)
        codes = np.full((n * m, 1), self._code, dtype=np.int32)
        output = self._session.run(["output"], {"x_cat": codes, "x_cont": inputs})[0]
        return np.asarray(output, dtype=float).reshape(n, m, -1)
