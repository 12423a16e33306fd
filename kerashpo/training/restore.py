"""Brings a trial back into memory: from its checkpoint, its parent's, or from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import FoldRuns, Resume
from kerashpo.executors.messages import WorkItem
from kerashpo.store.trial_checkpoints import Origin, RunCheckpoints
from kerashpo.training.trial_state import TrialState, read_stream


class ForkFailed(InvalidInput):
    """A fork whose parent's state is gone, damaged or of another model."""


class UnusableCheckpoint(Exception):
    """A checkpoint that is damaged or of another model."""


def restore_state(
    item: WorkItem,
    stored: RunCheckpoints,
    build: Callable[[int], TrialState],
    note: Callable[[str], None],
) -> TrialState:
    """Builds a trial's model, and brings it to its newest checkpoint that can be read.

    A fork without one starts from its parent's state, with its own values.

    Args:
        item: what is to be trained.
        stored: the checkpoints of this run of the trial.
        build: builds the model; takes the trial whose number keys the randomness.
        note: receives what is wrong with a checkpoint that cannot be used.

    Raises:
        ForkFailed: if the state of a fork's parent cannot be used.
    """
    for data in stored.newest_first() if isinstance(item.job, (Resume, FoldRuns)) else ():
        try:
            return _load(data, build, TrialState.load)
        except UnusableCheckpoint as error:
            # Epochs trained again give what the log says: this costs time, not results.
            note(f"{error}; trained again from an earlier one or from the start")
    if stored.origin is None:
        return build(item.trial)
    return _fork(stored.origin, stored.parent_state(), build)


def _fork(origin: Origin, data: bytes | None, build: Callable[[int], TrialState]) -> TrialState:
    start = f"The trial starts from the state of trial {origin[0]} after epoch {origin[1]}, "
    if data is None:
        raise ForkFailed(start + "whose checkpoint is gone.")
    try:
        return _load(data, build, TrialState.load_origin)
    except UnusableCheckpoint as error:
        raise ForkFailed(
            f"{start}which cannot be used: {error}. A fork must have the same layers and the "
            "same optimizer as its parent."
        ) from error


def _load(
    data: bytes, build: Callable[[int], TrialState], load: Callable[[TrialState, bytes], None]
) -> TrialState:
    """Builds the model as it was built before the checkpoint, and loads it."""
    with _reading():
        stream = read_stream(data)
    state = build(stream)
    with _reading():
        load(state, data)
    return state


@contextmanager
def _reading() -> Iterator[None]:
    """Raises UnusableCheckpoint for a ValueError of reading a checkpoint, not of user code."""
    try:
        yield
    except ValueError as error:
        raise UnusableCheckpoint(str(error)) from error
