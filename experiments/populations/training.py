"""Real training at equal epochs: PBT, its schedule replayed, recommended, and KerasTuner.

    KERAS_BACKEND=jax python -m experiments.populations.training [--seeds 10]

A network of one hidden layer on Digits: learning rate, dropout and L2 penalty, 8 x 40 epochs. Each
seed has its own split; the figure is the log loss on the test rows, which no search has seen, of
the model with the best validation loss. Rows of results/training.csv are kept.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results" / "training.csv"
MEMBERS, EPOCHS = 8, 40


def build(hp: Any) -> Any:
    """Returns the network."""
    import keras

    penalty = keras.regularizers.L2(hp.Float("l2", 1e-6, 1e-2, sampling="log"))
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, "relu", kernel_regularizer=penalty),
            keras.layers.Dropout(hp.Float("dropout", 0.0, 0.6)),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


def pbt(seed: int, data: dict[str, Any], folder: str) -> Any:
    """Population-based training."""
    import kerashpo as kt

    tuner = kt.PBT(
        build,
        "val_loss",
        population=MEMBERS,
        interval=4,
        max_epochs=EPOCHS,
        together=True,
        seed=seed,
        directory=folder,
    )
    tuner.search(**data, verbose=0)
    return tuner.results.best_model()


def recommended(seed: int, data: dict[str, Any], folder: str) -> Any:
    """`kt.Recommended`, without its final round: its winner."""
    import kerashpo as kt

    tuner = kt.Recommended(
        build,
        "val_loss",
        max_epochs=EPOCHS,
        max_epochs_total=MEMBERS * EPOCHS,
        seed=seed,
        directory=folder,
    )
    tuner.search(**data, verbose=0, final_round=False)
    return tuner.results.best_model()


def keras_tuner(seed: int, data: dict[str, Any], folder: str) -> Any:
    """KerasTuner's Bayesian optimisation of 8 trials, the best epoch of each."""
    import keras_tuner as peer

    tuner = peer.BayesianOptimization(
        build, "val_loss", max_trials=MEMBERS, seed=seed, directory=folder, overwrite=True
    )
    tuner.search(**data, epochs=EPOCHS, verbose=0)
    return tuner.get_best_models(1)[0]


METHODS: dict[str, Callable[[int, dict[str, Any], str], Any]] = {
    "pbt": pbt,
    "recommended": recommended,
    "keras_tuner": keras_tuner,
}


def main() -> None:
    """Runs what is missing, and prints means, standard errors and differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    given = parser.parse_args()
    known = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    for seed in range(given.seeds):
        for method in given.methods:
            if any((row["method"], row["seed"]) == (method, str(seed)) for row in known):
                continue
            row = _run(method, seed)
            known.append({name: str(value) for name, value in row.items()})
            with RESULTS.open("a", newline="") as file:
                writer = csv.DictWriter(file, list(row))
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(row)
    _print(known)


def _run(method: str, seed: int) -> dict[str, Any]:
    from kerashpo.problems.digits import load

    split = load(seed)
    flat = lambda x: x.reshape(len(x), -1)
    (x, y), (x_val, y_val), (x_test, y_test) = split.train, split.validation, split.test
    data = {
        "x": flat(x),
        "y": y,
        "validation_data": (flat(x_val), y_val),
        "batch_size": 64,
    }
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        model = METHODS[method](seed, data, folder)
        cpu = time.process_time() - began
        predicted = np.asarray(model.predict(flat(x_test), verbose=0), float)
    truth = np.clip(predicted[np.arange(len(predicted)), y_test], 1e-7, 1.0)
    accuracy = float((predicted.argmax(axis=1) == y_test).mean())
    loss = float(-np.log(truth).mean())
    return {
        "method": method,
        "seed": seed,
        "test_loss": round(loss, 5),
        "test_accuracy": round(accuracy, 4),
        "cpu": round(cpu, 1),
    }


def _print(rows: list[dict[str, str]]) -> None:
    found = {m: {r["seed"]: r for r in rows if r["method"] == m} for m in METHODS}
    for method, by_seed in found.items():
        for name in ("test_loss", "test_accuracy", "cpu"):
            values = np.array([float(row[name]) for row in by_seed.values()])
            if len(values) > 1:
                error = values.std(ddof=1) / len(values) ** 0.5
                print(
                    f"{method:12} {name:14} {values.mean():.4f} ± {error:.4f}  {len(values)} seeds"
                )
    for other in ("recommended", "keras_tuner"):
        both = [seed for seed in found["pbt"] if seed in found[other]]
        if len(both) > 1:
            apart = np.array(
                [
                    float(found["pbt"][s]["test_loss"]) - float(found[other][s]["test_loss"])
                    for s in both
                ]
            )
            error = apart.std(ddof=1) / len(apart) ** 0.5
            print(f"pbt - {other}: {apart.mean():+.4f} ± {error:.4f} on {len(apart)} seeds")


if __name__ == "__main__":
    main()
