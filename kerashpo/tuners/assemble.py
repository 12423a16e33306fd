"""Assembles a search from its arguments, for tuners, `optimize` and `simulate`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from kerashpo.algorithms.automatic_choice import BECAUSE, CHOSEN, choose
from kerashpo.algorithms.earlier_studies import EarlierStudy
from kerashpo.core.objective import several_rank
from kerashpo.core.records import Config, Objective
from kerashpo.space.space import Space
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.loop import Limits
from kerashpo.study.run_study import SearchParts, provenance
from kerashpo.tuners.describe import describe
from kerashpo.tuners.strategy import Strategy


@final
@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts of a search, before a study is opened or a model trained.

    Attributes:
        spec: the settings that a study stores, and compares when it is resumed.
        parts: the parts that the loop runs: algorithm, a fresh scheduler, limits.
    """

    spec: StudySpec
    parts: SearchParts


def assemble(
    space: Space,
    objectives: Sequence[Objective],
    seed: int | None,
    strategy: Strategy,
    limits: Limits,
    *,
    epochs: int | None = None,
    most_trials: float | None = None,
    workers: int = 1,
    enqueue: Sequence[Config] = (),
    sources: Sequence[EarlierStudy] | None = None,
    settings: Mapping[str, Any] | None = None,
    packages: Iterable[str] = (),
    project: Callable[[Config, Space], Config] | None = None,
) -> Assembly:
    """Returns the specification of a study and the parts of its search; changes nothing.

    Args:
        space: the search space.
        objectives: the first one ranks.
        seed: None accepts a stored one, and draws one for a new study.
        strategy: where to look and how long to train.
        limits: when to give up.
        epochs: epochs of a trial, for a schedule that plans none.
        most_trials: how many configurations there can be at most; None for those of the space
            or `limits`, whichever are fewer.
        workers: how many trials run in parallel, by which ``"auto"`` chooses.
        enqueue: configurations to try first.
        sources: those of the strategy's earlier studies that the algorithm gets; None for all.
        settings: further settings that a resume compares.
        packages: further packages whose versions are recorded.
        project: see `SearchParts`.

    Raises:
        InvalidInput: for an argument of the scheduler that is out of range, or several
            objectives that the strategy cannot search for.
    """
    strategy.check_objectives(objectives)
    if most_trials is None:
        most_trials = min(space.size, limits.budget.max_trials or math.inf)
    budget = limits.budget.max_epochs_total or math.inf
    scheduler = strategy.schedule.make(epochs, most_trials, budget)
    options = dict(strategy.options)
    whole: dict[str, Any] = {"algorithm": strategy.algorithm, **(settings or {})}
    if options:
        whole["options"] = describe(options)
    whole.update(strategy.schedule.settings(epochs))
    if sources:
        options["warm_start"] = tuple(sources)
    if enqueue:
        options["enqueue"] = enqueue
    environment = provenance(("kerashpo", *packages, "numpy", "scipy"))
    if strategy.algorithm == "auto":
        trials = None if most_trials == math.inf else int(most_trials)
        chosen, because = choose(space, trials, workers, several_rank(objectives))
        environment |= {CHOSEN: chosen, BECAUSE: because}
    spec = StudySpec(
        space.to_json(),
        tuple((one.name, one.direction) for one in objectives),
        seed,
        whole,
        environment,
    )
    return Assembly(spec, SearchParts(strategy.algorithm, scheduler, options, limits, project))
