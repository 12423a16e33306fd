"""`WandbLog`: a logger with a Weights & Biases run for each trial, grouped by the search."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, Event, JobStarted, Reported, SessionEnded, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Report, Status
from kerashpo.core.requirements import require_package
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space

MODES = ("online", "offline", "disabled", "shared")
_QUIET: Mapping[str, Any] = {
    "silent": True, "console": "off", "x_disable_stats": True, "x_disable_meta": True,
    "disable_git": True, "disable_code": True,
}  # fmt: skip
"""Settings of its runs: no output, and nothing recorded of the machine and the script."""


@final
class WandbLog(Listener):
    """Logger that writes to Weights & Biases, one run for each trial, without your active run.

    A run's steps are epochs, its config the hyperparameter values. It is open while its trial is
    running or paused; when the trial ends, its summary gets ``status``, the best epoch and
    ``best_`` and the name of each objective, and a failed trial's run is a failed run. A resumed
    search continues in the same runs; offline, a resumed trial begins a further file of its run.

    Args:
        project: the project.
        group: how the runs of this search are grouped; None for the tuner's name and the start.
        entity: the user or team; None for the default.
        mode: ``"online"``, ``"offline"`` (later: ``wandb sync``) or ``"disabled"``; None for what
            wandb itself is set to.
        folder: where wandb keeps its files; None for its default, ``./wandb``.
        init: called instead of `wandb.init`.

    Raises:
        InvalidInput: for another mode.
        MissingExtra: if wandb is not installed.
    """

    def __init__(
        self,
        project: str = "kerashpo",
        group: str | None = None,
        entity: str | None = None,
        mode: str | None = None,
        folder: str | Path | None = None,
        init: Callable[..., Any] | None = None,
    ) -> None:
        if mode is not None and mode not in MODES:
            raise InvalidInput(f"mode must be one of {', '.join(MODES)}. Received: {mode!r}.")
        if init is None:
            require_package("wandb", "WandbLog")
        self._init = init
        self._given = {"project": project, "entity": entity, "mode": mode, "dir": folder}
        self._group, self._study = group, ""
        self._runs: dict[int, Any] = {}

    def on_event(self, event: Event, snapshot: History) -> None:
        match event:
            case SessionStarted():
                began = snapshot.sessions[0][1]
                self._study = hashlib.sha256(f"{snapshot.seed}-{began:.6f}".encode()).hexdigest()
                name = f"{snapshot.settings.get('tuner', 'optimize')}-{self._study[:8]}"
                self._group = self._group or name
            case JobStarted(job=job):
                self._run(snapshot.trials[job.trial], snapshot)
            case Reported(report):
                self._report(report, self._run(snapshot.trials[report.trial], snapshot))
            case Ended(trial):
                self._end(snapshot.trials[trial], snapshot)
            case SessionEnded():
                self.close()

    def close(self) -> None:
        """Closes the runs of trials that have not ended."""
        for run in self._runs.values():
            run.finish()
        self._runs.clear()

    def _run(self, trial: Trial, history: History) -> Any:
        """Returns the trial's open run; opens it where it is not."""
        if trial.number not in self._runs:
            values = Space.from_json(history.space).realise(trial.config)
            config = {name: _plain(value) for name, value in values.items()}
            if trial.parent is not None:
                config["parent"] = trial.parent
            self._runs[trial.number] = self._open(
                **self._given,
                group=self._group,
                job_type="trial",
                name=f"trial-{trial.number:04d}",
                id=f"{self._study[:16]}-{trial.number:04d}",
                config=config,
            )
        return self._runs[trial.number]

    def _open(self, **given: Any) -> Any:
        if self._init is not None:
            return self._init(**given)
        import wandb

        settings = wandb.Settings(**_QUIET)
        # Several runs at once, none of which becomes wandb.run.
        return wandb.init(**given, resume="allow", reinit="create_new", settings=settings)

    def _report(self, report: Report, run: Any) -> None:
        end = f"_run_{report.run}" if report.run else ""
        metrics = {f"{name}{end}": float(value) for name, value in report.metrics.items()}
        # The runs of a trial follow one another, and steps may not fall.
        run.log({"epoch": report.epoch, "seconds": report.seconds, **metrics})

    def _end(self, trial: Trial, history: History) -> None:
        run = self._run(trial, history)
        found: dict[str, Any] = {"status": trial.status.value, "best_epoch": trial.best_epoch}
        metrics = trial.metrics_at_best()
        for objective in history.objectives:
            if objective.name in metrics:
                found[f"best_{objective.name}"] = float(metrics[objective.name])
        if trial.score is not None:
            found[f"best_{history.objective.name}"] = trial.score
        if trial.failure is not None:
            found["error"] = f"{trial.failure.kind}: {trial.failure.message}"
        for name, value in found.items():
            run.summary[name] = value
        del self._runs[trial.number]
        run.finish(exit_code=1 if trial.status is Status.FAILED else 0)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)
