"""The tuners of a comparison by name, and the budget of each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec

from kerashpo.algorithms.registry import algorithm_entry
from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.core.import_string import is_import_string, short_name
from kerashpo.problems.task import Task
from kerashpo.schedulers.hyperband import Hyperband
from kerashpo.schedulers.registry import scheduler_class, tuner_pair

OURS = (
    "hyperband", "bayesian", "random", "asha", "bohb", "recommended", "pbt",
    "dehb", "auto", "tpe", "cmaes", "de", "pso", "policy", "sobol", "nsga2",
)  # fmt: skip
MEMBERS = 8
"""The usual population of `PBT`."""
PEERS = (
    "keras_tuner.hyperband", "keras_tuner.bayesian", "optuna.tpe", "optuna.gp", "optuna.nsga2",
)  # fmt: skip
TUNERS = (*OURS, *PEERS)
BASELINES = ("default", "rival", "majority", "mean")
"""The untuned model, a problem's simple rival, and the answers that need no model."""
UNTRAINED = ("rival", "majority", "mean")

_NEEDS = {
    "optuna.tpe": ("optuna",),
    "optuna.gp": ("optuna", "torch"),
    "optuna.nsga2": ("optuna",),
}
INITIAL_POINTS = ("bayesian", "keras_tuner.bayesian", "optuna.tpe", "optuna.gp")
"""Tuners that get a number of initial points."""


def name_of(tuner: str) -> str:
    """Returns the name of a tuner in tables; ``my_file.function`` for an import string."""
    return short_name(tuner) if is_import_string(tuner) else tuner


def has_rungs(tuner: str) -> bool:
    """Returns whether a tuner's budget depends on the reduction factor."""
    return _scheduler(tuner) not in ("full", "pbt")


@dataclass(frozen=True, slots=True)
class TunerBudget:
    """The budget of one search.

    Attributes:
        trials: configurations to start; None where the epochs alone bound the search. Of a
            population its members.
        epochs: epochs in all, an upper bound.
        rounds: how often Hyperband's set of brackets is run at most.
        max_epochs: the most epochs of one trial.
        factor: the reduction factor of Hyperband and ASHA.
    """

    trials: int | None
    epochs: int
    rounds: int = 1
    max_epochs: int = 0
    factor: int = 3


def allowance(
    tuner: str, max_epochs: int, factor: int, max_trials: int, total: int | None
) -> TunerBudget:
    """Returns the budget of a tuner or baseline.

    With `total` epochs every tuner gets the same: those that train each trial fully start
    as many trials as that pays for (or members of a population), Hyperband repeats its
    brackets until it is used up.
    Without it each one gets its usual budget: `max_trials` full trainings, or one set of
    brackets; asynchronous halving gets the epochs of Hyperband's set.

    Args:
        tuner: one of `TUNERS` or `BASELINES`, or the name of a tuner from outside.
        max_epochs: the most epochs of a trial.
        factor: Hyperband's reduction factor.
        max_trials: trials of the tuners that train each one fully.
        total: epochs in all, None for each tuner's usual budget.
    """
    trials, epochs, rounds = _spent(tuner, max_epochs, factor, max_trials, total)
    return TunerBudget(trials, epochs, rounds, max_epochs, factor)


def _spent(
    tuner: str, max_epochs: int, factor: int, max_trials: int, total: int | None
) -> tuple[int | None, int, int]:
    """Returns trials, epochs and rounds."""
    if tuner in UNTRAINED:
        return 0, 0, 1
    if tuner == "default":
        return 1, max_epochs, 1
    theirs = tuner.startswith("keras_tuner")
    band = keras_tuner_band if theirs else _our_band
    scheduler = _scheduler(tuner)
    if scheduler == "hyperband":
        trials, epochs = band(max_epochs, factor)
        if total is None:
            return trials, epochs, 1
        return None, total, math.ceil(total / epochs) + 1
    if scheduler == "asha":
        return None, total or _our_band(max_epochs, factor)[1], 1
    if scheduler == "pbt":
        members = MEMBERS if total is None else max(1, total // max_epochs)
        return members, members * max_epochs, 1
    trials = max_trials if total is None else total // max_epochs
    return trials, trials * max_epochs, 1


def _scheduler(tuner: str) -> str:
    """Returns the scheduler of a tuner, a name of `kerashpo.schedulers.registry`."""
    if tuner in OURS:
        return tuner_pair(tuner).scheduler
    return "hyperband" if tuner == "keras_tuner.hyperband" else "full"


def trains_fully(tuner: str) -> bool:
    """Returns whether a tuner of ours or a baseline takes its epochs from `search`."""
    return _scheduler(tuner) == "full"


def searches_for_fronts(tuner: str) -> bool:
    """Returns whether a tuner searches for the Pareto front where there are several objectives."""
    if tuner not in OURS:
        return not tuner.startswith("keras_tuner.")
    pair = tuner_pair(tuner)
    return algorithm_entry(pair.algorithm).several and scheduler_class(pair.scheduler).several


def check_objectives(tuners: Iterable[str], tasks: Iterable[Task], final_round: int) -> None:
    """Checks that every tuner can search for the front of each task with several objectives.

    Args:
        tuners: names and import strings; what comes from outside is not known and passes.
        tasks: the problems.
        final_round: folds that were asked for, 0 for none.

    Raises:
        InvalidInput: naming the tuners that cannot, and those that can.
    """
    task = next((task for task in tasks if task.further), None)
    if task is None:
        return
    what = f"The problem {task.name!r} has several objectives " + (
        f"({', '.join(one.name for one in task.objectives)})"
    )
    unable = [one for one in tuners if one in TUNERS and not searches_for_fronts(one)]
    if unable:
        able = ", ".join(filter(searches_for_fronts, TUNERS))
        raise InvalidInput(
            f"{what}, and {', '.join(unable)} compare trials by one number. Choose among: {able}."
        )
    if final_round:
        raise InvalidInput(f"{what}, and a final round chooses by one. Leave out --final-round.")


def _our_band(max_epochs: int, factor: int) -> tuple[int, int]:
    plan = Hyperband(max_epochs, factor).plan()
    return plan.trials or 0, plan.epochs or 0


def keras_tuner_band(max_epochs: int, factor: int) -> tuple[int, int]:
    """Returns trials and epochs of one set of brackets of KerasTuner's Hyperband.

    Source: keras_tuner 1.4.8, tuners/hyperband.py: `_get_num_brackets`, `_get_size` and
    `_get_epochs`; a promoted trial resumes from its weights. Brackets begin at one epoch.
    """
    brackets, left = 0, float(max_epochs)
    while left >= 1:
        left, brackets = left / factor, brackets + 1
    ends = math.ceil(1 + math.log(max_epochs, factor))
    trials = epochs = 0
    for bracket in range(brackets):
        before = 0
        for turn in range(bracket + 1):
            size = math.ceil(ends / (bracket + 1) * factor ** (bracket - turn))
            until = math.ceil(max_epochs / factor ** (bracket - turn))
            trials += size if turn == 0 else 0
            epochs, before = epochs + size * (until - before), until
    return trials, epochs


def require_installed(tuners: Iterable[str]) -> None:
    """Checks that the packages that other libraries' tuners need are installed.

    Raises:
        MissingExtra: naming the tuner, what it needs and the extra that brings it.
    """
    for tuner in tuners:
        missing = [name for name in _NEEDS.get(tuner, ()) if find_spec(name) is None]
        if missing:
            raise MissingExtra(
                f"The tuner {tuner!r} needs {' and '.join(missing)}, not installed here. Install "
                "the extra: python -m pip install 'kerashpo[peers]' (in this repository: "
                "python -m pip install -c constraints.txt -e '.[peers]')."
            )
