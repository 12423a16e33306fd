"""Replays the trials of a KerasTuner oracle as a `History`, and asks for the next job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.events import (
    AlgorithmExhausted,
    Ended,
    Event,
    JobStarted,
    Reached,
    Reported,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import (
    Config,
    Decision,
    Done,
    Exhausted,
    Failure,
    Job,
    Objective,
    Report,
    Resume,
    Scalar,
    Start,
    Status,
    Wait,
)
from kerashpo.schedulers.base import Scheduler
from kerashpo.space.projection import nearest_value
from kerashpo.space.space import Space

EPOCHS, INITIAL, PARENT, ROUND = (
    f"tuner/{name}" for name in ("epochs", "initial_epoch", "trial_id", "round")
)


@final
@dataclass(frozen=True, slots=True)
class OracleTrial:
    """The data of one trial at its start or end.

    Attributes:
        values: its values, ``tuner/...`` included.
        score: the objective, None if it failed.
        message: why it failed.
    """

    values: Mapping[str, Any]
    score: float | None = None
    message: str = ""


Step: TypeAlias = tuple[str, str, OracleTrial]
"""``"start"`` or ``"end"``, a trial's id, and the trial's data at that time."""


@final
@dataclass(slots=True)
class Replay:
    """A history, a scheduler and an algorithm, in the state that follows from an oracle's trials.

    A trial of KerasTuner is one job here: a promotion is another trial there, whose values
    name the trial that it continues.

    Attributes:
        space: the search space.
        history: the trials as our `Trial`s.
        latest: by the number of our trial, KerasTuner's id of the last one that trained it.
        steps: the steps that were replayed.
    """

    space: Space
    objective: Objective
    scheduler: Scheduler
    algorithm: Algorithm
    history: History = field(default_factory=History)
    latest: dict[int, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name, direction = self.objective.name, self.objective.direction
        self._apply(StudyCreated(self.space.to_json(), ((name, direction),), self.algorithm.seed))

    def precedes(self, space: Space, seed: int, steps: Sequence[Step]) -> bool:
        """Whether the given steps extend those that were already replayed."""
        known = len(self.steps)
        same = self.algorithm.seed == seed and self.history.space == space.to_json()
        return same and steps[:known] == self.steps

    def run(self, steps: Sequence[Step]) -> None:
        """Replays the steps that were not replayed yet; requires `precedes`."""
        for step in steps[len(self.steps) :]:
            kind, trial_id, trial = step
            apply = self._start if kind == "start" else self._end
            apply(trial_id, trial)
            self.steps.append(step)

    def next_job(self) -> Job | Wait | Done:
        """Returns the scheduler's next job."""
        job = self.scheduler.next_job(self.algorithm, self.history)
        if isinstance(job, Exhausted) and self.history.exhausted is None:
            self._apply(AlgorithmExhausted(job.reason))
            job = self.scheduler.next_job(self.algorithm, self.history)
        return Done(job.reason) if isinstance(job, Exhausted) else job

    def _start(self, trial_id: str, trial: OracleTrial) -> None:
        until = int(trial.values.get(EPOCHS, self.scheduler.max_epochs))
        parent = self._numbers.get(str(trial.values.get(PARENT)))
        number = self.history.next_trial if parent is None else parent
        self._numbers[trial_id], self.latest[number] = number, trial_id
        if parent is None:
            job: Job = Start(number, nearest_config(self.space, trial.values), until)
        else:
            # Steps do not record that the algorithm was exhausted, which a promotion may depend on.
            self.next_job()
            job = Resume(number, until)
        self._apply(JobStarted(job))

    def _end(self, trial_id: str, trial: OracleTrial) -> None:
        number = self._numbers[trial_id]
        if trial.score is None:
            failure = Failure("fit", trial.message.splitlines()[-1] if trial.message else "")
            self._apply(Ended(number, Status.FAILED, "failed", failure))
            return
        epoch = self.history.trials[number].until
        report = Report(number, 0, epoch, {self.objective.name: trial.score}, 0.0)
        self._apply(Reported(report))
        self._apply(Reached(number))

    def _apply(self, event: Event) -> None:
        self.history.apply(event)
        for trial, decision in self.scheduler.on_event(event, self.history):
            record = self.history.trials[trial]
            if decision is Decision.STOP and not record.status.ended:
                whole = record.epoch >= self.scheduler.max_epochs
                status = Status.COMPLETED if whole else Status.STOPPED
                self._apply(Ended(trial, status, "completed" if whole else "rung"))


def nearest_config(space: Space, values: Mapping[str, Any]) -> Config:
    """Returns the configuration of a space that is nearest to a trial's values.

    The space grows while KerasTuner's trials discover it: a parameter missing from an earlier
    trial had its default there, which KerasTuner passed to the model.
    """
    config: dict[str, Scalar] = {}
    for param in space.params:
        if param.active(config):
            value = values.get(param.name, param.domain.default)
            domain = param.domain
            config[param.name] = value if value in domain else nearest_value(domain, value)
    return config
