"""`tuner.oracle`: the trials in the format of KerasTuner's oracle, read from the history."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, final

import keras_tuner
from keras_tuner.engine import trial as kt

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.objective import infer_direction
from kerashpo.core.records import Objective, Report, Status
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space
from kerashpo.training.hyperparameters import HyperParameters
from kerashpo.tuners.not_kept import OF_ORACLES, missing
from kerashpo.tuners.strategy import Schedule
from kerashpo.tuners.tuner_options import TunerOptions

_STATUS = {
    Status.RUNNING: "RUNNING",
    Status.PAUSED: "RUNNING",
    Status.STOPPED: "COMPLETED",
    Status.COMPLETED: "COMPLETED",
    Status.FAILED: "FAILED",
}


@final
class OracleView:
    """Read-only oracle: answers what scripts read from ``tuner.oracle``.

    Trials are new `keras_tuner.engine.trial.Trial` objects in each answer; their ids are the
    trial numbers as strings.

    Args:
        history: returns the study's history, None before a search.
        space: returns the space.
        objectives: the study's objectives; the first one ranks.
        options: the tuner's arguments, some of which belong to the oracle in KerasTuner.
        schedule: how long trials are trained.
    """

    def __init__(
        self,
        history: Callable[[], History | None],
        space: Callable[[], Space],
        objectives: tuple[Objective, ...],
        options: TunerOptions,
        schedule: Schedule = Schedule(),
    ) -> None:
        self._history, self._space, self._seed = history, space, options.seed
        self._schedule = schedule
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
        """The ids of the ended trials, in the order of their end."""
        done = [t for t in self._records().values() if t.status.ended]
        return [str(t.number) for t in sorted(done, key=lambda t: t.ended or 0.0)]

    @property
    def ongoing_trials(self) -> dict[str, Any]:
        """The running trials, by KerasTuner's id of the tuner (worker) that trains them."""
        running = [t for t in self._records().values() if t.status is Status.RUNNING]
        known = {t.number: t.worker for t in running if t.worker is not None}
        # In one process, or not yet with a worker: a number that no other one has.
        free = (number for number in itertools.count() if number not in known.values())
        workers = {t.number: known[t.number] if t.number in known else next(free) for t in running}
        return {f"tuner{worker}": self.get_trial(trial) for trial, worker in workers.items()}

    @property
    def seed(self) -> int | None:
        """The search's seed, drawn if none was given; None before a search without one."""
        history = self._history()
        return self._seed if history is None else history.seed

    def get_trial(self, trial_id: str | int) -> Any:
        """Returns a trial.

        Raises:
            InvalidInput: if there is no trial with that id.
        """
        records = self._records()
        number = int(trial_id) if str(trial_id).isdigit() else -1
        if number not in records:
            raise InvalidInput(f"There is no trial {trial_id!r} among {len(records)} trials.")
        return to_keras_trial(records[number], self._space(), self._schedule)

    def get_best_trials(self, num_trials: int = 1) -> list[Any]:
        """Returns the best trials, the best first; failed trials are omitted."""
        history = self._history()
        if history is None:
            return []
        ranked = [number for number in history.ranking() if history.scored(number)]
        return [self.get_trial(number) for number in ranked[:num_trials]]

    def get_space(self) -> keras_tuner.HyperParameters:
        """Returns the search space with its default values."""
        space = self._space()
        return HyperParameters.with_values(space, space.default())

    def remaining_trials(self) -> int | None:
        """Returns how many trials may still start, None without a limit."""
        return None if self.max_trials is None else self.max_trials - len(self._records())

    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> None:
        """Records metrics from an overridden `run_trial`, which may return them instead.

        Raises:
            InvalidInput: outside of `run_trial`.
        """
        if self.report_to is None:
            raise InvalidInput("update_trial works only in run_trial; return the metrics there.")
        self.report_to(str(trial_id), metrics, step)

    def reports(self, trial: int) -> dict[int, dict[int, Report]]:
        """Returns the reports of a trial, by run and epoch; empty for an unknown trial."""
        record = self._records().get(trial)
        return {} if record is None else record.reports

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise missing("Oracle", name, OF_ORACLES.get(name))

    def _records(self) -> dict[int, Trial]:
        history = self._history()
        return {} if history is None else history.trials


def to_keras_trial(record: Trial, space: Space, schedule: Schedule = Schedule()) -> Any:
    """Returns a trial in KerasTuner's format: one observation per metric, at the best epoch.

    With several runs it is the mean over the runs, each at its own best epoch. So
    ``trial.metrics.get_last_value(objective)`` is the score, as in KerasTuner; the learning
    curves are in ``results.curves()``.

    Args:
        record: the trial.
        space: the space of its values.
        schedule: how long trials are trained.
    """
    hp = trial_hyperparameters(record, space, schedule)
    failure = record.failure
    message = None if failure is None else failure.traceback or failure.message
    trial = kt.Trial(hp, str(record.number), _STATUS[record.status], message)
    trial.score, trial.best_step = record.score, _best_step(record)
    if record.score is None:
        return trial
    objective = record.objective
    for name, value in _metrics(record).items():
        direction = objective.direction if name == objective.name else infer_direction(name)
        trial.metrics.register(name, direction or "min")
        # Not `trial.metrics.update`, which warns of a NaN.
        trial.metrics.metrics[name].update(value, step=trial.best_step)
    return trial


def _best_step(record: Trial) -> int:
    """Returns the best epoch from 0, the mean over runs, rounded down as in KerasTuner."""
    epochs = [best.epoch for best in record.run_bests.values() if best.finite]
    return max(0, int(statistics.mean(epochs)) - 1) if epochs else 0


def _metrics(record: Trial) -> dict[str, float]:
    runs = [record.metrics_at_best(run) for run in record.run_bests]
    names = dict.fromkeys(name for metrics in runs for name in metrics)
    found = {
        name: statistics.fmean([metrics[name] for metrics in runs if name in metrics])
        for name in names
    }
    assert record.score is not None
    return {**found, record.objective.name: record.score}


def trial_hyperparameters(record: Trial, space: Space, schedule: Schedule) -> HyperParameters:
    """Returns a trial's values; under a schedule of rungs also ``tuner/epochs`` and similar.

    KerasTuner's Hyperband stores the budget among the values, and scripts read it to train the
    best configuration again. Here it can be read (``hp.get("tuner/epochs")``), but is not listed.
    """
    hp = HyperParameters.with_values(space, record.config)
    if schedule.plans_epochs and record.targets:
        hp.values = TrialValues(hp.values, _budget(record, schedule))
    return hp


EPOCHS, INITIAL_EPOCH = "tuner/epochs", "tuner/initial_epoch"


def _budget(record: Trial, schedule: Schedule) -> dict[str, Any]:
    rungs = record.targets
    budget: dict[str, Any] = {
        EPOCHS: rungs[-1],
        INITIAL_EPOCH: rungs[-2] if len(rungs) > 1 else 0,
        "tuner/round": len(rungs) - 1,
    }
    if len(rungs) > 1:
        budget["tuner/trial_id"] = str(record.number)
    if schedule.name == "hyperband":
        table = schedule.make().plan().brackets
        lengths = [len(bracket) for bracket in table if bracket[0].epochs == rungs[0]]
        budget["tuner/bracket"] = max(lengths, default=1) - 1
    return budget


@final
class TrialValues(dict[str, Any]):
    """A trial's values, and its budget, which can be read by name but is not listed.

    Args:
        values: those of the configuration.
        budget: further values by name, which are neither iterated nor compared.
    """

    def __init__(self, values: Mapping[str, Any], budget: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._budget = dict(budget)

    def __missing__(self, name: str) -> Any:
        return self._budget[name]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._budget

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, self._budget.get(name, default))
