"""Fills ``results/winners.csv``: models found by searches, on rows that no search saw.

    python -m experiments.winners.run --methods keras_tuner_bayesian untuned --splits 0-3

A cell is a data set, a split and a method; what is in the file is not run again, so the command
can be stopped and repeated. Every search of a kind spends the same epochs.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kerashpo as kt
from experiments.winners import peer
from experiments.winners.data import NAMES, Split, split
from experiments.winners.model import BATCH, EPOCHS, builder, objective
from kerashpo.training.data import FitData
from kerashpo.training.ensemble import average_models
from kerashpo.training.loops.compiled.compiled_loop import CompiledLoop
from kerashpo.training.randomness import EpochKeys

PATH = Path(__file__).parent / "results" / "winners.csv"
FIELDS = ("set", "split", "method", "model", "score", "loss", "shown", "epochs", "cpu_seconds")
TRIALS = 25
"""Trainings of `EPOCHS` epochs that a search may spend; Hyperband spends what it plans."""


def untuned(parts: Split, seed: int) -> Iterator[dict[str, Any]]:
    """Yields the default model, and the mean of five trained with different seeds."""
    models = [train(parts, {}, seed * 5 + member, EPOCHS) for member in range(5)]
    yield row("untuned", models[0], parts, EPOCHS)
    names = [f"seed_{i}" for i in range(5)]
    yield row("untuned_5", average_models(models, names), parts, 5 * EPOCHS)


def keras_tuner(kind: str, plain: bool = False) -> Callable[[Split, int], Iterator[dict[str, Any]]]:
    """Returns a method: KerasTuner's winner, and the same refitted as its tutorial advises."""

    def run(parts: Split, seed: int) -> Iterator[dict[str, Any]]:
        found = peer.search(kind, parts, seed, TRIALS, plain)
        yield row("winner", found["model"], parts, found["epochs"], found["shown"])
        both = [np.concatenate(pair) for pair in zip(parts.train, parts.validation)]
        whole = Split((both[0], both[1]), parts.validation, parts.test, parts.classes)
        model = train(whole, found["values"], seed, found["best_epoch"])
        yield row("refit", model, parts, found["epochs"] + found["best_epoch"], found["shown"])

    return run


HYPERBAND_EPOCHS = 922
"""What KerasTuner's Hyperband trains with 50 epochs at most and a factor of 3."""


def kerashpo(kind: str) -> Callable[[Split, int], Iterator[dict[str, Any]]]:
    """Returns a method: our searches with the same epochs, without and with a final round.

    Rows: ``winner`` (one checkpoint, as KerasTuner chooses) and ``ensemble`` (ten best trials
    averaged) of a plain search; ``final`` (the winner's five fold models averaged),
    ``final_all`` (all finalists') and ``single`` (refitted on all rows) of one whose budget
    includes the final round.
    """

    def run(parts: Split, seed: int) -> Iterator[dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            plain = _search(kind, parts, seed, f"{folder}/plain", False)
            shown = plain.results.best.score
            spent = plain.results.epochs
            yield row("winner", plain.results.best_model(), parts, spent, shown)
            yield row("ensemble", plain.results.ensemble(10), parts, spent)
        with tempfile.TemporaryDirectory() as folder:
            tuner = _search(kind, parts, seed, f"{folder}/final", 5)
            final, spent = tuner.results.final, tuner.results.epochs
            yield row("final", final.model, parts, spent, final.score.value)
            yield row("final_all", final.model_all, parts, spent)
            yield row("single", final.single, parts, spent + final.epochs)

    return run


def _search(kind: str, parts: Split, seed: int, folder: str, final_round: Any) -> Any:
    metric, direction = objective(parts.classes)
    shared: dict[str, Any] = {
        "objective": kt.Objective(metric, direction),
        "seed": seed,
        "directory": folder,
    }
    data = {"validation_data": parts.validation, "batch_size": BATCH, "verbose": 0}
    build = builder(parts)
    if kind in ("random", "bayesian"):
        maker = kt.RandomSearch if kind == "random" else kt.BayesianOptimization
        tuner = maker(build, max_trials=TRIALS, **shared)
        tuner.search(*parts.train, epochs=EPOCHS, final_round=final_round, **data)
        return tuner
    bound = {"max_epochs": EPOCHS, "max_epochs_total": HYPERBAND_EPOCHS, **shared}
    if kind == "hyperband":
        tuner = kt.Hyperband(build, factor=3, hyperband_iterations=2, **bound)
    else:
        tuner = kt.Recommended(build, max_trials=None, **bound)
    tuner.search(*parts.train, final_round=final_round, **data)
    return tuner


METHODS: dict[str, Callable[[Split, int], Iterator[dict[str, Any]]]] = {
    "untuned": untuned,
    "keras_tuner_random": keras_tuner("random"),
    "keras_tuner_bayesian": keras_tuner("bayesian"),
    "keras_tuner_hyperband": keras_tuner("hyperband"),
    "keras_tuner_random_plain": keras_tuner("random", plain=True),
    "kerashpo_random": kerashpo("random"),
    "kerashpo_bayesian": kerashpo("bayesian"),
    "kerashpo_hyperband": kerashpo("hyperband"),
    "kerashpo_recommended": kerashpo("recommended"),
}


def train(parts: Split, values: dict[str, Any], seed: int, epochs: int) -> keras.Model:
    """Returns a model of these values, trained on the training rows as ``fit`` trains."""
    from keras_tuner import HyperParameters

    hp = HyperParameters()
    hp.values.update(values)
    keras.utils.set_random_seed(seed)
    model = builder(parts)(hp)
    data = FitData.from_fit(*parts.train, batch_size=BATCH)
    CompiledLoop().train(model, data, 1, epochs, [], EpochKeys(seed, 0, 0))
    return model


def row(
    name: str, model: keras.Model, parts: Split, epochs: int, shown: float | None = None
) -> dict[str, Any]:
    """Returns what a model does on the test rows: accuracy or R2, and loss."""
    logs = model.evaluate(*parts.test, verbose=0, return_dict=True)
    score = logs["accuracy" if parts.classes else "r2_score"]
    return {
        "model": name,
        "score": round(float(score), 6),
        "loss": round(float(logs["loss"]), 6),
        "shown": "" if shown is None else round(float(shown), 6),
        "epochs": epochs,
    }


def read() -> list[dict[str, str]]:
    """Returns the rows that were run."""
    if not PATH.exists():
        return []
    with PATH.open(newline="") as file:
        return list(csv.DictReader(file))


def fill(name: str, number: int, method: str) -> None:
    """Runs one cell and appends its rows."""
    began = time.process_time()
    found = list(METHODS[method](split(name, number), number))
    spent = round(time.process_time() - began, 1)
    PATH.parent.mkdir(exist_ok=True)
    new = not PATH.exists()
    with PATH.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if new:
            writer.writeheader()
        for one in found:
            cell = {"set": name, "split": number, "method": method, "cpu_seconds": spent}
            writer.writerow({**cell, **one})
    print(name, number, method, [(r["model"], r["score"], r["loss"]) for r in found], flush=True)


def numbers(text: str) -> list[int]:
    """Reads ``"0-3"`` or ``"5"``."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--splits", type=numbers, default=numbers("0-7"))
    parser.add_argument("--sets", nargs="+", default=list(NAMES), choices=NAMES)
    options = parser.parse_args()
    done = {(r["set"], r["split"], r["method"]) for r in read()}
    for number in options.splits:
        for name in options.sets:
            for method in options.methods:
                if (name, str(number), method) not in done:
                    fill(name, number, method)


if __name__ == "__main__":
    main()
