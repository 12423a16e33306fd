"""Drives an algorithm step by step: asks for, starts, scores and ends trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, final

from kerashpo.algorithms.base import Algorithm
from kerashpo.core.events import (
    Ended,
    Event,
    JobStarted,
    Measured,
    Reached,
    Reported,
    StudyCreated,
)
from kerashpo.core.history import History
from kerashpo.core.records import Config, Exhausted, Failure, NotReady, Report, Start, Status
from kerashpo.space.space import Space
from kerashpo.testing.cases import require
from kerashpo.testing.curve_runner import METRIC, wave

Score: TypeAlias = Callable[[Config], "float | Mapping[str, float]"]
Objectives: TypeAlias = Sequence[tuple[str, Literal["min", "max"]]]


@final
class AlgorithmDriver:
    """An algorithm together with the history of the trials that it proposed.

    Args:
        make: builds the algorithm.
        space: the space to search.
        seed: the algorithm's seed.
        direction: the direction in which scores improve.
        score: the score of a configuration after its one epoch, or its metrics.
        others: names and directions of further objectives.
        settings: the study's, e.g. its limits.
    """

    def __init__(
        self,
        make: Callable[[Space, int], Algorithm],
        space: Space,
        seed: int = 0,
        direction: Literal["min", "max"] = "min",
        score: Score = lambda config: wave(config, 1),
        others: Objectives = (),
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.space = space
        self.algorithm = make(space, seed)
        self.events: list[Event] = []
        self.history = History()
        self._score = score
        objectives = ((METRIC, direction), *others)
        self._note(StudyCreated(space.to_json(), objectives, seed, settings or {}))

    @property
    def configs(self) -> list[Config]:
        """The configurations so far, in the order of trials."""
        return [trial.config for trial in self.history.trials.values()]

    def ask(self) -> Config | NotReady | Exhausted:
        """Asks for the next configuration without starting a trial."""
        return self.algorithm.ask(self.history.next_trial, self.history)

    def start(self) -> int | None:
        """Asks for a configuration and starts its trial; None if there is none."""
        answer = self.ask()
        if isinstance(answer, (NotReady, Exhausted)):
            return None
        require(answer in self.space, f"{dict(answer)} is not in {self.space!r}")
        return self.put(answer)

    def put(self, config: Config) -> int:
        """Starts a trial of a configuration that the algorithm did not propose."""
        trial = self.history.next_trial
        self._note(JobStarted(Start(trial, config, 1), at=self._at))
        return trial

    def finish(self, trial: int, value: float | Mapping[str, float] | None = None) -> None:
        """Reports a trial's score (or `value`) and completes it; a score that is NaN fails it."""
        score = self._score(self.history.trials[trial].config) if value is None else value
        metrics = score if isinstance(score, Mapping) else {METRIC: score}
        self._note(Reported(Report(trial, 0, 1, metrics, 1.0), at=self._at))
        if all(map(math.isfinite, metrics.values())):
            self._note(Reached(trial, at=self._at))
            self._end(trial, Status.COMPLETED, None)
        else:
            self._end(trial, Status.FAILED, Failure("nan", f"the metrics were {metrics}"))

    def refuse(self, trial: int, metrics: Mapping[str, float]) -> None:
        """Fails a trial whose untrained model exceeds a limit, with what was measured on it."""
        self._note(Measured(trial, 0, 0, metrics, at=self._at))
        self._end(trial, Status.FAILED, Failure("limit", "it exceeds a limit"))

    def fail(self, trial: int) -> None:
        """Fails a trial that has not reported."""
        self._end(trial, Status.FAILED, Failure("fit", "it failed"))

    def advance(self, trials: int) -> list[Config]:
        """Starts and finishes `trials` trials one by one; returns all configurations."""
        for _ in range(trials):
            trial = self.start()
            if trial is not None:
                self.finish(trial)
        return self.configs

    def before(self, trial: int) -> History:
        """Returns the history as it was when this trial was asked for."""
        started = (
            index
            for index, event in enumerate(self.events)
            if isinstance(event, JobStarted) and event.job.trial == trial
        )
        return History(self.events[: next(started)])

    def replay(self, make: Callable[[Space, int], Algorithm]) -> AlgorithmDriver:
        """Returns a fresh algorithm with a replayed history."""
        first, *others = self.history.objectives
        other = AlgorithmDriver(
            make,
            self.space,
            self.history.seed,
            first.direction,
            self._score,
            [(one.name, one.direction) for one in others],
            self.history.settings,
        )
        for event in self.events[1:]:
            other._note(event)
        return other

    @property
    def _at(self) -> float:
        return float(len(self.events))

    def _end(self, trial: int, status: Status, failure: Failure | None) -> None:
        reason = "completed" if failure is None else "failed"
        self._note(Ended(trial, status, reason, failure, at=self._at))

    def _note(self, event: Event) -> None:
        self.events.append(event)
        self.history.apply(event)
