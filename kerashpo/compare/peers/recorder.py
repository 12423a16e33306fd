"""A callback that keeps every epoch of a peer's search, the best weights and the time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import keras
from keras_tuner.errors import FatalError

from kerashpo.analysis.anytime import Step
from kerashpo.analysis.fronts import FrontStep, rows, signs
from kerashpo.compare.tuners import TunerBudget
from kerashpo.core.pareto import from_knee, non_dominated
from kerashpo.core.records import Objective
from kerashpo.problems.splits import Split
from kerashpo.problems.task import Task
from kerashpo.training.energy import Usage, UsageClock
from kerashpo.training.settings import Derived


class BudgetSpent(FatalError):  # type: ignore[misc]
    """Raised when all epochs are used up; a `FatalError`, which KerasTuner does not retry."""


@dataclass(frozen=True, slots=True)
class Winner:
    """The best epoch of a recorded search.

    Attributes:
        rank: cost, loss of the same split, trial: less is better, as in `History.rank`.
        values: the hyperparameter values of the model.
        metrics: every metric of that epoch.
        weights: the model's weights after it.
        epoch: its number within the trial, from 1.
    """

    rank: tuple[float, float, int]
    values: dict[str, Any]
    metrics: dict[str, float]
    weights: list[Any]
    epoch: int


@final
class Recorder(keras.callbacks.Callback):
    """A callback that records every epoch of a search by another library, and its best weights.

    Args:
        objective: the task's objective.
        budget: epochs in all; after them it raises `BudgetSpent`.
        further: objectives after the first: every trial's best epoch is then kept for the front.

    Attributes:
        epochs: how many were trained.
        best: the best epoch, None before one has a finite score.
        steps: the improvements of the best value.
        curves: (trial, epoch, metric, value, seconds, elapsed) of every epoch.
        winners: with several objectives the best epoch of each trial in the first.
        front_steps: with several objectives the changes of the trials' values.
    """

    def __init__(
        self, objective: Objective, budget: int, further: tuple[Objective, ...] = ()
    ) -> None:
        super().__init__()
        self._objective, self._budget = objective, budget
        self._objectives = (objective, *further)
        self._derived = Derived(tuple(one for one in further if one.of is not None))
        self._untrained: dict[int, dict[str, float]] = {}
        self._usage: dict[int, Usage] = {}
        self._clock = UsageClock()
        self._began = self._epoch_began = time.perf_counter()
        self._numbers: dict[frozenset[tuple[str, Any]], int] = {}
        self._seconds: dict[int, float] = {}
        self._values: dict[str, Any] = {}
        self._trial = 0
        self.epochs = 0
        self.best: Winner | None = None
        self.steps: list[Step] = []
        self.curves: list[tuple[int, int, str, float, float, float]] = []
        self.winners: dict[int, Winner] = {}
        self.front_steps: list[FrontStep] = []

    def __deepcopy__(self, memo: object) -> Recorder:
        """Returns itself: KerasTuner copies callbacks for every trial, and this one records all."""
        return self

    @property
    def trials(self) -> int:
        """How many configurations were started."""
        return len(self._numbers)

    @property
    def seconds(self) -> float:
        """Wall time since the search began."""
        return time.perf_counter() - self._began

    def start_clock(self) -> None:
        """Begins to count the seconds of the search."""
        self._began = self._epoch_began = time.perf_counter()

    def begin(self, values: Mapping[str, Any]) -> None:
        """Sets the values that the next model is built with."""
        self._values = dict(values)

    def on_train_begin(self, logs: Any = None) -> None:
        known = frozenset(self._values.items())
        self._trial = self._numbers.setdefault(known, len(self._numbers))
        if self._trial not in self._untrained:
            self._untrained[self._trial] = self._derived.untrained(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._clock = UsageClock()
        self._epoch_began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        spent = time.perf_counter() - self._epoch_began
        self._seconds[self._trial] = self._seconds.get(self._trial, 0.0) + spent
        used = self._usage[self._trial] = self._usage.get(self._trial, Usage()) + self._clock.read()
        metrics = self._derived.add(metrics, self.model, self._untrained.get(self._trial, {}), used)
        self.epochs += 1
        own, elapsed = self._seconds[self._trial], self.seconds
        self.curves += [
            (self._trial, epoch + 1, name, value, own, elapsed) for name, value in metrics.items()
        ]
        if len(self._objectives) > 1:
            self._update_trial(metrics, elapsed, epoch + 1)
        self._update_best(metrics, elapsed, epoch + 1)
        if self.epochs >= self._budget:
            raise BudgetSpent(f"{self.epochs} epochs are trained")

    def winner_of(self, values: Mapping[str, Any]) -> Winner | None:
        """Returns the best epoch of a configuration, with several objectives."""
        return self.winners.get(self._numbers.get(frozenset(values.items()), -1))

    def front(self) -> list[tuple[int, Winner]]:
        """Returns the trials on the Pareto front with their best epochs, the knee first."""
        known = list(self.winners.items())
        table = rows([winner.metrics for _, winner in known], self._objectives)
        costs = table * signs(self._objectives)
        front = non_dominated(costs)
        return [known[place] for place in from_knee(costs).tolist() if front[place]]

    def _update_trial(self, metrics: dict[str, float], elapsed: float, epoch: int) -> None:
        """Keeps a trial's best epoch in the first objective."""
        values = tuple(metrics.get(one.name, math.nan) for one in self._objectives)
        loss = metrics.get(self._objective.loss, math.inf)
        rank = (self._objective.cost(values[0]), loss, self._trial)
        known = self.winners.get(self._trial)
        if not all(map(math.isfinite, values)) or (known is not None and rank >= known.rank):
            return
        weights = self.model.get_weights()
        self.winners[self._trial] = Winner(rank, dict(self._values), metrics, weights, epoch)
        self.front_steps.append(FrontStep(self.epochs, self.trials, elapsed, self._trial, values))

    def _update_best(self, metrics: dict[str, float], elapsed: float, epoch: int) -> None:
        objective = self._objective
        value = metrics.get(objective.name, float("nan"))
        loss = metrics.get(objective.loss, float("inf"))
        rank = (objective.cost(value), loss, self._trial)
        if rank[0] == float("inf") or (self.best is not None and rank >= self.best.rank):
            return
        if self.best is None or rank[0] < self.best.rank[0]:
            self.steps.append(Step(self.epochs, self.trials, elapsed, value))
        self.best = Winner(rank, dict(self._values), metrics, self.model.get_weights(), epoch)


def recorded(build: Callable[[Any], Any], recorder: Recorder) -> Callable[[Any], Any]:
    """Returns a `build_model` that also records the hyperparameter values that it reads.

    KerasTuner's ``hp.values`` hold more: those of a promoted trial also have parameters of
    layers that it lacks, so that it would count as another trial.
    """

    def build_and_record(hp: Any) -> Any:
        asked: list[str] = []
        retrieve = hp._retrieve

        def note(param: Any) -> Any:
            if hp._conditions_are_active(param.conditions):
                asked.append(param.name)
            return retrieve(param)

        hp._retrieve = note
        try:
            model = build(hp)
        finally:
            del hp._retrieve
        recorder.begin({name: hp.values[name] for name in asked if name in hp.values})
        return model

    return build_and_record


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Data, budget and seed of a search by another library, the same as ours.

    Attributes:
        task: the task whose hypermodel is tuned.
        split: the data of the seed.
        allowed: trials, epochs and rounds.
        folder: the folder of the library's files.
        seed: the search's seed.
        max_epochs: the most epochs of a trial.
        factor: Hyperband's reduction factor.
        initial_points: trials before a model decides.
    """

    task: Task
    split: Split
    allowed: TunerBudget
    folder: Path
    seed: int
    max_epochs: int
    factor: int
    initial_points: int
