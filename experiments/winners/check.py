"""Checks `NumpyLoop` against Keras's own ``fit``: the same weights and logs after some epochs.

python -m experiments.winners.check
"""

from __future__ import annotations

import keras
import numpy as np

from experiments.winners.data import split
from experiments.winners.model import BATCH, builder
from experiments.winners.numpy_loop import LOOP
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.model_fit import FitLoop
from kerashpo.training.randomness import EpochKeys

EPOCHS = 5
CONFIGS = (
    {},
    {"layers": 3, "activation": "tanh", "units_0": 64, "units_1": 24, "learning_rate": 1e-2},
    {"layers": 2, "activation": "sigmoid", "units_0": 128},
)


def main() -> None:
    """The command line."""
    from keras_tuner import HyperParameters

    for name in ("sonar", "iris", "diabetes"):
        parts = split(name, 0)
        data = FitData.from_fit(*parts.train, validation_data=parts.validation, batch_size=BATCH)
        for config in CONFIGS:
            found = []
            loops: tuple[TrainingLoop, ...] = (FitLoop(), LOOP)
            for loop in loops:
                hp = HyperParameters()
                hp.values.update(config)
                keras.utils.set_random_seed(0)
                model, history = builder(parts)(hp), keras.callbacks.History()
                loop.train(model, data, 1, EPOCHS, [history], EpochKeys(0, 0, 0))
                found.append((model.get_weights(), history.history))
            weights = max(float(np.abs(a - b).max()) for a, b in zip(found[0][0], found[1][0]))
            shared = set(found[0][1]) & set(found[1][1])
            logs = max(
                abs(a - b)
                for key in shared
                for a, b in zip(found[0][1][key], found[1][1][key], strict=True)
            )
            print(f"{name} {config}: weights differ by {weights:.1e}, logs by {logs:.1e}")
            if max(weights, logs) > 1e-3:
                raise SystemExit("The two loops differ.")


if __name__ == "__main__":
    main()
