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
from experiments.winners import cheap, peer
from experiments.winners.data import NAMES, Split, split
from experiments.winners.model import BATCH, EPOCHS, builder, objective
from experiments.winners.numpy_loop import LOOP
from experiments.winners.scores import members_of, predict, row, score_and_loss
from kerashpo.analysis.fold_scores import mean_score, values_of
from kerashpo.training.data import FitData
from kerashpo.training.randomness import EpochKeys

PATH = Path(__file__).parent / "results" / "winners.csv"
FIELDS = (
    "set split labels method model score loss shown low high epochs members parameters cpu_seconds"
).split()
TRIALS = 25
"""Trainings of `EPOCHS` epochs that a search may spend; Hyperband spends what it plans."""
HYPERBAND_EPOCHS = 922
"""What KerasTuner's Hyperband trains with 50 epochs at most and a factor of 3."""
CONTROL = ("australian", "heart", "sonar")
"""Data sets of the control with shuffled labels."""
Rows = Iterator[dict[str, Any]]


def untuned(parts: Split, seed: int) -> Rows:
    """Yields the default model, and the mean of five trained with different seeds."""
    models = [train(parts, {}, seed * 5 + member, EPOCHS) for member in range(5)]
    found = predict(models, parts.test[0])
    yield row("untuned", found[:1], parts, EPOCHS, models[:1])
    yield row("untuned_5", found, parts, 5 * EPOCHS, models)


def keras_tuner(kind: str) -> Callable[[Split, int], Rows]:
    """Returns a method: KerasTuner's winner, and the same refitted as its tutorial advises."""

    def run(parts: Split, seed: int) -> Rows:
        found = peer.search(kind, parts, seed, TRIALS)
        reported = {"parts": parts, "shown": found["shown"]}
        best, spent = [found["model"]], found["epochs"]
        yield row("winner", predict(best, parts.test[0]), epochs=spent, members=best, **reported)
        both = [np.concatenate(pair) for pair in zip(parts.train, parts.validation)]
        whole = Split((both[0], both[1]), parts.validation, parts.test, parts.classes)
        again = [train(whole, found["values"], seed, found["best_epoch"])]
        spent += found["best_epoch"]
        yield row("refit", predict(again, parts.test[0]), epochs=spent, members=again, **reported)

    return run


def kerashpo(kind: str, plain: bool = True) -> Callable[[Split, int], Rows]:
    """Returns a method: our searches with the same epochs, without and with a final round.

    Rows: ``winner`` (one checkpoint, as KerasTuner chooses), ``ensemble`` (ten best trials
    averaged), ``ensemble_3``, ``ensemble_5`` and ``pruned_3`` (the three of the ten whose mean
    has the lowest validation loss) of a plain search; ``final`` (the winner's five fold models
    averaged), ``final_all`` (all finalists', weighted by ensemble selection), ``single``
    (refitted on all rows) and ``final_ensemble`` (the best trials of its search) of one whose
    budget includes the final round.

    Args:
        kind: of the search.
        plain: whether to search without a final round, too.
    """

    def run(parts: Split, seed: int) -> Rows:
        if plain:
            with tempfile.TemporaryDirectory() as folder:
                yield from _plain_rows(search(kind, parts, seed, folder, False), parts)
        with tempfile.TemporaryDirectory() as folder:
            yield from _final_rows(search(kind, parts, seed, folder, 5), parts)

    return run


def _plain_rows(tuner: Any, parts: Split) -> Rows:
    spent, x = tuner.results.epochs, parts.test[0]
    models = tuner.get_best_models(10)
    found = predict(models, x)
    best = tuner.results.best.score
    yield row("winner", found[:1], parts, spent, models[:1], best)
    for name, k in (("ensemble_3", 3), ("ensemble_5", 5), ("ensemble", 10)):
        yield row(name, found[:k], parts, spent, models[:k])
    chosen = pruned(predict(models, parts.validation[0]), parts)
    yield row("pruned_3", found[chosen], parts, spent, [models[i] for i in chosen])


def _final_rows(tuner: Any, parts: Split) -> Rows:
    final, spent, x = tuner.results.final, tuner.results.epochs, parts.test[0]
    winners = members_of(final.model)
    # Their mean with Student's interval: summary.py has what the final round says itself.
    folds = mean_score(
        values_of(tuner.results.history, tuner.results.history.trials[final.winner]), ""
    )
    yield row("final", predict(winners, x), parts, spent, winners, folds)
    whole = final.model_all
    yield row("final_all", predict([whole], x), parts, spent, members_of(whole))
    single = [final.single]
    yield row("single", predict(single, x), parts, spent + final.epochs, single)
    ten = members_of(tuner.results.ensemble(10))
    yield row("final_ensemble", predict(ten, x), parts, spent, ten)


def pruned(validated: np.ndarray, parts: Split, size: int = 3) -> list[int]:
    """Returns the members whose mean has the lowest validation loss, added one at a time."""
    chosen: list[int] = []
    for _ in range(min(size, len(validated))):
        losses = {
            i: score_and_loss(
                validated[[*chosen, i]].mean(axis=0), parts.validation[1], parts.classes
            )[1]
            for i in range(len(validated))
            if i not in chosen
        }
        chosen.append(min(losses, key=losses.__getitem__))
    return chosen


def search(
    kind: str, parts: Split, seed: int, folder: str, final_round: Any, **options: Any
) -> Any:
    """Returns one of our tuners after its search."""
    metric, direction = objective(parts.classes)
    shared: dict[str, Any] = {
        "objective": kt.Objective(metric, direction),
        "seed": seed,
        "directory": folder,
        **options,
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


METHODS: dict[str, Callable[[Split, int], Rows]] = {
    "untuned": untuned,
    "keras_tuner_bayesian": keras_tuner("bayesian"),
    "kerashpo_bayesian": kerashpo("bayesian"),
    "keras_tuner_hyperband": keras_tuner("hyperband"),
    "kerashpo_hyperband": kerashpo("hyperband"),
    "kerashpo_recommended": kerashpo("recommended", plain=False),
}
FURTHER = {
    "keras_tuner_random": keras_tuner("random"),
    "kerashpo_random": kerashpo("random"),
}
"""Run where they are named."""


def train(parts: Split, values: dict[str, Any], seed: int, epochs: int) -> keras.Model:
    """Returns a model of these values, trained on the training rows as ``fit`` trains."""
    from keras_tuner import HyperParameters

    hp = HyperParameters()
    hp.values.update(values)
    keras.utils.set_random_seed(seed)
    model = builder(parts)(hp)
    data = FitData.from_fit(*parts.train, batch_size=BATCH)
    LOOP.train(model, data, 1, epochs, [], EpochKeys(seed, 0, 0))
    return model


def read() -> list[dict[str, str]]:
    """Returns the rows that were run."""
    if not PATH.exists():
        return []
    with PATH.open(newline="") as file:
        return list(csv.DictReader(file))


def fill(name: str, number: int, labels: str, method: str) -> None:
    """Runs one cell and appends its rows."""
    began = time.process_time()
    parts = split(name, number, shuffled_labels=labels == "shuffled")
    with cheap.cheaper():
        found = list((METHODS | FURTHER)[method](parts, number))
    spent = round(time.process_time() - began, 1)
    PATH.parent.mkdir(exist_ok=True)
    new = not PATH.exists()
    with PATH.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if new:
            writer.writeheader()
        cell = {"set": name, "split": number, "labels": labels, "method": method}
        for one in found:
            writer.writerow({**cell, "cpu_seconds": spent, **one})
    reported = ", ".join(f"{r['model']} {r['score']:.4f} {r['loss']:.3f}" for r in found)
    print(f"{name} {number} {labels} {method}, {spent} s: {reported}", flush=True)


def numbers(text: str) -> list[int]:
    """Reads ``"0-3"`` or ``"5"``."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", default=[*METHODS], choices=METHODS | FURTHER)
    parser.add_argument("--splits", type=numbers, default=numbers("0-7"))
    parser.add_argument("--sets", nargs="+", choices=NAMES)
    parser.add_argument("--labels", default="true", choices=("true", "shuffled"))
    parser.add_argument("--until", help="begin no cell after this time of day, e.g. 12:45")
    options = parser.parse_args()
    sets = options.sets or (NAMES if options.labels == "true" else CONTROL)
    done = {(r["set"], r["split"], r["labels"], r["method"]) for r in read()}
    for number in options.splits:
        for name in sets:
            for method in options.methods:
                if options.until and time.strftime("%H:%M") >= options.until:
                    return
                if (name, str(number), options.labels, method) not in done:
                    fill(name, number, options.labels, method)


if __name__ == "__main__":
    main()
