"""`auto`: the algorithm that measured tables recommend for a space, a budget and workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.earlier_studies import EarlierStudy, Pairs, read_sources
from kerashpo.algorithms.wrappers import BestFirst
from kerashpo.core.errors import require_integer
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, NotReady
from kerashpo.space.space import Space

CHOSEN, BECAUSE = "chosen_algorithm", "chosen_because"
"""Entries of a study's environment: what `auto` chose, and why."""

ALL_AT_ONCE = "every trial starts before the first result is known, so only an even spread helps"
FRONT = "its expected hypervolume improvement searches for several objectives"
MEASURED = "it has the lowest regret of all algorithms in our measurements of such searches"


def choose(
    space: Space, budget: int | None, workers: int, several: bool = False
) -> tuple[str, str]:
    """Returns the name of the algorithm that measured tables recommend, and the reason.

    The tables are those of ``experiments/suggestions``.

    Args:
        space: the search space.
        budget: how many trials there will be at most; None if it is not known.
        workers: how many trials run in parallel.
        several: whether several objectives rank.
    """
    if budget is not None and 1 < budget <= workers:
        return "sobol", ALL_AT_ONCE
    if several:
        return "bayesian", FRONT
    return "bayesian", MEASURED


def chosen_of(history: History) -> str:
    """Returns the name of the algorithm that `auto` uses in a study.

    It is the stored one, so that a resumed study with more trials or workers keeps it; in a study
    of another algorithm, that one.
    """
    recorded = history.environment.get(CHOSEN) or history.settings.get("algorithm", "auto")
    if recorded != "auto":
        return str(recorded)
    return choose(Space.from_json(history.space), None, 1, history.several)[0]


def choice_notes(environment: Mapping[str, object]) -> tuple[str, ...]:
    """Returns the plan's note of a stored choice, none if nothing was chosen."""
    if CHOSEN not in environment:
        return ()
    return (f"auto chose {environment[CHOSEN]}: {environment[BECAUSE]}",)


@final
class AutomaticChoice(Algorithm):
    """Automatic choice of the algorithm; proposes what the chosen one proposes.

    Args:
        space: the search space.
        seed: the study's seed.
        max_trials: the most trials, None if unknown.
        workers: how many trials run in parallel.
        warm_start: see `BayesianOptimization`.

    Raises:
        InvalidInput: for a number out of range.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        max_trials: int | None = None,
        workers: int = 1,
        warm_start: History | Pairs | Sequence[EarlierStudy] = (),
    ) -> None:
        super().__init__(space, seed)
        if max_trials is not None:
            require_integer("max_trials", max_trials, 1)
        require_integer("workers", workers, 1)
        name, _ = choose(space, max_trials, workers)
        # They import scipy, which `choose` and resuming a random search do without.
        from kerashpo.algorithms.bayesian import BayesianOptimization
        from kerashpo.algorithms.sobol import SobolSearch

        if name == "bayesian":
            self._chosen: Algorithm = BayesianOptimization(space, seed, warm_start=warm_start)
        else:
            self._chosen = BestFirst(SobolSearch(space, seed), read_sources(warm_start, space))

    def ask(self, trial: int, history: History) -> Config | NotReady | Exhausted:
        return self._chosen.ask(trial, history)
