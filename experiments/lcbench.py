"""LCBench: learning curves of Auto-PyTorch networks, as YAHPO Gym's surrogate has them.

The files, their licence and what they hold: ``data/lcbench/README.md``. Both benchmarks
(``schedulers`` and ``suggestions``) read the surrogate here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.requirements import require_package
from kerashpo.space import Space, integer, loguniform, uniform

DATA = Path(__file__).parent / "data" / "lcbench"
TASKS = ("3945", "7593", "34539", "126026", "167168", "189862")
"""The tasks to develop on. The others are kept for validation: leave them alone."""

TIME, ACCURACY = 0, 1
"""Columns of the outputs: cumulative seconds, validation accuracy from 0 to 100."""


def lcbench_space() -> Space:
    """Returns the space of all tasks."""
    return Space(
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


@final
class LCBenchModel:
    """The surrogate of one task.

    Args:
        task: an OpenML task id, one of `TASKS`.
    """

    def __init__(self, task: str) -> None:
        require_package("onnxruntime", "LCBench", extra="bench")
        import onnxruntime

        self._code = json.loads((DATA / "encoding.json").read_text())["OpenML_task_id"][task]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(DATA / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def outputs(self, rows: NDArray[np.float64], epochs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the outputs (n, epochs, 6).

        Args:
            rows: (n, 7), the values of configurations in the order of the space.
            epochs: (m,) from 1 to 52, where 1 is the untrained network.
        """
        n, m = len(rows), len(epochs)
        repeated = np.repeat(rows, m, axis=0)
        inputs = np.column_stack([np.tile(epochs, n), repeated]).astype(np.float32)
        codes = np.full((n * m, 1), self._code, dtype=np.int32)
        output = self._session.run(["output"], {"x_cat": codes, "x_cont": inputs})[0]
        return np.asarray(output, dtype=float).reshape(n, m, -1)
