"""`MLflowLog`: a logger with an MLflow run for each trial, nested in a run for the search."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, final

from kerashpo.core.events import Ended, Event, JobStarted, Reported, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.requirements import require_package
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space

_STUDY, _TRIAL, _PARENT = "kerashpo.study", "kerashpo.trial", "mlflow.parentRunId"
_STATUS = "kerashpo.status"


@final
class MLflowLog(Listener):
    """Logger that writes to MLflow through its client, without affecting your active run.

    A resumed search continues in the same runs. Metrics are logged by epoch, hyperparameter
    values as parameters, the status as the tag ``kerashpo.status``.

    Args:
        experiment: the name of the experiment; it is created if it does not exist.
        tracking_uri: the tracking server or store, e.g. ``"sqlite:///mlflow.db"``; None for
            MLflow's default.
        client: an `mlflow.MlflowClient` to use instead.
        clock: returns the Unix time.

    Raises:
        MissingExtra: if mlflow is not installed.
    """

    def __init__(
        self,
        experiment: str = "kerashpo",
        tracking_uri: str | None = None,
        client: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = _client(tracking_uri) if client is None else client
        self._experiment, self._clock = experiment, clock
        self._parent = ""
        self._runs: dict[int, str] = {}

    def on_event(self, event: Event, snapshot: History) -> None:
        match event:
            case SessionStarted():
                self._open(snapshot)
            case JobStarted(job=Start(trial=trial)) if trial not in self._runs:
                self._begin(snapshot.trials[trial], snapshot)
            case Reported(report):
                self._report(report)
            case Ended(trial, status):
                self._end(snapshot.trials[trial], status)
            case SessionEnded():
                self._close(snapshot)

    def _open(self, history: History) -> None:
        """Finds the runs of this study, or creates the parent run."""
        known = self._client.get_experiment_by_name(self._experiment)
        self._place = (
            self._client.create_experiment(self._experiment)
            if known is None
            else known.experiment_id
        )
        # Its start time identifies a study among others in the same experiment.
        study = f"{history.seed}-{history.sessions[0][1]:.6f}"
        found = self._client.search_runs([self._place], f"tags.`{_STUDY}` = '{study}'")
        tagged = {run.data.tags.get(_TRIAL): run.info.run_id for run in found}
        self._runs = {int(t): run for t, run in tagged.items() if t is not None}
        self._study = study
        self._parent = tagged.get(None) or self._new_run({}, str(history.settings.get("tuner")))

    def _new_run(self, tags: dict[str, str], name: str) -> str:
        tags = {_STUDY: self._study, **tags}
        run = self._client.create_run(self._place, tags=tags, run_name=name)
        return str(run.info.run_id)

    def _begin(self, trial: Trial, history: History) -> None:
        tags = {_TRIAL: str(trial.number), _PARENT: self._parent}
        run = self._runs[trial.number] = self._new_run(tags, f"trial-{trial.number:04d}")
        values = Space.from_json(history.space).realise(trial.config)
        for name, value in values.items():
            self._client.log_param(run, name, value)

    def _report(self, report: Report) -> None:
        run, now = self._runs[report.trial], int(1000 * self._clock())
        for name, value in report.metrics.items():
            key = f"{name}_run_{report.run}" if report.run else name
            self._client.log_metric(run, key, float(value), timestamp=now, step=report.epoch)

    def _end(self, trial: Trial, status: Status) -> None:
        run = self._runs[trial.number]
        if trial.score is not None:
            self._client.log_metric(run, "best_" + trial.objective.name, trial.score)
        self._client.set_tag(run, _STATUS, status.value)
        self._client.set_terminated(run, "FAILED" if status is Status.FAILED else "FINISHED")

    def _close(self, history: History) -> None:
        if history.best is not None and history.best.score is not None:
            name = "best_" + history.objective.name
            self._client.log_metric(self._parent, name, history.best.score)
            self._client.set_tag(self._parent, "kerashpo.best_trial", str(history.best.number))
        ended = "KILLED" if history.stopped == "interrupted" else "FINISHED"
        self._client.set_terminated(self._parent, ended)


def _client(tracking_uri: str | None) -> Any:
    require_package("mlflow", "MLflowLog")
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=tracking_uri)
