"""A runner with a small model, which records its messages."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from kerashpo.core.events import Reported
from kerashpo.core.records import Decision, Fork, Objective, Report, Resume, Start
from kerashpo.executors.base import origins_of
from kerashpo.executors.messages import Message, Saving, WorkItem
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import MemoryBlobs
from kerashpo.store.trial_checkpoints import secure_origins
from kerashpo.training.data import FitData
from kerashpo.training.folds import RunData
from kerashpo.training.hypermodel import ModelBuilder, make_loops
from kerashpo.training.joint_training import JointTraining
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.runner import KerasRunner
from kerashpo.training.settings import Settings
from kerashpo.training.trial_state import TrialState

ROWS = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
LABELS = (ROWS[:, 0] + 0.5 * ROWS[:, 1] > 0).astype("float32")
TRAIN, VALIDATION = (ROWS[:48], LABELS[:48]), (ROWS[48:], LABELS[48:])
OBJECTIVE = Objective("val_loss", "min")


def build(hp: Any) -> keras.Model:
    """Adam and dropout: an optimizer with state, and randomness in every step."""
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(hp.Int("units", 4, 16), "relu"),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def fit_data() -> FitData:
    return FitData.from_fit(*TRAIN, validation_data=VALIDATION, batch_size=16)


shared_loops = functools.cache(make_loops)


@dataclass
class Rig:
    """Test harness: runs jobs and keeps the messages; `answer` is the decision on a trial.

    Rigs share traces, as the trials of a search do, unless they get `loops` of their own.
    """

    build: Callable[[Any], keras.Model] = build
    callbacks: Sequence[Any] = ()
    blobs: Blobs = field(default_factory=MemoryBlobs)
    answer: Callable[[Message], Decision] = lambda message: Decision.CONTINUE
    settings: dict[str, Any] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    data: FitData | None = None
    space: Space | None = None
    loops: dict[str, TrainingLoop] = field(default_factory=shared_loops)
    population: int = 0

    def __post_init__(self) -> None:
        maker = ModelBuilder(self.build)
        self.space = maker.discover(0) if self.space is None else self.space
        settings = Settings(
            **{"objective": OBJECTIVE, "seed": 0, "max_epochs": 4, "checkpoint_every": 1e9}
            | self.settings
        )
        self.runner = KerasRunner(
            maker,
            self.space,
            RunData([self.data or fit_data()]),
            self.callbacks,
            settings,
            self.blobs,
            self.loops,
            population=JointTraining(self.loops["compiled"], self.population)
            if self.population
            else None,
        )

    def start(self, until: int, trial: int = 0, **values: Any) -> list[Message]:
        """Trains a new trial; returns the messages."""
        config = self.space.complete(values)
        return self._run(WorkItem(Start(trial, config, until), config, until))

    def resume(self, until: int, trial: int = 0, **values: Any) -> list[Message]:
        """Continues a trial; returns the messages."""
        config = self.space.complete(values)
        return self._run(WorkItem(Resume(trial, until), config, until))

    def fork(
        self, until: int, trial: int, origin: tuple[int, int], again: bool = False, **values: Any
    ) -> list[Message]:
        """Trains a fork; returns the messages.

        Args:
            until: the epoch to train through.
            trial: the fork's number.
            origin: its parent, and after which epoch.
            again: whether it resumes after an interruption.
            values: of its configuration.
        """
        config = self.space.complete(values)
        job = Resume(trial, until) if again else Fork(trial, *origin, config, until)
        item = WorkItem(job, config, until, origin)
        secure_origins(self.blobs, {trial: origin})
        return self._run(item)

    def together(self, *items: WorkItem) -> list[Message]:
        """Trains items at once; returns the messages."""
        secure_origins(self.blobs, origins_of(items))
        return self._run(*items)

    def item(self, job: type[Start | Resume], trial: int, until: int, **values: Any) -> WorkItem:
        """Returns a work item."""
        config = self.space.complete(values)
        made = Start(trial, config, until) if job is Start else Resume(trial, until)
        return WorkItem(made, config, until)

    def _run(self, *tasks: WorkItem) -> list[Message]:
        said: list[Message] = []
        answers = dict.fromkeys([task.trial for task in tasks], Decision.CONTINUE)

        def emit(message: Message | Saving) -> Decision:
            if not isinstance(message, Saving):
                said.append(message)
                answers[message.trial] = self.answer(message)
            return answers[message.trial]

        self.runner.run(tasks, emit)
        self.messages += said
        return said

    @property
    def reports(self) -> list[Report]:
        """Every report so far."""
        return [m.report for m in self.messages if isinstance(m, Reported)]

    @property
    def curve(self) -> list[dict[str, float]]:
        """The metrics of every report so far."""
        return [dict(report.metrics) for report in self.reports]

    def curve_of(self, trial: int) -> dict[int, dict[str, float]]:
        """The metrics of a trial's reports so far, by epoch."""
        return {r.epoch: dict(r.metrics) for r in self.reports if r.trial == trial}

    def live(self, trial: int = 0, run: int = 0) -> TrialState:
        """Returns the state of a trial in the runner's memory."""
        return self.runner._memory.state(trial, run)

    def state(self, trial: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Returns weights and optimizer variables."""
        model = self.live(trial).model
        both = model.weights, model.optimizer.variables
        return tuple([np.array(v.numpy()) for v in group] for group in both)
