"""One search of the lab, by one library, in a process of its own; prints one line of JSON.

python experiments/speed/lab_search.py kerashpo bayesian 0
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from typing import Any, ClassVar

import keras
import numpy as np
from lab_model import build_model, load


class Clock(keras.callbacks.Callback):
    """Notes when each epoch ended and what it reached; libraries copy it, so the class keeps it."""

    seen: ClassVar[list[tuple[float, float]]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        Clock.seen.append((time.perf_counter(), float(logs["val_accuracy"])))


def make_tuner(library: str, kind: str, seed: int, trials: int, folder: str) -> Any:
    """Returns the tuner of that library; `library` is kerashpo, or kerastuner."""
    common = {"objective": "val_accuracy", "directory": folder, "project_name": "p", "seed": seed}
    if library == "kerashpo":
        import kerashpo as kt
    else:
        import keras_tuner as kt
    if kind == "hyperband":
        return kt.Hyperband(build_model, max_epochs=50, factor=3, **common)
    return kt.BayesianOptimization(build_model, max_trials=trials, num_initial_points=5, **common)


def best_so_far(began: float) -> list[tuple[float, float]]:
    """Returns (seconds, best validation accuracy) at each improvement."""
    steps: list[tuple[float, float]] = []
    for moment, value in Clock.seen:
        if not steps or value > steps[-1][1]:
            steps.append((round(moment - began, 3), value))
    return steps


def main(library: str, kind: str, seed: int, trials: int = 25) -> dict[str, Any]:
    """Searches, then measures the winner on the test rows."""
    data = load()
    with tempfile.TemporaryDirectory() as folder:
        tuner = make_tuner(library, kind, seed, trials, folder)
        arguments: dict[str, Any] = {"validation_split": 0.2, "batch_size": 32, "verbose": 0}
        if kind != "hyperband":
            arguments["epochs"] = 50
        began, cpu = time.perf_counter(), time.process_time()
        tuner.search(data.x_train, data.y_train, callbacks=[Clock()], **arguments)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        model = tuner.get_best_models(1)[0]
        guess = np.asarray(model.predict(data.x_test, verbose=0))[:, 0] > 0.5
    return {
        "library": library,
        "tuner": kind,
        "seed": seed,
        "backend": keras.backend.backend(),
        "seconds": round(seconds, 2),
        "cpu": round(cpu, 2),
        "epochs": len(Clock.seen),
        "best": max(value for _, value in Clock.seen),
        "test_accuracy": round(float(np.mean(guess == (data.y_test > 0.5))), 4),
        "steps": best_so_far(began),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:5]))))
