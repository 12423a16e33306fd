"""Export to Optuna: writes a study as an Optuna study to a SQLite file.

Optuna is imported lazily, so that an own message is shown if it is not installed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from kerashpo.core.errors import InvalidInput, unknown
from kerashpo.core.history import History
from kerashpo.core.records import Config, Objective, Status
from kerashpo.core.requirements import require_package
from kerashpo.core.trial import Trial
from kerashpo.space.domains import Choice, Domain, Float, Integer
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.study.study import Study, open_study

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LIBRARIES = ("optuna",)
FILE = "optuna.sqlite3"
_STATES = {
    Status.COMPLETED: "COMPLETE",
    Status.STOPPED: "PRUNED",
    Status.FAILED: "FAIL",
    Status.RUNNING: "RUNNING",
    Status.PAUSED: "RUNNING",
}


@final
@dataclass(frozen=True, slots=True)
class Translated:
    """A hyperparameter with its name and distribution in Optuna.

    Attributes:
        param: the parameter of the study.
        name: its name in Optuna.
        distribution: its distribution in Optuna.
    """

    param: Param
    name: str
    distribution: BaseDistribution

    def value(self, stored: Any) -> Any:
        """Converts a value of a configuration to a value of the Optuna distribution."""
        from optuna.distributions import CategoricalDistribution

        domain = self.param.domain
        value = domain.realise(stored) if isinstance(domain, Choice) else stored
        return plain(value) if isinstance(self.distribution, CategoricalDistribution) else value


def translate(space: Space) -> list[Translated]:
    """Returns every parameter of a space with its Optuna distribution.

    Optuna requires one kind of distribution, and equal choices, per name. A parameter declared
    several times under different conditions keeps its name if its distributions are of one kind
    (the choices are united); otherwise the conditions are appended to the name.
    """
    groups: dict[str, list[Param]] = {}
    for param in space.params:
        groups.setdefault(param.name, []).append(param)
    found = {id(one.param): one for group in groups.values() for one in _group(group)}
    return [found[id(param)] for param in space.params]


def values(translated: Iterable[Translated], config: Config) -> Mapping[str, tuple[Any, Any]]:
    """Returns Optuna's name -> (value, distribution) for the active parameters of a trial."""
    return {
        one.name: (one.value(config[one.param.name]), one.distribution)
        for one in translated
        if one.param.name in config and one.param.active(config)
    }


def plain(value: Any) -> Any:
    """Returns a choice in a type that Optuna can store: the value itself, or its repr."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _group(params: list[Param]) -> list[Translated]:
    from optuna.distributions import CategoricalDistribution

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
    """Returns the Optuna distribution of a domain.

    Optuna has no logarithmic step and no reversed logarithmic scale: only the range is kept.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

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


def write(study: Study, out: Path | None = None) -> Path:
    """Writes a SQLite file that ``optuna-dashboard sqlite:///FILE`` opens; returns it.

    - completed trials are COMPLETE, stopped ones PRUNED (also by the budget), failed ones FAIL
    - ``study.best_trial`` is this study's best trial: it is COMPLETE even if it was stopped. If
      others have the same score, its value is better by the last bit, since Optuna does not break
      ties by the loss; the user attribute ``score`` has the exact value
    - values are those of the best epoch, intermediate values those of every epoch; with several
      objectives Optuna stores no intermediate values
    - user attributes: trial, status, score, best_epoch, epochs, seconds, metrics, error

    Args:
        study: the study to export.
        out: the file; None for ``optuna.sqlite3`` in the study's folder.

    Raises:
        InvalidInput: if the file exists already.
        MissingExtra: if Optuna is not installed.
    """
    file = out or study.folder / FILE
    if file.exists():
        raise InvalidInput(
            f"{str(file)!r} exists already. Delete it, or choose another file with --out."
        )
    require_package("optuna", "kerashpo export")
    import optuna

    file.parent.mkdir(parents=True, exist_ok=True)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        made = _create(optuna, study, f"sqlite:///{file}")
        translated = translate(study.results.space)
        trials = study.history.trials.values()
        made.add_trials([frozen_trial(optuna, one, study.history, translated) for one in trials])
    finally:
        optuna.logging.set_verbosity(verbosity)
    return file


def _create(optuna: Any, study: Study, storage: str) -> Any:
    history = study.history
    directions = {"min": "minimize", "max": "maximize"}
    made = optuna.create_study(
        storage=storage,
        study_name=study.folder.resolve().name,
        directions=[directions[objective.direction] for objective in history.objectives],
    )
    for name, value in study_facts(history).items():
        made.set_user_attr(name, value)
    return made


def study_facts(history: History) -> dict[str, Any]:
    """Returns a study's settings and environment as user attributes."""
    metrics = [objective.name for objective in history.objectives]
    facts = {"objectives": metrics, "seed": history.seed, **history.settings, **history.environment}
    if history.plan is not None and history.plan.trials is not None:
        facts["planned trials"] = history.plan.trials
    return {f"kerashpo {name}": value for name, value in facts.items()}


def frozen_trial(
    optuna: Any, trial: Trial, history: History, translated: Sequence[Translated]
) -> Any:
    """Returns a trial as Optuna's, see `write` for what is what.

    Args:
        optuna: the package.
        trial: one of the study's.
        history: the study.
        translated: the result of `translate`.
    """
    params = values(translated, trial.config)
    state, found = _outcome(optuna, trial, history)
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


def _outcome(optuna: Any, trial: Trial, history: History) -> tuple[Any, list[float] | None]:
    """Returns Optuna's state and values; a completed trial without finite values is FAIL there."""
    objectives, report = history.objectives, trial.best_report
    metrics = {} if report is None else dict(report.metrics)
    if trial.score is not None:
        metrics[objectives[0].name] = trial.score
    found = [float(metrics.get(objective.name, math.nan)) for objective in objectives]
    name, whole = _STATES[trial.status], all(map(math.isfinite, found))
    leads = trial is history.best and len(objectives) == 1
    if leads and name == "PRUNED":
        name = "COMPLETE"
    if name == "COMPLETE" and not whole:
        name = "FAIL"
    if leads and whole and _ties(trial, history):
        found = [_better(found[0], objectives[0])]
    keeps = whole and name in ("COMPLETE", "PRUNED")
    return optuna.trial.TrialState[name], found if keeps else None


def _ties(best: Trial, history: History) -> bool:
    """Returns whether another trial has the best trial's score."""
    others = (trial for trial in history.trials.values() if trial is not best)
    return any(one.score == best.score and one.status is Status.COMPLETED for one in others)


def _better(value: float, objective: Objective) -> float:
    """Returns the next better floating-point number, which Optuna sorts first."""
    return math.nextafter(value, -math.inf if objective.direction == "min" else math.inf)


def _curve(trial: Trial) -> dict[int, float]:
    return {epoch: value for epoch, value in trial.curve() if math.isfinite(value)}


def _facts(trial: Trial) -> dict[str, Any]:
    report = trial.best_report
    facts: dict[str, Any] = {
        "trial": trial.number,
        "status": trial.status.value,
        "score": trial.score,
        "best_epoch": trial.best_epoch,
        "epochs": trial.epochs,
        "rungs": list(trial.targets),
        "seconds": trial.seconds,
        "metrics": {} if report is None else dict(report.metrics),
    }
    if trial.failure is not None:
        facts["error"] = f"{trial.failure.kind}: {trial.failure.message}"
    return facts


def _moment(history: History, at: float) -> datetime:
    """Converts seconds since the start of the search to a date and time in UTC."""
    began, wall = 0.0, 0.0
    for elapsed, clock in history.sessions:
        if elapsed <= at:
            began, wall = elapsed, clock
    return datetime.fromtimestamp(wall + at - began, UTC).replace(tzinfo=None)


def export_study(library: str, folder: str | Path, out: Path | None = None) -> Path:
    """Writes a study in another library's format; returns the file.

    Args:
        library: ``"optuna"``.
        folder: the study's folder.
        out: the file to write; None for ``optuna.sqlite3`` in the study's folder.

    Raises:
        InvalidInput: for an unknown library, or if the file exists already.
        StudyNotFound: if there is no study.
        MissingExtra: if the library is not installed.
    """
    if library not in LIBRARIES:
        raise unknown("library", library, LIBRARIES)
    return write(open_study(folder), out)
