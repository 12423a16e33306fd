"""Transfer with several objectives: a search that knows searches on the other data set.

    python -m experiments.suggestions.transfer_several --seeds 0-9

The tasks are those of ``experiments/objectives``: two data sets of a benchmark, two pairs of
objectives each. The earlier studies are our own searches of 50 trials on the other data set,
with a seed of their own. ``warm`` has the one with the same objectives and the one that has only
the first of them; ``adversarial`` the first of these twice, once with its values upside down.
Each finished search appends the shares of the best hypervolume to
``results/transfer/several_<method>.csv``; resumable.
"""

from __future__ import annotations

import argparse
from functools import cache

import numpy as np
import pandas as pd

from experiments.objectives.tables import DEVELOPMENT, TableTask
from experiments.suggestions.run import append, finished, seeds_of
from experiments.suggestions.scores import student
from experiments.suggestions.transfer import APART, EARLIER, FOLDER, METHODS
from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.algorithms.earlier_studies import EarlierStudy, Values
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Exhausted, Report, Start, Status

AT = (3, 10, 25, 50)
task_of = cache(lambda name: TableTask(*PLACES[name]))
PLACES = {"/".join((place[0], place[1], "+".join(place[2]))): place for place in DEVELOPMENT}


def search(name: str, seed: int, sources: list[EarlierStudy], trials: int) -> History:
    """Returns the history of a search, as the study's loop would keep it."""
    task = task_of(name)
    algorithm = BayesianOptimization(task.space, seed, warm_start=sources)
    objectives = tuple((metric, "min") for metric in task.metrics)
    history = History([StudyCreated(algorithm.space.to_json(), objectives, seed)])
    for trial in range(trials):
        config = algorithm.ask(trial, history)
        if isinstance(config, Exhausted):
            raise LookupError("nothing is left to suggest")
        history.apply(JobStarted(Start(trial, config, 1)))
        values = dict(zip(task.metrics, task.costs(config)))
        history.apply(Reported(Report(trial, 0, 1, values, 0.0)))
        history.apply(Ended(trial, Status.COMPLETED, "completed"))
    return history


@cache
def earlier(name: str, seed: int) -> History:
    """Returns a finished search on a task."""
    return search(name, seed + APART, [], EARLIER)


def study(name: str, seed: int, metrics: tuple[str, ...], sign: float = 1.0) -> EarlierStudy:
    """Returns an earlier study with its values of some metrics, None where it has none."""
    rows: list[tuple[dict[str, object], Values]] = []
    for trial in earlier(name, seed).trials.values():
        known = {metric: sign * value for metric, value in trial.values.items()}
        rows.append((dict(trial.config), tuple(known.get(metric) for metric in metrics)))
    return EarlierStudy(tuple(rows), name)  # type: ignore[arg-type]


def sources(name: str, seed: int, method: str) -> list[EarlierStudy]:
    """Returns the earlier studies that a method is given."""
    if method == "cold":
        return []
    benchmark, data, metrics = PLACES[name]
    others = [one for one, place in PLACES.items() if place[0] == benchmark and place[1] != data]
    same = next(one for one in others if PLACES[one][2] == metrics)
    if method == "adversarial":
        return [study(same, seed, metrics, -1.0), study(same, seed, metrics)]
    return [study(one, seed, metrics) for one in (same, *(o for o in others if o != same))]


def shares(name: str, seed: int, method: str) -> list[float]:
    """Returns the share of the table's hypervolume after each number of trials."""
    found = search(name, seed, sources(name, seed, method), max(AT))
    costs = np.array([trial.costs for trial in found.trials.values()])
    return [task_of(name).share(costs[:at]) for at in AT]


def table() -> str:
    """Returns the mean shares, and the gains on the cold search of the same task and seed."""
    paths = {method: FOLDER / f"several_{method}.csv" for method in METHODS}
    found = {
        method: pd.read_csv(path).set_index(["task", "seed"])
        for method, path in paths.items()
        if path.exists()
    }
    columns = [(kind, at) for kind in ("nasbench201", "hpolib") for at in AT]
    lines = ["| | seeds | " + " | ".join(f"{k}, {t}" for k, t in columns) + " |"]
    lines.append("|---" * (2 + len(columns)) + "|")
    for method, frame in found.items():
        seeds = frame.index.get_level_values("seed").nunique()
        means = [frame[f"at_{at}"][_of(frame.index, kind)].mean() for kind, at in columns]
        lines.append(f"| {method} | {seeds} | " + " | ".join(f"{m:.3f}" for m in means) + " |")
    for method in found:
        if method != "cold":
            both = found[method].index.intersection(found["cold"].index)
            gain = found[method].loc[both] - found["cold"].loc[both]
            cells = [
                student(gain[f"at_{at}"][_of(both, kind)].groupby("seed").mean())
                for kind, at in columns
            ]
            told = " | ".join(f"{mean:+.3f} ± {half:.3f}" for mean, half, _ in cells)
            lines.append(f"| {method} minus cold | {cells[0][2]} | {told} |")
    return "\n".join(lines)


def _of(index: pd.Index, kind: str) -> list[bool]:
    return [task.startswith(kind) for task, _ in index]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", default="0-9")
    parser.add_argument("--table", action="store_true", help="print, run nothing")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for seed in [] if options.table else seeds_of(options.seeds):
        for method in options.methods:
            path = FOLDER / f"several_{method}.csv"
            done = finished(path)
            for name in PLACES:
                if (name, seed) not in done:
                    row = [name, seed, *(f"{one:.5f}" for one in shares(name, seed, method))]
                    append(path, ["task", "seed", *(f"at_{at}" for at in AT)], [row])
    print(table())


if __name__ == "__main__":
    main()
