"""Plausibility checks: whether a study's times, epochs, scores and proposals can have happened.

Each check yields pairs of a sentence's key (section ``submission`` of the languages) and
what fills its placeholders. None of them proves that a study is honest; together they refuse
what was typed in, copied together or computed instead of trained.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from kerashpo.algorithms.random import RandomSearch
from kerashpo.core.errors import KerashpoError
from kerashpo.core.events import JobStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Config, Start
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space, key
from kerashpo.study.results import Results

Finding: TypeAlias = tuple[str, dict[str, Any]]

_SLACK = 0.05
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Expected:
    """The required settings of a study in an exercise.

    Attributes:
        trained: whether models were trained (by a tuner), or values computed.
        tuner: the tuner's class, None for any.
        validation: validation samples, of which every accuracy is a share; 0 for none.
        trials: the fewest trials.
        recompute: the true value of a configuration after an epoch, None where only
            training gives it.
        tolerance: how far a recomputed value may be from the one handed in.
        virtual: whether its seconds are those of a virtual clock, equal for equal seeds.
    """

    trained: bool = False
    tuner: str | None = None
    validation: int = 0
    trials: int = 1
    recompute: Callable[[dict[str, Any], int], float] | None = None
    tolerance: float = 1e-6
    virtual: bool = False


def examine(results: Results, expected: Expected, seed: object = None) -> Iterator[Finding]:
    """Yields the faults of a study.

    Args:
        results: the results that were handed in.
        expected: the requirements.
        seed: the seed that the notebook's parameters name, None where they name none.
    """
    history = results.history
    if seed is not None and seed != history.seed:
        yield "other_seed", {"expected": seed, "found": history.seed}
    if len(history.trials) < expected.trials:
        yield "few_trials", {"found": len(history.trials), "expected": expected.trials}
    if history.best is None:
        yield "no_score", {}
        return
    yield from _kind(history, expected)
    for trial in history.trials.values():
        yield from _epochs(trial)
        yield from _scores(trial, expected)
    yield from _times(history, expected)
    yield from _configs(history)
    # Where the space grew, proposals cannot be drawn again from its last state.
    if history.space == history.first_space and history.settings.get("algorithm") == "random":
        yield from _proposals(history)
    if expected.recompute is not None:
        yield from _values(results, expected)


def _kind(history: History, expected: Expected) -> Iterator[Finding]:
    """A search that trains records Keras's version, its tuner and its data."""
    settings = history.settings
    if expected.trained:
        known = history.environment.get("keras", "absent") != "absent"
        if not known or not settings.get("data") or "tuner" not in settings:
            yield "simulated", {}
    if expected.tuner is not None and settings.get("tuner") != expected.tuner:
        yield "other_tuner", {"expected": expected.tuner, "found": settings.get("tuner")}


def _epochs(trial: Trial) -> Iterator[Finding]:
    for reports in trial.reports.values():
        first = 1 + (trial.forked_at or 0)
        if sorted(reports) != list(range(first, first + len(reports))):
            yield "epochs_missing", {"trial": trial.number}
    bound = trial.reports and max(len(reports) for reports in trial.reports.values())
    if trial.status.value == "COMPLETED" and not bound:
        yield "epochs_missing", {"trial": trial.number}


def _scores(trial: Trial, expected: Expected) -> Iterator[Finding]:
    for reports in trial.reports.values():
        for epoch, report in reports.items():
            for metric, value in report.metrics.items():
                if _impossible(metric, value, expected):
                    yield (
                        "impossible_score",
                        {"trial": trial.number, "epoch": epoch, "metric": metric, "value": value},
                    )
                    return


def _impossible(metric: str, value: float, expected: Expected) -> bool:
    if metric.endswith("loss"):
        return value < 0
    if not metric.endswith("accuracy") or math.isnan(value):
        return False
    counts = expected.validation if metric.startswith("val_") else 0
    return not 0 <= value <= 1 or (counts > 0 and not is_share(value, counts))


def is_share(value: float, count: int) -> bool:
    """Returns whether an accuracy is a whole number of `count` samples (float32 precision)."""
    hits = value * count
    return abs(hits - round(hits)) < _STEP * max(1.0, hits)


def _times(history: History, expected: Expected) -> Iterator[Finding]:
    for trial in history.trials.values():
        for run, reports in trial.reports.items():
            ordered = [reports[epoch] for epoch in sorted(reports)]
            spent = [report.seconds for report in ordered]
            recorded = [trial.times[run, report.epoch] for report in ordered]
            if not _rises(spent) or not _rises(recorded) or (spent and spent[0] < 0):
                yield "times", {"trial": trial.number}
                break
    last = max((at for t in history.trials.values() for at in t.times.values()), default=0.0)
    trained = sum(trial.seconds for trial in history.trials.values())
    if last > history.now * (1 + _SLACK) + _SLACK:
        yield "times_total", {"seconds": round(history.now, 3), "needed": round(last, 3)}
    if expected.trained and history.epochs and trained <= 0:
        yield "no_time", {}


def _rises(numbers: list[float]) -> bool:
    return all(a <= b for a, b in zip(numbers, numbers[1:])) and all(map(math.isfinite, numbers))


def _configs(history: History) -> Iterator[Finding]:
    try:
        space = Space.from_json(history.space)
        declared = Space.from_json(history.first_space)
    except (KerashpoError, KeyError, TypeError, ValueError) as error:
        yield "space_broken", {"error": error}
        return
    seen: dict[Any, int] = {}
    for trial in history.trials.values():
        if trial.config not in space and _known(trial.config, declared) not in declared:
            yield "outside", {"trial": trial.number, "config": dict(trial.config)}
            continue
        first = seen.setdefault(key(trial.config), trial.number)
        if first != trial.number and trial.parent is None:
            yield "repeated", {"trial": trial.number, "first": first}


def _known(config: Config, declared: Space) -> Config:
    """Returns a configuration without parameters that were discovered while the study ran."""
    return {name: value for name, value in config.items() if name in declared.names}


def _proposals(history: History) -> Iterator[Finding]:
    """Draws the trials of a random search again, which depend on seed and number alone."""
    try:
        algorithm = RandomSearch(Space.from_json(history.space), history.seed)
    except (KerashpoError, KeyError, TypeError, ValueError):
        return  # `_configs` reports it.
    objectives = tuple((o.name, o.direction) for o in history.objectives)
    past = History([StudyCreated(history.space, objectives, history.seed)])
    for trial in history.trials.values():
        # A copy of population-based training has values near its parent's.
        if trial.parent is None and algorithm.ask(trial.number, past) != trial.config:
            yield "not_drawn", {"trial": trial.number, "seed": history.seed}
            return
        past.apply(JobStarted(Start(trial.number, trial.config, 1)))


def _values(results: Results, expected: Expected) -> Iterator[Finding]:
    assert expected.recompute is not None
    name = results.history.objective.name
    for trial in results.history.trials.values():
        for epoch, report in trial.reports.get(0, {}).items():
            value = report.metrics.get(name, math.nan)
            config = results.space.realise(trial.config)
            try:
                true = expected.recompute(config, epoch)
            except Exception as error:  # values that the notebook's function does not take
                what = {"config": dict(config), "error": f"{type(error).__name__}: {error}"}
                yield "not_computed", {"trial": trial.number, **what}
                return
            if not abs(value - true) <= expected.tolerance:
                values = {"trial": trial.number, "epoch": epoch, "value": value, "true": true}
                yield "not_true", values
                return
