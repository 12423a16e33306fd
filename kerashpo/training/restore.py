"""Start state of a trial: its newest checkpoint, its parent's state, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import FoldRuns, Resume
from kerashpo.executors.messages import WorkItem
from kerashpo.store.trial_checkpoints import Origin, RunCheckpoints
from kerashpo.training.trial_state import TrialState, read_stream


class ForkFailed(InvalidInput):
    """Raised if the checkpoint of a fork's parent is missing, damaged or of another model."""


class UnusableCheckpoint(Exception):
    """Raised for a checkpoint that is damaged or of another model."""


@final
@dataclass(frozen=True, slots=True)
class StartState:
    """Start state of a run of a trial: a checkpoint, or none.

    Attributes:
        trial: the trial whose number keys the random seeds if nothing is loaded.
        data: a checkpoint, None to train from the start.
        origin: the parent whose checkpoint it is, None for the trial's own.
    """

    trial: int
    data: bytes | None = None
    origin: Origin | None = None

    def stream(self) -> int:
        """Returns the trial whose number keys the random seeds.

        Raises:
            UnusableCheckpoint: if the checkpoint is damaged.
            ForkFailed: if it is the parent's.
        """
        if self.data is None:
            return self.trial
        with self._reading():
            return read_stream(self.data)

    def load(self, state: TrialState) -> None:
        """Loads the checkpoint into a state whose model was built.

        Raises:
            UnusableCheckpoint: if the checkpoint is damaged or of another model.
            ForkFailed: if it is the parent's.
        """
        if self.data is None:
            return
        with self._reading():
            if self.origin is None:
                state.load(self.data)
            else:
                state.load_origin(self.data)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Converts a ValueError of reading the checkpoint into the exceptions of `load`."""
        try:
            yield
        except ValueError as error:
            if self.origin is None:
                raise UnusableCheckpoint(str(error)) from error
            raise ForkFailed(
                f"{_from(self.origin)}which cannot be used: {error}. A fork must have the same "
                "layers and the same optimizer as its parent."
            ) from error


def starts_of(item: WorkItem, stored: RunCheckpoints) -> Iterator[StartState]:
    """Yields the possible start states of a run, the best first; the last one must load.

    A resumed trial starts from its newest readable checkpoint. Epochs trained again give the
    logged metrics, so an older checkpoint costs time but does not change results. A fork without a
    checkpoint of its own starts from its parent's state, with its own hyperparameter values.

    Args:
        item: the work item.
        stored: the checkpoints of this run of the trial.

    Raises:
        ForkFailed: if the state of a fork's parent is gone.
    """
    if isinstance(item.job, (Resume, FoldRuns)):
        yield from (StartState(item.trial, data) for data in stored.newest_first())
    if stored.origin is None:
        yield StartState(item.trial)
        return
    data = stored.parent_state()
    if data is None:
        raise ForkFailed(f"{_from(stored.origin)}whose checkpoint is gone.")
    yield StartState(item.trial, data, stored.origin)


def _from(origin: Origin) -> str:
    return f"The trial starts from the state of trial {origin[0]} after epoch {origin[1]}, "
