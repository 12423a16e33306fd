"""A study as an Optuna study, for Optuna's plots and optuna-dashboard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.core.history import History
from kerashpo.core.records import Objective, Status
from kerashpo.core.trial import Trial
from kerashpo.study.study import Study

if TYPE_CHECKING:
    from kerashpo.export.distributions import Translated

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
    from kerashpo.export.distributions import translate

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
    from kerashpo.export.distributions import values

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
