"""The peers, each a search over one task, one trial after another, that fills a `Tally`."""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from experiments.schedulers.lcbench import EPOCHS, LCBench
from experiments.schedulers.traces import Tally
from kerashpo.core.rng import stream
from kerashpo.space.cube import Cube

FACTOR = 3
Search = Callable[[LCBench, int, int], Tally]


class BudgetSpent(Exception):
    """The budget of epochs is used up."""


class Bench:
    """Trains configurations epoch by epoch until the budget is spent."""

    def __init__(self, problem: LCBench, budget: int) -> None:
        self.problem, self.budget, self.tally = problem, budget, Tally()

    def epoch(self, config: dict[str, Any], epoch: int) -> float:
        """Trains one epoch and returns its value."""
        if self.tally.epochs >= self.budget:
            raise BudgetSpent
        value, seconds = self.problem.evaluate(config, epoch)
        before = self.problem.evaluate(config, epoch - 1)[1] if epoch > 1 else 0.0
        self.tally.add(value, seconds - before)
        return value

    def train(self, config: dict[str, Any], done: int, until: int) -> float:
        """Trains epochs (done, until] and returns the best of their values."""
        return max((self.epoch(config, e) for e in range(done + 1, until + 1)), default=-math.inf)


def keras_tuner_table(max_epochs: int, factor: int) -> list[list[tuple[int, int]]]:
    """Returns KerasTuner's brackets in the order it runs them: (trials, epochs) by round.

    Source: keras_tuner 1.4.8, tuners/hyperband.py, `_get_num_brackets` (down to three
    epochs), `_get_size` and `_get_epochs`.
    """
    brackets, epochs = 0, float(max_epochs)
    while epochs >= 3:
        epochs /= factor
        brackets += 1
    ends = math.ceil(1 + math.log(max_epochs, factor))
    return [
        [
            (
                math.ceil(ends / (bracket + 1) * factor ** (bracket - turn)),
                math.ceil(max_epochs / factor ** (bracket - turn)),
            )
            for turn in range(bracket + 1)
        ]
        for bracket in range(brackets - 1, -1, -1)
    ]


def keras_tuner(problem: LCBench, seed: int, budget: int) -> Tally:
    """KerasTuner's Hyperband schedule over random configurations; promoted trials resume."""
    return _brackets(problem, seed, budget, keras_tuner_table(EPOCHS, FACTOR))


def top_k(problem: LCBench, seed: int, budget: int) -> Tally:
    """27 random configurations through 6 epochs, the best 3 of them to the end, and again."""
    return _brackets(problem, seed, budget, [[(27, 6), (3, EPOCHS)]])


def _brackets(
    problem: LCBench, seed: int, budget: int, table: list[list[tuple[int, int]]]
) -> Tally:
    bench, rng = Bench(problem, budget), stream(seed, "peer")
    try:
        while True:
            for bracket in table:
                _bracket(bench, bracket, rng)
    except BudgetSpent:
        return bench.tally


def _bracket(bench: Bench, rounds: list[tuple[int, int]], rng: np.random.Generator) -> None:
    members: list[tuple[float, dict[str, Any]]] = [
        (-math.inf, dict(bench.problem.space.sample(rng))) for _ in range(rounds[0][0])
    ]
    done = 0
    for size, until in rounds:
        ranked = sorted(members, key=lambda member: -member[0])[:size]
        members = [(max(best, bench.train(c, done, until)), c) for best, c in ranked]
        done = until


def optuna_search(sampler: str, pruner: str) -> Search:
    """Returns Optuna's sampler under one of its pruners (or none), one trial after another."""

    def search(problem: LCBench, seed: int, budget: int) -> Tally:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(
            direction="maximize", sampler=_sampler(sampler, seed), pruner=_pruner(pruner)
        )
        bench = Bench(problem, budget)

        def objective(trial: optuna.Trial) -> float:
            config, best = _suggest(trial), -math.inf
            for epoch in range(1, EPOCHS + 1):
                best = max(best, bench.epoch(config, epoch))
                trial.report(best, epoch)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return best

        with contextlib.suppress(BudgetSpent):
            study.optimize(objective, n_trials=budget, catch=())
        return bench.tally

    return search


def _sampler(name: str, seed: int) -> Any:
    import optuna

    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed)


def _pruner(name: str) -> Any:
    import optuna

    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(1, EPOCHS, FACTOR)
    if name == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(1, FACTOR, 0)
    return optuna.pruners.NopPruner()


def _suggest(trial: Any) -> dict[str, Any]:
    return {
        "batch_size": trial.suggest_int("batch_size", 16, 512, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "momentum": trial.suggest_float("momentum", 0.1, 0.99),
        "weight_decay": trial.suggest_float("weight_decay", 1e-5, 1e-1),
        "num_layers": trial.suggest_int("num_layers", 1, 5),
        "max_units": trial.suggest_int("max_units", 64, 1024, log=True),
        "max_dropout": trial.suggest_float("max_dropout", 0.0, 1.0),
    }


def syne_tune_search(name: str) -> Search:
    """Returns Syne Tune's ASHA (which stops trials) or its BOHB, one trial after another."""

    def search(problem: LCBench, seed: int, budget: int) -> Tally:
        scheduler, trial_class = _syne_tune(name, seed)
        bench, number = Bench(problem, budget), 0
        try:
            while True:
                suggested = scheduler.suggest()
                trial = trial_class(number, suggested.config, datetime(2000, 1, 1))
                scheduler.on_trial_add(trial)
                _syne_tune_trial(bench, scheduler, trial)
                number += 1
        except BudgetSpent:
            return bench.tally

    return search


def _syne_tune(name: str, seed: int) -> tuple[Any, Any]:
    from syne_tune.backend.trial_status import Trial
    from syne_tune.config_space import lograndint, loguniform, randint, uniform
    from syne_tune.optimizer import baselines

    np.random.seed(seed)  # noqa: NPY002 - its schedulers draw from numpy's global generator
    space = {
        "batch_size": lograndint(16, 512),
        "learning_rate": loguniform(1e-4, 1e-1),
        "momentum": uniform(0.1, 0.99),
        "weight_decay": uniform(1e-5, 1e-1),
        "num_layers": randint(1, 5),
        "max_units": lograndint(64, 1024),
        "max_dropout": uniform(0.0, 1.0),
    }
    found = getattr(baselines, name)(
        config_space=space,
        metric="value",
        time_attr="epoch",
        max_t=EPOCHS,
        do_minimize=False,
        random_seed=seed,
        reduction_factor=FACTOR,
    )
    return found, Trial


def _syne_tune_trial(bench: Bench, scheduler: Any, trial: Any) -> None:
    for epoch in range(1, EPOCHS + 1):
        result = {"value": bench.epoch(trial.config, epoch), "epoch": epoch}
        if scheduler.on_trial_result(trial, result) != "CONTINUE":
            scheduler.on_trial_remove(trial)
            return


def dehb_package(problem: LCBench, seed: int, budget: int) -> Tally:
    """The package dehb with its defaults, brackets of 2, 6, 17 and 51 epochs as ours has.

    A configuration that was trained before goes on from there, as in ours: kinder than the package
    is to itself, which trains anew. Its environment needs numpy before 2.
    """
    from dehb import DEHB

    bench, cube = Bench(problem, budget), Cube(problem.space)
    done: dict[bytes, tuple[int, float]] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(BudgetSpent):
        search = DEHB(
            f=None,
            dimensions=cube.dim,
            min_fidelity=1,
            max_fidelity=EPOCHS,
            eta=FACTOR,
            n_workers=1,
            seed=seed,
            save_freq="end",
            output_path=folder,
        )
        while True:
            job = search.ask()
            row = cube.snap(np.asarray(job["config"])[None])[0]
            trained, best = done.get(cube.key(row), (0, -math.inf))
            until = max(trained, round(job["fidelity"]))
            best = max(best, bench.train(dict(cube.decode(row)), trained, until))
            done[cube.key(row)] = until, best
            search.tell(job, {"fitness": -best, "cost": until - trained})
    return bench.tally


PEERS: dict[str, Search] = {
    "dehb_package": dehb_package,
    "keras_tuner": keras_tuner,
    "top_k": top_k,
    "optuna_random_halving": optuna_search("random", "halving"),
    "optuna_tpe": optuna_search("tpe", "none"),
    "optuna_tpe_halving": optuna_search("tpe", "halving"),
    "optuna_tpe_hyperband": optuna_search("tpe", "hyperband"),
    "syne_tune_asha": syne_tune_search("ASHA"),
    "syne_tune_bohb": syne_tune_search("BOHB"),
}
