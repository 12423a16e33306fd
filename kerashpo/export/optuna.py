"""A study as an Optuna study, for Optuna's plots and optuna-dashboard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, final

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from kerashpo.core.errors import InvalidInput, MissingExtra, unknown
from kerashpo.core.history import History
from kerashpo.core.records import Config, Objective, Status
from kerashpo.core.trial import Trial
from kerashpo.space.domains import Choice, Domain, Float, Integer
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.study.study import Study, open_study


@final
@dataclass(frozen=True, slots=True)
class Translated:
    """One of our parameters, as Optuna knows it.

    Attributes:
        param: ours.
        name: Optuna's.
        distribution: Optuna's.
    """

    param: Param
    name: str
    distribution: BaseDistribution

    def value(self, stored: Any) -> Any:
        """Returns a stored value as one of the distribution's."""
        domain = self.param.domain
        told = domain.realise(stored) if isinstance(domain, Choice) else stored
        return plain(told) if isinstance(self.distribution, CategoricalDistribution) else told


def translate(space: Space) -> list[Translated]:
    """Returns every parameter of a space.

    Optuna wants one kind of distribution, and equal choices, under one name. A name that is
    declared several times under different conditions keeps its name where that holds (the
    choices are united); otherwise its conditions become part of it.
    """
    groups: dict[str, list[Param]] = {}
    for param in space.params:
        groups.setdefault(param.name, []).append(param)
    found = {id(one.param): one for group in groups.values() for one in _group(group)}
    return [found[id(param)] for param in space.params]


def values(translated: Iterable[Translated], config: Config) -> Mapping[str, tuple[Any, Any]]:
    """Returns value and distribution, by Optuna's name, of the parameters that a trial has."""
    return {
        one.name: (one.value(config[one.param.name]), one.distribution)
        for one in translated
        if one.param.name in config and one.param.active(config)
    }


def plain(value: Any) -> Any:
    """Returns what Optuna may store of a choice: it itself, or how it prints."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _group(params: list[Param]) -> list[Translated]:
    made = [distribution(param.domain) for param in params]
    if len({type(one) for one in made}) == 1:
        if not isinstance(made[0], CategoricalDistribution):
            return [Translated(p, p.name, one) for p, one in zip(params, made)]
        union = CategoricalDistribution(
            tuple(_distinct(choice for one in made for choice in one.choices))
        )
        return [Translated(param, param.name, union) for param in params]
    return [Translated(p, f"{p.name} ({_where(p)})", one) for p, one in zip(params, made)]


def distribution(domain: Domain) -> BaseDistribution:
    """Returns the distribution of a domain.

    A logarithmic step and a reversed logarithm have no counterpart: the range is kept.
    """
    match domain:
        case Float(low, high, step, scale):
            if scale == "linear" and step is not None:
                high = domain.at(1.0)
            kept = step if scale == "linear" and high > low else None
            return FloatDistribution(low, high, log=scale == "log", step=kept)
        case Integer(low, high, step, scale):
            whole = int(step or 1) if scale == "linear" else 1
            top = low + (high - low) // whole * whole
            return IntDistribution(low, top, log=scale == "log", step=whole)
        case Choice():
            return CategoricalDistribution(tuple(plain(value) for value in domain.values))
        case _:
            return CategoricalDistribution(tuple(plain(value) for value in domain.listed()))


def _distinct(choices: Iterable[Any]) -> list[Any]:
    kept: dict[tuple[type, Any], Any] = {}
    for choice in choices:
        kept.setdefault((type(choice), choice), choice)
    return list(kept.values())


def _where(param: Param) -> str:
    return ", ".join(f"{c.parent}={'|'.join(map(str, c.values))}" for c in param.conditions)


FILE = "optuna.sqlite3"
_STATES = {
    Status.COMPLETED: "COMPLETE",
    Status.STOPPED: "PRUNED",
    Status.FAILED: "FAIL",
    Status.RUNNING: "RUNNING",
    Status.PAUSED: "RUNNING",
}


def write(study: Study, out: Path | None = None) -> Path:
    """Writes a SQLite file that ``optuna-dashboard sqlite:///FILE`` opens; returns it.

    - completed trials are COMPLETE, stopped ones PRUNED, failed ones FAIL; a trial that its
      budget ran out for is PRUNED as well
    - values are those of the best epoch, intermediate values those of every epoch; of several
      objectives Optuna keeps no intermediate values
    - user attributes: trial, status, best_epoch, epochs, seconds, metrics, error

    Args:
        study: ours.
        out: the file; None for ``optuna.sqlite3`` in the study's folder.

    Raises:
        InvalidInput: if the file is there already.
        MissingExtra: if Optuna is not installed.
    """
    file = out or study.folder / FILE
    if file.exists():
        raise InvalidInput(
            f"{str(file)!r} is there already. Delete it, or choose another file with --out."
        )
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra(
            "Exporting to Optuna needs Optuna: pip install 'kerashpo[optuna]'."
        ) from error
    file.parent.mkdir(parents=True, exist_ok=True)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        made = _create(optuna, study, f"sqlite:///{file}")
        translated = translate(study.results.space)
        trials = study.history.trials.values()
        made.add_trials([_trial(optuna, one, study.history, translated) for one in trials])
    finally:
        optuna.logging.set_verbosity(verbosity)
    return file


def _create(optuna: Any, study: Study, storage: str) -> Any:
    history = study.history
    ways = {"min": "minimize", "max": "maximize"}
    made = optuna.create_study(
        storage=storage,
        study_name=study.folder.resolve().name,
        directions=[ways[objective.direction] for objective in history.objectives],
    )
    metrics = [objective.name for objective in history.objectives]
    told = {"objectives": metrics, "seed": history.seed, **history.settings, **history.environment}
    for name, value in told.items():
        made.set_user_attr(f"kerashpo {name}", value)
    return made


def _trial(optuna: Any, trial: Trial, history: History, translated: Sequence[Translated]) -> Any:
    params = values(translated, trial.config)
    state, found = _outcome(optuna, trial, history.objectives)
    made = optuna.trial.create_trial(
        state=state,
        values=found,
        params={name: value for name, (value, _) in params.items()},
        distributions={name: distribution for name, (_, distribution) in params.items()},
        intermediate_values=_curve(trial) if len(history.objectives) == 1 else {},
        user_attrs=_facts(trial),
    )
    made.datetime_start = _moment(history, trial.started)
    if trial.ended is not None and state.is_finished():
        made.datetime_complete = _moment(history, trial.ended)
    return made


def _outcome(
    optuna: Any, trial: Trial, objectives: Sequence[Objective]
) -> tuple[Any, list[float] | None]:
    """Returns Optuna's state and the values; a complete trial without values has failed there."""
    report = trial.best_report
    metrics = {} if report is None else dict(report.metrics)
    if trial.score is not None:
        metrics[objectives[0].name] = trial.score
    found = [float(metrics.get(objective.name, math.nan)) for objective in objectives]
    name = _STATES[trial.status]
    whole = all(map(math.isfinite, found))
    if name == "COMPLETE" and not whole:
        name = "FAIL"
    keeps = whole and name in ("COMPLETE", "PRUNED")
    return optuna.trial.TrialState[name], found if keeps else None


def _curve(trial: Trial) -> dict[int, float]:
    return {epoch: value for epoch, value in trial.curve() if math.isfinite(value)}


def _facts(trial: Trial) -> dict[str, Any]:
    report = trial.best_report
    facts: dict[str, Any] = {
        "trial": trial.number,
        "status": trial.status.value,
        "best_epoch": trial.best_epoch,
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "metrics": {} if report is None else dict(report.metrics),
    }
    if trial.failure is not None:
        facts["error"] = f"{trial.failure.kind}: {trial.failure.message}"
    return facts


def _moment(history: History, at: float) -> datetime:
    """Returns the wall time of a second of the search, UTC."""
    began, wall = 0.0, 0.0
    for elapsed, told in history.sessions:
        if elapsed <= at:
            began, wall = elapsed, told
    return datetime.fromtimestamp(wall + at - began, UTC).replace(tzinfo=None)


_LIBRARIES = {"optuna": "kerashpo.export.optuna"}


def export_study(library: str, folder: Path, out: Path | None = None) -> Path:
    """Writes a study in another library's format; returns the file.

    Args:
        library: ``"optuna"``.
        folder: the study's.
        out: where to write; None for the library's habit, in the study's folder.

    Raises:
        InvalidInput: for an unknown library, or a file that is there already.
        StudyNotFound: if there is no study.
        MissingExtra: if the library is not installed.
    """
    if library not in _LIBRARIES:
        raise unknown("library", library, _LIBRARIES)
    written: Path = import_module(_LIBRARIES[library]).write(open_study(folder), out)
    return written
