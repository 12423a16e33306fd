"""`tuner.oracle`: the trials as KerasTuner tells them, read from the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import keras_tuner
from keras_tuner.engine import trial as kt

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.objective import infer_direction
from kerashpo.core.records import Objective, Status
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.tuners.options import TunerOptions

_STATUS = {
    Status.RUNNING: "RUNNING",
    Status.PAUSED: "RUNNING",
    Status.STOPPED: "COMPLETED",
    Status.COMPLETED: "COMPLETED",
    Status.FAILED: "FAILED",
}


@final
class OracleView:
    """Answers what scripts ask ``tuner.oracle``; it decides nothing.

    Trials are `keras_tuner.engine.trial.Trial` objects made anew for each answer, their ids
    the trial numbers as strings.

    Args:
        history: returns the study's history, None before a search.
        space: returns the space.
        objectives: of the study; the first ranks.
        options: the tuner's arguments, some of which are the oracle's in KerasTuner.
    """

    def __init__(
        self,
        history: Callable[[], History | None],
        space: Callable[[], Space],
        objectives: tuple[Objective, ...],
        options: TunerOptions,
    ) -> None:
        self._history, self._space, self._seed = history, space, options.seed
        self.objective = objectives[0]
        self.max_trials = options.max_trials
        self.max_retries_per_trial = options.max_retries_per_trial
        self.max_consecutive_failed_trials = options.max_consecutive_failed_trials
        self.tune_new_entries = options.tune_new_entries
        self.allow_new_entries = options.allow_new_entries
        self.report_to: Callable[[str, Mapping[str, float], int], None] | None = None

    @property
    def trials(self) -> dict[str, Any]:
        """Every trial by its id."""
        return {str(number): self.get_trial(number) for number in self._records()}

    @property
    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """The search space, see `get_space`."""
        return self.get_space()

    @property
    def start_order(self) -> list[str]:
        """The ids in the order of their start."""
        return [str(number) for number in self._records()]

    @property
    def end_order(self) -> list[str]:
        """The ids of those that are over, in the order of their end."""
        done = [t for t in self._records().values() if t.status.ended]
        return [str(t.number) for t in sorted(done, key=lambda t: t.ended or 0.0)]

    @property
    def ongoing_trials(self) -> dict[str, Any]:
        """The trials that have not ended, by who trains them: one of KerasTuner's tuner ids."""
        running = [t for t in self._records().values() if t.status is Status.RUNNING]
        return {f"tuner{t.worker}": self.get_trial(t.number) for t in running}

    @property
    def seed(self) -> int | None:
        """The search's seed, drawn where none was given; None before a search without one."""
        history = self._history()
        return self._seed if history is None else history.seed

    def get_trial(self, trial_id: str | int) -> Any:
        """Returns a trial.

        Raises:
            InvalidInput: if there is none of that id.
        """
        records = self._records()
        number = int(trial_id) if str(trial_id).isdigit() else -1
        if number not in records:
            raise InvalidInput(f"There is no trial {trial_id!r} among {len(records)} trials.")
        return to_keras_trial(records[number], self._space())

    def get_best_trials(self, num_trials: int = 1) -> list[Any]:
        """Returns the best trials, the best first; none that failed."""
        history = self._history()
        if history is None:
            return []
        ranks = sorted(history.rank(number) for number in history.trials)
        finite = [number for cost, _, number in ranks if cost < float("inf")]
        return [self.get_trial(number) for number in finite[:num_trials]]

    def get_space(self) -> keras_tuner.HyperParameters:
        """Returns the search space, holding its default values."""
        space = self._space()
        return HyperParameters.with_values(space, space.default())

    def remaining_trials(self) -> int | None:
        """Returns how many trials may still start, None without a bound."""
        return None if self.max_trials is None else self.max_trials - len(self._records())

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> None:
        """Takes metrics from a `run_trial` of the user's own, which may return them instead.

        Raises:
            InvalidInput: outside of `run_trial`.
        """
        if self.report_to is None:
            raise InvalidInput("update_trial takes metrics within run_trial; return them there.")
        self.report_to(str(trial_id), metrics, step)

    def _records(self) -> dict[int, Trial]:
        history = self._history()
        return {} if history is None else history.trials


def to_keras_trial(record: Trial, space: Space) -> Any:
    """Returns a trial as KerasTuner's: metrics by epoch (from 0), a mean over runs each."""
    hp = HyperParameters.with_values(space, record.config)
    failure = record.failure
    told = None if failure is None else failure.traceback or failure.message
    trial = kt.Trial(hp, str(record.number), _STATUS[record.status], told)
    trial.score, trial.best_step = record.score, max(0, (record.best_epoch or 1) - 1)
    directions = {record.objective.name: record.objective.direction}
    for run, reports in record.reports.items():
        measured = record.measured.get(run, {})
        for epoch, report in reports.items():
            for name, value in {**report.metrics, **measured.get(epoch, {})}.items():
                if not trial.metrics.exists(name):
                    way = directions.get(name) or infer_direction(name) or "min"
                    trial.metrics.register(name, way)
                # Not `trial.metrics.update`, which warns of a NaN.
                trial.metrics.metrics[name].update(value, step=epoch - 1)
    return trial
