"""`AlgorithmOracle`: our algorithms and schedulers behind KerasTuner's `Oracle` interface."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from kerashpo.algorithms.registry import make_algorithm
from kerashpo.algorithms.wrappers import Bounded
from kerashpo.core.records import Objective, Resume, Start, Wait
from kerashpo.experience.warm_start import check_warm_start, read_warm_start
from kerashpo.oracles.base import FixedOracle
from kerashpo.oracles.trial_replay import EPOCHS, INITIAL, PARENT, ROUND, OracleTrial, Replay, Step
from kerashpo.schedulers.base import Scheduler
from kerashpo.space.space import Space
from kerashpo.training.keras_tuner_params import to_space

_ENDED = ("COMPLETED", "FAILED")


class AlgorithmOracle(FixedOracle):
    """Asks an algorithm under a scheduler, whose state is replayed from the oracle's trials.

    New starts and ends are replayed as they happen. If the trials no longer begin with those that
    were replayed (a trial's values or the space have grown, another state was loaded), scheduler
    and history are rebuilt: proposals depend on the trials alone.

    Args:
        algorithm: a name of `kerashpo.algorithms.registry`.
        options: further arguments of the algorithm.
        configurations: how many may be started; None for no limit.
        warm_start: earlier studies, see `kerashpo.optimize`. They are read when a trial is asked
            for, once the model has defined its parameters.
        **shared: see `FixedOracle`.
    """

    def __init__(
        self,
        algorithm: str,
        options: dict[str, Any] | None = None,
        configurations: int | None = None,
        warm_start: Any = (),
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self._algorithm, self._options = algorithm, dict(options or {})
        self._configurations = configurations
        self._known: Replay | None = None
        self._warm_start = check_warm_start(warm_start)
        # Built only to check the options: a wrong one is an error before anything is trained.
        make_algorithm(algorithm, self._space(), 0, self._options)

    @abstractmethod
    def _scheduler(self) -> Scheduler:
        """Returns a fresh scheduler."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, see `keras_tuner.Oracle.populate_space`."""
        replay = self._replay()
        job = replay.next_job()
        match job:
            case Start(config=config, until=until):
                return {"status": "RUNNING", "values": self._started(dict(config), until)}
            case Resume(trial, until):
                known = self.trials[replay.latest[trial]]
                done = replay.history.trials[trial].epoch
                values = _promoted(known.hyperparameters.values, known.trial_id, done, until)
                return {"status": "RUNNING", "values": values}
        # Running trials may still discover parameters, and with them configurations.
        waits = isinstance(job, Wait) or self.ongoing_trials
        return {"status": "IDLE" if waits else "STOPPED"}

    def _started(self, config: dict[str, Any], until: int) -> dict[str, Any]:
        """Returns the values of a new trial that trains through an epoch."""
        return config

    def _space(self) -> Any:
        return to_space(self.hyperparameters)

    def _replay(self) -> Replay:
        space, steps = self._space(), self._steps()
        if self._known is None or not self._known.precedes(space, self.seed, steps):
            self._known = self._fresh(space)
        self._known.run(steps)
        return self._known

    def _fresh(self, space: Space) -> Replay:
        options = self._options
        if self._algorithm == "auto":
            options = {"max_trials": self._configurations or self.max_trials, **options}
        objective = Objective(self.objective.name, self.objective.direction)
        # Before a model was built nothing is known of the space.
        if space.params and (sources := read_warm_start(self._warm_start, space, [objective])):
            options = {**options, "warm_start": sources}
        algorithm = make_algorithm(self._algorithm, space, self.seed, options)
        bounded = Bounded(algorithm, self._configurations)
        return Replay(space, objective, self._scheduler(), bounded)

    def _steps(self) -> list[Step]:
        """Returns the starts and ends of trials, in order."""
        order = [(kind, trial_id) for kind, trial_id in self._ordered() if trial_id in self.trials]
        begun = {trial_id for _, trial_id in order}
        # Trials that the user added by hand.
        foreign = [t for t in self.trials if t not in begun and self.trials[t].status in _ENDED]
        marks = [(kind, trial_id) for trial_id in foreign for kind in ("start", "end")]
        return [(kind, t, _snapshot(kind, self.trials[t])) for kind, t in [*marks, *order]]


def _snapshot(kind: str, trial: Any) -> OracleTrial:
    values = dict(trial.hyperparameters.values)
    if kind == "start":
        return OracleTrial(values)
    score = trial.score if trial.status == "COMPLETED" else None
    return OracleTrial(values, score, trial.message or "")


def _promoted(values: dict[str, Any], trial_id: str, done: int, until: int) -> dict[str, Any]:
    """Returns the values of a promotion: a trial that continues another one."""
    onward = {PARENT: trial_id, EPOCHS: until, INITIAL: done}
    return {**values, **onward, ROUND: int(values.get(ROUND, 0)) + 1}


def with_epochs(config: dict[str, Any], until: int) -> dict[str, Any]:
    """Returns values with the epochs that KerasTuner's Hyperband tuner reads from them."""
    return {**config, EPOCHS: until, INITIAL: 0, ROUND: 0}
