"""The checkpoints of a trial by run and epoch, and the state that a fork starts from.

A fork needs its parent's state after an epoch, and the parent may have trained on by the time
the fork begins. So the fork gets a key of its own for that checkpoint when it is submitted
(`secure_origins`: a hard link if possible, which the file system reference-counts), and frees
it with its other checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias, final

from kerashpo.store.base import Blobs
from kerashpo.store.blobs import Key, checkpoint_key, origin_key, read_key

Origin: TypeAlias = "tuple[int, int]"
"""The origin of a fork: its parent, and the epoch of the parent it continues after."""


@final
class RunCheckpoints:
    """The checkpoints of one run of a trial.

    Args:
        blobs: the storage of checkpoints.
        trial: the trial.
        run: the run of the trial.
        origin: its origin if it is a fork.

    Attributes:
        origin: see above.
    """

    def __init__(
        self, blobs: Blobs, trial: int, run: int = 0, origin: Origin | None = None
    ) -> None:
        self._blobs, self._trial, self._run, self.origin = blobs, trial, run, origin

    def put(self, epoch: int, data: bytes, job_end: int) -> None:
        """Stores the state after `epoch`, and frees checkpoints that are no longer needed.

        Args:
            epoch: epochs trained.
            data: the state.
            job_end: the epoch at which the trial's last job before this one ended, or where a
                fork began. Its state is kept while this job is trained: a scheduler may decide
                to fork it.
        """
        kept = (epoch, job_end)
        self._blobs.together(_put_state, self._trial, self._run, self.origin, data, kept)

    def newest_first(self) -> Iterator[bytes]:
        """Yields the trial's own checkpoints, the newest first."""
        own = [(named.epoch, key) for key, named in self._stored() if named.epoch is not None]
        for _, key in sorted(own, reverse=True):
            data = self._blobs.get(key)
            if data is not None:
                yield data

    def parent_state(self) -> bytes | None:
        """Returns the parent's state that a fork starts from, None if it no longer exists."""
        assert self.origin is not None
        secured = self._blobs.get(origin_key(self._trial, self._run))
        if secured is not None:
            return secured
        return self._blobs.get(checkpoint_key(self.origin[0], self._run, self.origin[1]))

    def _stored(self) -> list[tuple[str, Key]]:
        return list(_states(self._blobs, self._trial, self._run))


def secure_origins(blobs: Blobs | None, origins: Mapping[int, Origin]) -> None:
    """Keeps the states that forks start from, even if their parents free their checkpoints.

    Does nothing for a run of a fork that has its origin, or a checkpoint of its own, already.

    Args:
        blobs: the storage of checkpoints; None if there is none.
        origins: the origin of each fork.
    """
    if blobs is None:
        return
    for fork, (parent, at) in origins.items():
        begun = {named.run for _, named in _states(blobs, fork)}
        for key, named in _states(blobs, parent):
            if named.epoch == at and named.run not in begun:
                blobs.copy(key, origin_key(fork, named.run))


def free_checkpoints(blobs: Blobs, trial: int) -> None:
    """Frees every checkpoint of a trial that has ended; its best weights stay."""
    blobs.together(_free_states, trial)


def _put_state(
    blobs: Blobs, trial: int, run: int, origin: Origin | None, data: bytes, kept: tuple[int, int]
) -> None:
    """Stores the state after the first epoch of `kept`, and frees those of epochs not in it."""
    blobs.put(checkpoint_key(trial, run, kept[0]), data)
    at = None if origin is None else origin[1]
    for key, named in [*_states(blobs, trial, run)]:
        if (at if named.kind == "origin" else named.epoch) not in kept:
            blobs.free(key)


def _free_states(blobs: Blobs, trial: int) -> None:
    for key, _ in [*_states(blobs, trial)]:
        blobs.free(key)


def _states(blobs: Blobs, trial: int, run: int | None = None) -> Iterator[tuple[str, Key]]:
    """Yields the checkpoints of a trial, including the one that it was forked from."""
    for key in blobs.stored(str(trial)):
        named = read_key(key)
        if named is not None and named.kind != "best" and run in (None, named.run):
            yield key, named
