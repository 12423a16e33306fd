"""Records passed between scheduler, loop and executor: jobs, reports, decisions, plans."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from kerashpo.core.errors import InvalidInput
from kerashpo.core.spread import Measurement

Scalar: TypeAlias = "str | int | float | bool | None"
Config: TypeAlias = Mapping[str, Scalar]
"""A configuration: flat, nested names joined with ``/``, values JSON scalars."""


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective: the name of a metric and the direction in which it improves.

    Args:
        name: the metric as it appears in a report, e.g. ``"val_accuracy"``.
        direction: ``"min"`` or ``"max"``.
        of: a function of the model that returns the value, for a quantity that no metric logs, e.g.
            ``lambda model: model.count_params()``. It is called after every epoch, with the
            model as it is then, and its value is logged under `name`.
        before_training: whether `of` is called once instead, with the built and untrained model,
            e.g. for the number of its parameters. A limit of such a quantity costs no epoch.

    Raises:
        InvalidInput: on any other direction, or if `of` is not a function.
    """

    name: str
    direction: Literal["min", "max"]
    of: Callable[[Any], float | Measurement] | None = field(default=None, compare=False, repr=False)
    before_training: bool = field(default=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max"):
            raise InvalidInput(
                f"Objective({self.name!r}): direction must be 'min' or 'max'. "
                f"Received: {self.direction!r}."
            )

        if self.of is not None and not callable(self.of):
            raise InvalidInput(
                f"Objective({self.name!r}): of must be a function of the model that returns a "
                f"number. Received: {self.of!r}."
            )

    def cost(self, value: float) -> float:
        """Returns `value` as something to minimise; NaN and infinities become inf."""
        if not math.isfinite(value):
            return math.inf
        return value if self.direction == "min" else -value

    def better_than(self, a: float, b: float) -> bool:
        """Whether `a` is strictly better than `b`."""
        return self.cost(a) < self.cost(b)

    def has_value(self, logs: Mapping[str, float]) -> bool:
        """Whether the metric is among `logs`."""
        return self.name in logs

    def get_value(self, logs: Mapping[str, float]) -> float:
        """Returns the metric's value from `logs`."""
        return logs[self.name]

    @property
    def loss(self) -> str:
        """The loss of the same split, which breaks ties: ``val_loss`` for ``val_accuracy``."""
        return "val_loss" if self.name.startswith("val_") else "loss"


@dataclass(frozen=True, slots=True)
class Start:
    """Train a new trial from scratch through epoch `until` (epochs count from 1)."""

    trial: int
    config: Config
    until: int


@dataclass(frozen=True, slots=True)
class Resume:
    """Continue a trial from its own checkpoint through epoch `until`."""

    trial: int
    until: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Start a trial from the state that `parent` had after epoch `at`, with new values."""

    trial: int
    parent: int
    at: int
    config: Config
    until: int


@dataclass(frozen=True, slots=True)
class FoldRuns:
    """Train further runs of a trial through epoch `until`: the folds of a final round.

    Its scored runs, and so its score, do not change; if run 0 is among `runs` it is
    trained through `until` too.

    Attributes:
        trial: the trial's number; usually it has ended.
        runs: the numbers of the runs.
        until: the epoch to train each of them through.
        config: the configuration of a trial that does not exist yet, else None.
    """

    trial: int
    runs: tuple[int, ...]
    until: int
    config: Config | None = None


Job: TypeAlias = "Start | Resume | Fork | FoldRuns"


@dataclass(frozen=True, slots=True)
class Report:
    """The metrics of one epoch.

    Attributes:
        trial: the trial's number.
        run: the execution or fold, from 0.
        epoch: counted from 1 over the trial's whole life.
        metrics: every logged metric.
        seconds: the trial's own training time so far.
    """

    trial: int
    run: int
    epoch: int
    metrics: Mapping[str, float]
    seconds: float


class Decision(enum.Enum):
    """The decision on a trial after a report: PAUSE keeps the checkpoint, STOP frees it."""

    CONTINUE = "continue"
    PAUSE = "pause"
    STOP = "stop"


class Status(str, enum.Enum):
    """The status of a trial; the last three are final."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def ended(self) -> bool:
        """Whether the trial has ended."""
        return self in (Status.STOPPED, Status.COMPLETED, Status.FAILED)


@dataclass(frozen=True, slots=True)
class NotReady:
    """Returned by an algorithm that needs a running trial's result before it can propose."""


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Returned by an algorithm with nothing left to propose; `reason` becomes the study's."""

    reason: str = "space exhausted"


@dataclass(frozen=True, slots=True)
class Wait:
    """Returned by a scheduler that has no job until a running trial has reported."""


@dataclass(frozen=True, slots=True)
class Done:
    """Returned by a scheduler that has no further job, with the reason."""

    reason: str = "finished"


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a trial failed.

    Attributes:
        kind: ``"build"``, ``"fit"``, ``"nan"``, ``"memory"``, ``"killed"``, ``"timeout"``,
            ``"limit"``: the untrained model exceeds a limit, or ``"refused"``: by the user's code,
            or because the state that a fork starts from cannot be used. A trial of the last two
            kinds is not retried.
        message: one line for tables.
        traceback: the full traceback, empty if there is none.
        output: the last lines that the trial printed, if they were captured.
    """

    kind: str
    message: str
    traceback: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of a study as a whole, over all workers and restarts; None means no bound.

    Attributes:
        max_trials: configurations started, failed ones included.
        max_epochs_total: epochs trained over all trials.
        max_minutes: minutes of search, interruptions not counted.
        max_energy_wh: watt-hours of all trials' training, as far as epochs reported them.
    """

    max_trials: int | None = None
    max_epochs_total: int | None = None
    max_minutes: float | None = None
    max_energy_wh: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a bracket: `trials` configurations trained through epoch `epochs`."""

    trials: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a scheduler: brackets, trials and epochs, known before anything is trained.

    Attributes:
        brackets: for each bracket its rungs, from the first to the last.
        trials: configurations started; None while unbounded.
        epochs: an upper bound of the epochs trained; None while unknown.
        notes: warnings, e.g. that the budget cannot reach the last rung.
    """

    brackets: tuple[tuple[Rung, ...], ...]
    trials: int | None
    epochs: int | None
    notes: tuple[str, ...] = field(default=())

    def of_runs(self, runs: int) -> Plan:
        """Returns the plan with the epochs of all runs of each trial."""
        return replace(self, epochs=None if self.epochs is None else self.epochs * runs)

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as JSON, as a log stores it."""
        return {
            "brackets": [[[rung.trials, rung.epochs] for rung in one] for one in self.brackets],
            "trials": self.trials,
            "epochs": self.epochs,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Plan:
        """Returns the plan that `to_json` wrote."""
        brackets = tuple(tuple(Rung(*rung) for rung in one) for one in body["brackets"])
        return cls(brackets, body["trials"], body["epochs"], tuple(body["notes"]))
