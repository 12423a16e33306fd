"""The lab: what its searches hand over, over eight seeds, on the test rows.

    python -m experiments.winners.lab            # resumable; fills results/lab.csv
    python -m experiments.winners.lab --table

The task is `kerashpo.problems.breast_cancer`: its space with 32 to 512 units, its splits. Every
search spends 25 trainings of 50 epochs, or the 922 of KerasTuner's Hyperband, final rounds
included; `NumpyLoop` trains, as in the winners' table.
"""

from __future__ import annotations

import argparse
import csv
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pandas as pd

import kerashpo as kt
from experiments.winners import cheap
from experiments.winners.data import Split
from experiments.winners.model import EPOCHS
from experiments.winners.numpy_loop import LOOP
from experiments.winners.run import HYPERBAND_EPOCHS, TRIALS, numbers
from experiments.winners.scores import members_of, predict, row
from kerashpo.analysis.intervals import interval
from kerashpo.problems.breast_cancer import breast_cancer
from kerashpo.training.data import FitData
from kerashpo.training.randomness import EpochKeys

PATH = Path(__file__).parent / "results" / "lab.csv"
FIELDS = "seed search model score loss shown expected epochs members parameters".split()
TASK = breast_cancer()
FULL = {"epochs": EPOCHS}
SEARCHES: dict[str, tuple[type, dict[str, Any], dict[str, Any]]] = {
    "random": (kt.RandomSearch, {"max_trials": TRIALS}, FULL),
    "bayesian": (kt.BayesianOptimization, {"max_trials": TRIALS}, FULL),
    "hyperband": (
        kt.Hyperband,
        {"max_epochs": EPOCHS, "hyperband_iterations": 2, "max_epochs_total": HYPERBAND_EPOCHS},
        {},
    ),
    "recommended": (
        kt.Recommended,
        {"max_trials": None, "max_epochs": EPOCHS, "max_epochs_total": HYPERBAND_EPOCHS},
        {},
    ),
}


def untuned(parts: Split, seed: int) -> Iterator[dict[str, Any]]:
    """Yields the default model, and the mean of five."""
    from keras_tuner import HyperParameters

    models = []
    for member in range(5):
        keras.utils.set_random_seed(5 * seed + member)
        model = TASK.build(HyperParameters())
        data = FitData.from_fit(*parts.train, batch_size=TASK.batch_size)
        LOOP.train(model, data, 1, EPOCHS, [], EpochKeys(5 * seed + member, 0, 0))
        models.append(model)
    found = predict(models, parts.test[0])
    yield row("untuned", found[:1], parts, EPOCHS, models[:1])
    yield row("untuned_5", found, parts, 5 * EPOCHS, models)


def searched(kind: str) -> Callable[[Split, int], Iterator[dict[str, Any]]]:
    """Returns a method: winner and averages of a plain search, and those of a final round.

    The recommended tuner has a final round by itself, so it does not search without one.
    """
    make, options, fit = SEARCHES[kind]

    def run(parts: Split, seed: int) -> Iterator[dict[str, Any]]:
        for folds in (5,) if kind == "recommended" else (False, 5):
            with tempfile.TemporaryDirectory() as folder:
                tuner = make(TASK.build, TASK.objective, seed=seed, directory=folder, **options)
                tuner.search(
                    *parts.train,
                    validation_data=parts.validation,
                    batch_size=TASK.batch_size,
                    verbose=0,
                    final_round=folds,
                    **fit,
                )
                yield from _rows(tuner, parts, bool(folds))

    return run


def _rows(tuner: Any, parts: Split, final_round: bool) -> Iterator[dict[str, Any]]:
    results, x = tuner.results, parts.test[0]
    if not final_round:
        models = tuner.get_best_models(10)
        found, best = predict(models, x), results.best
        said = {"shown": best.score}
        first = row("winner", found[:1], parts, results.epochs, models[:1], **said)
        yield {**first, "expected": round(best.expected.value, 6)}
        for name, k in (("ensemble_5", 5), ("ensemble", 10)):
            yield row(name, found[:k], parts, results.epochs, models[:k])
        return
    final = results.final
    winners, whole = members_of(final.model), final.model_all
    first = row("final", predict(winners, x), parts, results.epochs, winners)
    yield {**first, "shown": "", "expected": round(final.score.value, 6)}
    yield row("final_all", predict([whole], x), parts, results.epochs, members_of(whole))


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns means over seeds with 95 % intervals: accuracy, loss and the messages before."""
    lines = []
    for (search, model), group in rows.groupby(["search", "model"], sort=False):
        score, loss = interval([*100 * group.score]), interval([*group.loss])
        lines.append(
            {
                "search": search,
                "model": model,
                "seeds": len(group),
                "accuracy": f"{score.mean:.2f} ±{score.half:.2f}",
                "loss": f"{loss.mean:.3f} ±{loss.half:.3f}",
                "shown": _percent(group.shown.mean()),
                "expected": _percent(group.expected.mean()),
                "epochs": round(group.epochs.mean()),
                "networks": round(group.members.mean()),
            }
        )
    return pd.DataFrame(lines)


def _percent(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.2f}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true", help="print what was measured")
    parser.add_argument("--seeds", type=numbers, default=numbers("0-7"))
    parser.add_argument("--searches", nargs="+", choices=("untuned", *SEARCHES))
    options = parser.parse_args()
    if options.table:
        print(table(pd.read_csv(PATH)).to_string(index=False))
        return
    done = set()
    if PATH.exists():
        done = set(pd.read_csv(PATH)[["seed", "search"]].itertuples(index=False, name=None))
    methods = {"untuned": untuned, **{kind: searched(kind) for kind in SEARCHES}}
    for name in options.searches or methods:
        for seed in options.seeds:
            if (seed, name) not in done:
                _fill(seed, name, methods[name])


def _fill(seed: int, name: str, method: Callable[[Split, int], Iterator[dict[str, Any]]]) -> None:
    loaded = TASK.load(seed)
    parts: Any = SimpleNamespace(
        train=loaded.train, validation=loaded.validation, test=loaded.test, classes=2
    )
    with cheap.cheaper():
        found = list(method(parts, seed))
    with PATH.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, extrasaction="ignore")
        if file.tell() == 0:
            writer.writeheader()
        writer.writerows({"seed": seed, "search": name, **one} for one in found)
    print(seed, name, ", ".join(f"{r['model']} {r['score']:.4f} {r['loss']:.3f}" for r in found))


if __name__ == "__main__":
    main()
