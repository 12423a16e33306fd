"""`optimize`: hyperparameter search for any Python function, without Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kerashpo.algorithms.automatic_choice import choice_notes
from kerashpo.algorithms.registry import make_algorithm
from kerashpo.core.errors import InvalidInput, require_integer, require_number
from kerashpo.core.history import History
from kerashpo.core.limits import Limit, to_settings
from kerashpo.core.records import Budget, Objective
from kerashpo.display.select import make_display
from kerashpo.display.text import limit_notes
from kerashpo.executors.base import Runner
from kerashpo.executors.factories import ExecutorRequest
from kerashpo.executors.function import FunctionRunner
from kerashpo.executors.registry import build_executor, executor_factory, workers_of
from kerashpo.experience.notes import note
from kerashpo.experience.warm_start import read_warm_start
from kerashpo.i18n.texts import language_of
from kerashpo.space.lazy_values import computed, has_lazy
from kerashpo.space.space import Space
from kerashpo.store.open import folder_of
from kerashpo.study.listeners import check_listeners
from kerashpo.study.loop import Limits
from kerashpo.study.open import Resuming, open_or_create
from kerashpo.study.results import Results
from kerashpo.study.run_study import run_study
from kerashpo.tuners.assemble import assemble
from kerashpo.tuners.context import function_context, nearest_sources
from kerashpo.tuners.function_options import check_function_options
from kerashpo.tuners.plain_goal import plain_limits, plain_objectives
from kerashpo.tuners.strategy import Strategy
from kerashpo.tuners.tuner_options import check_resume

METRIC = "value"


def optimize(
    fn: Callable[[dict[str, Any]], Any],
    space: Space | Mapping[str, Any],
    *,
    algorithm: str = "bayesian",
    max_trials: int = 50,
    direction: str = "min",
    objective: Any = None,
    limits: Mapping[Any, float] | None = None,
    warm_start: Any = (),
    context: Mapping[str, float] | None = None,
    seed: int | None = None,
    directory: str | Path | None = None,
    overwrite: bool = False,
    resume: Resuming = "exact",
    max_minutes: float | None = None,
    metric: str = METRIC,
    workers: int | str = 1,
    executor: Any = None,
    listeners: Iterable[Any] = (),
    verbose: int = 1,
    lang: str | None = None,
    **options: Any,
) -> Results:
    """Searches for the configuration with the best value of a function.

    Args:
        fn: called with a dict of values; returns a number, or a mapping of numbers that
            holds every objective. An exception fails that trial, not the search.
        space: the search space.
        algorithm: a name of `kerashpo.algorithms`, e.g. ``"bayesian"`` or ``"tpe"``.
        max_trials: how many configurations to try. The search ends earlier if the space is
            exhausted (see `Results.stopped`).
        direction: ``"min"`` or ``"max"``.
        objective: instead of `metric` and `direction`: an `Objective`, a metric's name, or a
            list of them. With several, `fn` returns a mapping that holds each, the search is
            for their Pareto front (`Results.pareto`), and `Results.best` is its knee.
        limits: by metric (or `Objective`) the worst value that a feasible configuration may have,
            e.g. ``{"latency": 0.005}``: at most for a metric that is minimised, at least for one
            that is maximised. `fn` returns a mapping that holds it. A trial that exceeds a limit
            is never the best nor on the Pareto front.
        warm_start: earlier studies on the same space or one that is mapped to it: `Results`, a
            study's folder or a folder of several, a mapping ``{"study": ..., "rename": ...}``,
            pairs of values and score, or a list of these. See `docs/algorithms.md`.
        context: features of the data that `fn` uses, e.g. ``kt.experience.data_features(X, y)``:
            of the earlier studies whose data are known the three on the most similar data are
            used. They are noted in `directory` for later searches.
        seed: an integer for a search that can be repeated; None draws one.
        directory: the study's folder, where an earlier search is resumed; None keeps the study
            in memory.
        overwrite: delete the study in `directory` and start again.
        resume: ``"extend"`` continues a study whose space the given one widens.
        max_minutes: the time limit of the whole search.
        metric: the name under which values are recorded.
        workers: processes that call `fn`; 1 is this process, ``"auto"`` starts more if that
            saves time. `fn` is sent to them by value if it is defined in a notebook or a script.
        executor: where `fn` runs: a name of `kerashpo.executors.registry`, or a factory such as
            ``kt.executors.Processes(workers=4)``; None for what `workers` implies.
        listeners: objects with a method ``on_event(event, snapshot)``, e.g. those of
            `kerashpo.callbacks`.
        verbose: 0 for no output, 1 (default) for progress, 2 for one line per trial.
        lang: language of progress and results, ``"en"`` or ``"es"``; None for the environment
            variable ``KERASHPO_LANG``, else English.
        **options: further arguments of the algorithm.

    Raises:
        InvalidInput: for an invalid argument, before `fn` is called.
        StudyMismatch: if `directory` contains a different search.
    """
    space = space if isinstance(space, Space) else Space(space)
    if not callable(fn):
        raise InvalidInput(f"fn must be a function of one configuration. Received: {fn!r}.")
    require_integer("max_trials", max_trials, 1)
    check_function_options(optimize, algorithm, options)
    objectives = _objectives(objective, metric, direction)
    folder = None if directory is None else folder_of(directory)
    features = function_context(context)
    earlier = read_warm_start(warm_start, space, objectives, folder)
    strategy = Strategy(algorithm, options).warmed(earlier)
    # Built only to check the options: a wrong one is reported before a folder is made.
    make_algorithm(algorithm, space, 0, strategy.options)
    bounds = plain_limits(limits, objectives, "fn")
    executor_factory(workers, executor)
    if max_minutes is not None:
        require_number("max_minutes", max_minutes, 0.0, strict=True)
    check_resume(resume)
    language_of(lang)
    called = check_listeners(listeners)
    assembly = assemble(
        space,
        objectives,
        seed,
        strategy,
        Limits(Budget(max_trials=max_trials, max_minutes=max_minutes)),
        settings=to_settings(bounds),
        workers=workers_of(workers, executor),
        sources=nearest_sources(earlier, features),
    )
    scheduler = assembly.parts.scheduler
    opened = open_or_create(assembly.spec, folder, scheduler, overwrite=overwrite, resume=resume)
    try:
        if features is not None and folder is not None:
            note(folder, features)
        runner = _runner(fn, space, objectives, bounds)
        request = _request(runner, fn, folder, opened.history, max_trials)
        built, count, notes = build_executor(request, workers, executor)
        chose = choice_notes(opened.history.environment)
        plan = replace(scheduler.plan(), notes=(*notes, *chose, *limit_notes(bounds)))
        place = None if folder is None else str(folder)
        title = f"optimize + {algorithm}"
        display = make_display(verbose, title, plan, place, count, lang, "results.report()")
        run_study(opened, assembly.parts, built, (*called, display))
    finally:
        opened.store.close()
    return Results(opened.history, space, folder=place, lang=lang, log=opened.store.read)


def _objectives(given: Any, metric: str, direction: str) -> tuple[Objective, ...]:
    """Returns the objectives that `objective`, or `metric` and `direction`, name.

    Raises:
        InvalidInput: if both are given, an objective twice, or one with a function of a model.
    """
    if given is None:
        return (Objective(metric, direction),)  # type: ignore[arg-type]
    if (metric, direction) != (METRIC, "min"):
        raise InvalidInput(
            "objective sets name and direction: leave out metric and direction. Received: "
            f"objective={given!r}, metric={metric!r}, direction={direction!r}."
        )
    return plain_objectives(given, "fn")


def _runner(
    fn: Callable[[dict[str, Any]], Any],
    space: Space,
    objectives: Sequence[Objective],
    bounds: Sequence[Limit],
) -> Callable[[], Runner]:
    names, limited = [one.name for one in objectives], [one.name for one in bounds]
    compute = partial(computed, space) if has_lazy(space) else None
    return partial(FunctionRunner, fn, names, space.realise, limited, compute)


def _request(
    runner: Callable[[], Runner],
    fn: Callable[[dict[str, Any]], Any],
    folder: Path | None,
    history: History,
    max_trials: int,
) -> ExecutorRequest:
    def to_start() -> int:
        return max_trials - len(history.trials)

    def to_end() -> int:
        return max_trials - sum(trial.status.ended for trial in history.trials.values())

    logs = None if folder is None else folder.absolute() / "logs"
    return ExecutorRequest(
        lambda _: runner, logs=logs, parts={"fn": fn}, remaining=to_start, jobs=to_end
    )
