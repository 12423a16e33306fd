"""`simulate`: a search on recorded or computed learning curves, with a virtual clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kerashpo.algorithms.registry import algorithm_class
from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.core.limits import to_settings
from kerashpo.core.records import Budget, Objective
from kerashpo.executors.simulated import SimulatedExecutor
from kerashpo.experience.warm_start import read_warm_start
from kerashpo.i18n.texts import language_of
from kerashpo.problems.base import Problem, check_problem
from kerashpo.schedulers.pbt import check_mutate, refuse_max_trials
from kerashpo.schedulers.registry import (
    scheduler_names,
    scheduler_options,
    tuner_pair,
)
from kerashpo.space.space import Space
from kerashpo.study.loop import Limits
from kerashpo.study.open import open_or_create
from kerashpo.study.results import Results
from kerashpo.study.run_study import run_study
from kerashpo.tuners.assemble import assemble
from kerashpo.tuners.function_options import check_function_options
from kerashpo.tuners.plain_goal import plain_limits, plain_objectives
from kerashpo.tuners.strategy import Schedule, Strategy

METRIC = "value"


def simulate(
    problem: Problem,
    *,
    tuner: str = "hyperband",
    algorithm: str | None = None,
    workers: int = 1,
    max_epochs: int | None = None,
    budget_epochs: int | None = None,
    max_trials: int | None = None,
    seed: int | None = None,
    factor: int = 3,
    warm_start: Any = (),
    objective: Any = None,
    limits: Mapping[Any, float] | None = None,
    lang: str | None = None,
    **options: Any,
) -> Results:
    """Simulates a search on a problem whose learning curves are known, without training.

    The clock is virtual: `Results.seconds` is how long the search would have taken with that
    number of workers. Equal arguments give equal results. With a limit (`budget_epochs` or
    `max_trials`) Hyperband repeats its brackets until it is reached; without one it runs
    them once. The metric is called ``"value"``, unless `evaluate` returns metrics by name.

    Args:
        problem: anything with ``space``, ``direction`` (``"min"`` or ``"max"``),
            ``max_epochs`` and ``evaluate(config, epoch) -> (value, seconds)``: the value
            after that many epochs, and the training time up to then; in place of the value a
            mapping of metrics for `objective` and `limits`. Where epochs depend on
            those before (``tuner="pbt"``), ``advance(state, config) -> (state, value, seconds)``
            trains one from a state (None at first) and takes its place.
        tuner: ``"full"``, ``"hyperband"``, ``"asha"``, ``"median"``, ``"pbt"``, ``"bohb"``,
            ``"dehb"``, ``"mobster"`` or ``"recommended"``, see `kerashpo.schedulers.registry`; or
            the name of an algorithm, whose trials are then trained fully.
        algorithm: a name of `kerashpo.algorithms`; None for the tuner's own.
        workers: how many trials train in parallel.
        max_epochs: the most epochs of one trial; None for all that the problem has.
        budget_epochs: the limit of epochs trained over all trials.
        max_trials: the limit of configurations started.
        seed: an integer for a search that can be repeated; None draws one.
        factor: the reduction factor: one in `factor` trials is promoted.
        warm_start: earlier studies, see `optimize`.
        objective: a metric that `evaluate` returns by name, an `Objective`, or a list of them,
            whose Pareto front is searched for; None for ``"value"`` in the problem's direction.
        limits: by metric (or `Objective`) the worst value of a feasible trial, see `optimize`.
        lang: language of the results, ``"en"`` or ``"es"``; None for the environment variable
            ``KERASHPO_LANG``, else English.
        **options: further arguments of the scheduler (``min_epochs``, ...) or the
            algorithm.

    Raises:
        InvalidInput: for an invalid argument, before anything is evaluated.
    """
    space = check_problem(problem)
    language_of(lang)
    pair = tuner_pair(tuner)
    algorithm = algorithm or pair.algorithm
    algorithm_class(algorithm)
    horizon = _horizon(problem, max_epochs)
    budget = _budget(budget_epochs, max_trials)
    ours, theirs = _split(options, pair.scheduler)
    check_function_options(simulate, algorithm, theirs, scheduler_options(pair.scheduler))
    if pair.scheduler == "pbt":
        _check_population(space, ours, max_trials)
    settings = {**pair.options, **_defaults(pair.scheduler, factor, budget), **ours}
    strategy = Strategy(
        algorithm, {**pair.hints, **theirs}, Schedule(pair.scheduler, settings, horizon)
    )
    value = Objective(METRIC, problem.direction)
    objectives = (value,) if objective is None else plain_objectives(objective, "evaluate")
    bounds = plain_limits(limits, objectives, "evaluate")
    assembly = assemble(
        space,
        objectives,
        seed,
        strategy.warmed(read_warm_start(warm_start, space, objectives)),
        Limits(budget),
        settings={"tuner": tuner, **to_settings(bounds)},
        workers=workers,
    )
    if assembly.parts.scheduler.endless and space.size == math.inf and budget == Budget():
        raise InvalidInput(
            f"The tuner {tuner!r} needs a limit on an infinite space: pass budget_epochs or "
            "max_trials."
        )
    opened = open_or_create(assembly.spec, None, assembly.parts.scheduler)
    advance = getattr(problem, "advance", None)
    evaluate: Any = getattr(problem, "evaluate", None)  # not needed where `advance` is there
    read = dict.fromkeys(one.name for one in (*objectives, *(bound.objective for bound in bounds)))
    executor = SimulatedExecutor(evaluate, tuple(read), space.realise, workers, advance)
    run_study(opened, assembly.parts, executor)
    return Results(opened.history, space, lang=lang, log=opened.store.read)


def _check_population(space: Space, options: Mapping[str, Any], max_trials: int | None) -> None:
    check_mutate(space, options.get("mutate"))
    refuse_max_trials(max_trials)


def _horizon(problem: Problem, max_epochs: int | None) -> int:
    if max_epochs is None:
        return problem.max_epochs
    if require_integer("max_epochs", max_epochs, 1) > problem.max_epochs:
        raise InvalidInput(
            f"max_epochs must not exceed the {problem.max_epochs} epochs that the problem has. "
            f"Received: {max_epochs}."
        )
    return max_epochs


def _budget(budget_epochs: int | None, max_trials: int | None) -> Budget:
    if budget_epochs is not None:
        require_integer("budget_epochs", budget_epochs, 1)
    if max_trials is not None:
        require_integer("max_trials", max_trials, 1)
    return Budget(max_trials=max_trials, max_epochs_total=budget_epochs)


def _split(options: Mapping[str, Any], scheduler: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the scheduler's options and the algorithm's."""
    known = scheduler_options(scheduler)
    ours = {name: value for name, value in options.items() if name in known}
    # An option of another scheduler is an error; the algorithm checks the remaining ones.
    elsewhere = {name for other in scheduler_names() for name in scheduler_options(other)}
    for name in options:
        if name not in known and name in elsewhere:
            raise InvalidInput(
                f"The scheduler {scheduler!r} has no option {name!r}. "
                f"Known: {', '.join(known) or 'none'}."
            )
    return ours, {name: value for name, value in options.items() if name not in known}


def _defaults(scheduler: str, factor: int, budget: Budget) -> dict[str, Any]:
    known = scheduler_options(scheduler)
    found: dict[str, Any] = {"factor": factor} if "factor" in known else {}
    if "iterations" in known and budget != Budget():
        found["iterations"] = None
    return found
