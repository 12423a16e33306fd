"""`KerasRunner`: trains trials in this process and keeps their checkpoints."""

from __future__ import annotations

import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import keras

from kerashpo.core.errors import InvalidInput, nearest
from kerashpo.core.records import Decision, Failure, Objective, Report, Resume
from kerashpo.core.trial import Best, Trial
from kerashpo.executors.base import Emit, Runner
from kerashpo.executors.messages import Epoch, Failed, Finished, Grew, Note, Reach, Task
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.training.building import build_all
from kerashpo.training.callbacks import EpochReporter, fresh_callbacks
from kerashpo.training.checkpoints import pack_list
from kerashpo.training.fitdata import FitData
from kerashpo.training.live import LiveTrial
from kerashpo.training.models import ModelMaker
from kerashpo.training.randomness import EpochKeys
from kerashpo.training.ways import Way, choose

_LOG = logging.getLogger("kerashpo")


@dataclass(frozen=True, slots=True)
class Settings:
    """How trials are trained.

    Attributes:
        objective: decides which epoch's weights are kept.
        seed: the study's seed.
        max_epochs: the most epochs that one trial is trained.
        runs: how often each configuration is trained, with other random streams.
        fast: ``"auto"``, True or False, see `kerashpo.training.ways.choose`.
        keep_in_memory: bytes of paused trials that stay in memory.
        checkpoint_every: seconds of training between checkpoints.
        max_model_size: parameters; a larger model fails its trial. None for no limit.
    """

    objective: Objective
    seed: int
    max_epochs: int
    runs: int = 1
    fast: bool | Literal["auto"] = "auto"
    keep_in_memory: int = 10**9
    checkpoint_every: float = 1.0
    max_model_size: int | None = None


@final
class KerasRunner(Runner):
    """Builds, trains, pauses and resumes Keras models.

    Args:
        maker: builds models.
        space: the space as it is known; it grows with what models ask for.
        data: what to train on.
        callbacks: the user's; each trial gets copies.
        settings: how.
        blobs: where checkpoints go.
        ways: the ways to train, by the kind that `choose` names.
    """

    def __init__(
        self,
        maker: ModelMaker,
        space: Space,
        data: FitData,
        callbacks: Sequence[Any],
        settings: Settings,
        blobs: Blobs,
        ways: Mapping[str, Way],
    ) -> None:
        self._maker, self._space, self._data = maker, space, data
        self._callbacks, self._settings = tuple(callbacks), settings
        self._blobs, self._ways = blobs, ways
        self._live: OrderedDict[tuple[int, int], LiveTrial] = OrderedDict()
        self._saved = 0.0

    def run(self, task: Task, emit: Emit) -> None:
        stage = ["build"]
        try:
            outcomes = []
            for run in range(self._settings.runs):
                outcome = self._run_once(task, run, emit, stage)
                if outcome is None:
                    return
                outcomes.append(outcome)
            self._conclude(task, outcomes, emit)
        except InvalidInput as error:
            self._fail(task, emit, Failure(stage[0], str(error)))
        except Exception as error:  # whatever the user's code raises fails its trial
            self._fail(task, emit, classify(stage[0], error))
        finally:
            self._evict()

    def free(self, trial: int) -> None:
        for run in range(self._settings.runs):
            live = self._live.pop((trial, run), None)
            if live is not None:
                self._close_callbacks(trial, live)
            self._blobs.free(checkpoint_key(trial, run))

    def _run_once(self, task: Task, run: int, emit: Emit, stage: list[str]) -> LiveTrial | None:
        """Trains one run through the task's end; returns None where the answer ended it."""
        began = time.perf_counter()
        stage[0] = "build"
        live = self._live.pop((task.trial, run), None) or self._revive(task, run, emit)
        live.seconds += time.perf_counter() - began
        self._live[task.trial, run] = live
        stage[0] = "fit"
        answer = self._train(live, task, run, emit)
        self._save_best(task.trial, run, live)
        if answer is Decision.STOP:
            self._end_callbacks(live)
        else:
            self._blobs.put(checkpoint_key(task.trial, run), live.save())
        return live if answer is Decision.CONTINUE else None

    def _revive(self, task: Task, run: int, emit: Emit) -> LiveTrial:
        """Builds the trial's model, and brings it to its last checkpoint if it has one."""
        live = self._build(task, run, emit)
        resumes = isinstance(task.job, Resume)
        saved = self._blobs.get(checkpoint_key(task.trial, run)) if resumes else None
        if saved is None:
            return live
        try:
            live.load(saved)
        except ValueError as error:
            # Epochs trained again give what the log says already: this costs time, not results.
            emit(Note(task.trial, {"checkpoint": f"{error}; trained again from the start"}))
            return self._build(task, run, emit)
        return live

    def _build(self, task: Task, run: int, emit: Emit) -> LiveTrial:
        trial, seed = task.trial, self._settings.seed
        model, hp = self._maker.make(task.config, self._space, seed, trial, run)
        if hp.changed:
            emit(Grew(trial, hp.changed, self._grow(list(hp.appeared.values()))))
        build_all(model, self._data)
        self._check_size(model)
        return LiveTrial(model, fresh_callbacks(self._callbacks))

    def _train(self, live: LiveTrial, task: Task, run: int, emit: Emit) -> Decision:
        settings, trial = self._settings, task.trial
        kind, reason = choose(settings.fast, live.model, self._data, live.callbacks)
        if not live.facts:
            live.facts = {"training": kind, "training_reason": reason}
            emit(Note(trial, live.facts))
        answer = Decision.CONTINUE
        began, before = time.perf_counter(), live.seconds
        self._saved = began
        logged: list[str] = []

        def on_epoch(epoch: int, metrics: dict[str, float]) -> bool:
            nonlocal answer
            live.epoch, live.seconds = epoch, before + time.perf_counter() - began
            live.stopped = bool(live.model.stop_training)
            logged[:] = metrics
            report = Report(trial, run, epoch, metrics, live.seconds)
            live.note_best(judge(report, settings.objective))
            self._checkpoint_now_and_then(trial, run, live)
            answer = emit(Epoch(report))
            return answer is not Decision.CONTINUE

        if live.epoch < task.until and not live.stopped:
            # Last, so that it sees what the user's callbacks put into the logs.
            callbacks = [*live.callbacks, EpochReporter(on_epoch)]
            live.model.stop_training = False
            keys = EpochKeys(settings.seed, trial, run)
            way = self._ways[kind]
            way.train(live.model, self._data, live.epoch + 1, task.until, callbacks, keys)
            _check_logged(settings.objective.name, logged, live)
        return answer

    def _conclude(self, task: Task, runs: list[LiveTrial], emit: Emit) -> None:
        """Says how a task ended that nobody interrupted."""
        if not all(live.best.finite for live in runs):
            name = self._settings.objective.name
            self._fail(task, emit, Failure("nan", f"{name} was never finite"))
        elif all(live.epoch >= task.until and not live.stopped for live in runs):
            if task.until >= self._settings.max_epochs:
                for live in runs:
                    self._end_callbacks(live)
            emit(Reach(task.trial))
        else:
            for live in runs:
                self._end_callbacks(live)
            emit(Finished(task.trial))

    def _end_callbacks(self, live: LiveTrial) -> None:
        for callback in live.callbacks:
            callback.end()

    def _close_callbacks(self, trial: int, live: LiveTrial) -> None:
        """Ends the callbacks of a trial that was decided on; it can fail no more."""
        try:
            self._end_callbacks(live)
        except Exception:
            _LOG.exception("A callback failed at the end of trial %d.", trial)

    def _fail(self, task: Task, emit: Emit, failure: Failure) -> None:
        for run in range(self._settings.runs):
            self._live.pop((task.trial, run), None)
        emit(Failed(task.trial, failure))

    def _checkpoint_now_and_then(self, trial: int, run: int, live: LiveTrial) -> None:
        if time.perf_counter() - self._saved >= self._settings.checkpoint_every:
            self._save_best(trial, run, live)
            self._blobs.put(checkpoint_key(trial, run), live.save())
            self._saved = time.perf_counter()

    def _save_best(self, trial: int, run: int, live: LiveTrial) -> None:
        if live.best_weights is not None and live.best_is_new:
            data = pack_list(live.best_weights, epoch=live.best.epoch)
            self._blobs.put(best_key(trial, run), data)
            live.best_is_new = False

    def _grow(self, params: list[Param]) -> tuple[dict[str, Any], ...]:
        new = [p for p in params if p.name not in self._space.names]
        if new:
            self._space = Space.of([*self._space.params, *new])
        return tuple(param.to_json() for param in new)

    def _check_size(self, model: keras.Model) -> None:
        limit = self._settings.max_model_size
        if limit is not None and model.built and model.count_params() > limit:
            raise InvalidInput(
                f"The model has {model.count_params():,} parameters, more than max_model_size "
                f"({limit:,})."
            )

    def _evict(self) -> None:
        """Drops the paused trials that were not used for longest; their checkpoints stay."""
        total = sum(live.nbytes for live in self._live.values())
        while total > self._settings.keep_in_memory and len(self._live) > 1:
            _, oldest = self._live.popitem(last=False)
            total -= oldest.nbytes


def checkpoint_key(trial: int, run: int = 0) -> str:
    """Returns the key of a run's checkpoint."""
    return f"{trial}/checkpoint-{run}.npz"


def best_key(trial: int, run: int = 0) -> str:
    """Returns the key of the weights of a run's best epoch."""
    return f"{trial}/best-{run}.npz"


def _check_logged(name: str, logged: Sequence[str], live: LiveTrial) -> None:
    if logged and name not in logged and not live.best.finite:
        raise InvalidInput(
            f"The model does not log the objective {name!r}.{nearest(name, logged)} "
            f"It logs: {', '.join(logged)}."
        )


def judge(report: Report, objective: Objective) -> Best:
    """Returns how good one epoch is, as the history will see it."""
    alone = Trial(report.trial, {}, objective)
    alone.add(report)
    return alone.best


def classify(stage: str, error: Exception) -> Failure:
    """Returns the kind of a failure: memory, or the user's build or fit."""
    name = type(error).__name__
    exhausted = isinstance(error, MemoryError) or name in (
        "ResourceExhaustedError",
        "XlaRuntimeError",
    )
    told = "RESOURCE_EXHAUSTED" in str(error) or name != "XlaRuntimeError"
    kind = "memory" if exhausted and told else stage
    first = str(error).splitlines()[0] if str(error) else ""
    return Failure(kind, f"{name}: {first}", traceback.format_exc())
