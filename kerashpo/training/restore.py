"""Where a trial starts from: its newest checkpoint, its parent's state, or nothing."""

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
    """A fork whose parent's state is gone, damaged or of another model."""


class UnusableCheckpoint(Exception):
    """A checkpoint that is damaged or of another model."""


@final
@dataclass(frozen=True, slots=True)
class StartState:
    """A state that a run of a trial may start from.

    Attributes:
        trial: whose number keys the randomness where nothing is loaded.
        data: a checkpoint, None to start from nothing.
        origin: the parent whose checkpoint it is, None for the trial's own.
    """

    trial: int
    data: bytes | None = None
    origin: Origin | None = None

    def stream(self) -> int:
        """Returns the trial whose number keys the randomness.

        Raises:
            UnusableCheckpoint: if the checkpoint is damaged.
            ForkFailed: if it is the parent's.
        """
        if self.data is None:
            return self.trial
        with self._reading():
            return read_stream(self.data)

    def load(self, state: TrialState) -> None:
        """Brings a state whose model was built to where the checkpoint is.

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
        """Raises what `load` says for a ValueError of reading, not of the user's code."""
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
    """Yields what a run may start from, the best first; the last one has no alternative.

    A resumed trial starts from its newest checkpoint that can be read. Epochs trained again give
    what the log says: an older one costs time, not results. A fork without a checkpoint of its
    own starts from its parent's state, with its own values.

    Args:
        item: what is to be trained.
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
