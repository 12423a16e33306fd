"""The checkpoints of a trial by run and epoch, and the state that a fork starts from.

A fork needs its parent's state after an epoch that the parent may have left behind by the
time the fork begins. So the fork gets a name of its own for that checkpoint as soon as it is
submitted (`secure_origins`: a hard link where there are any, whose references the file system
counts), and frees it like the rest of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias, final

from kerashpo.store.base import Blobs
from kerashpo.store.blobs import Key, checkpoint_key, origin_key, read_key

Origin: TypeAlias = "tuple[int, int]"
"""Where a fork starts: its parent, and after which of the parent's epochs."""


@final
class RunCheckpoints:
    """The checkpoints of one run of a trial.

    Args:
        blobs: where they are.
        trial: which trial.
        run: which run of it.
        origin: where it starts if it is a fork.

    Attributes:
        origin: see above.
    """

    def __init__(
        self, blobs: Blobs, trial: int, run: int = 0, origin: Origin | None = None
    ) -> None:
        self._blobs, self._trial, self._run, self.origin = blobs, trial, run, origin

    def put(self, epoch: int, data: bytes, job_end: int) -> None:
        """Stores the state after `epoch`, and frees those that nobody can ask for any more.

        Args:
            epoch: epochs trained.
            data: the state.
            job_end: the epoch at which the trial's last job before this one ended, or where a
                fork began. The state there stays while this job is trained: a scheduler may
                decide to fork it.
        """
        self._blobs.put(checkpoint_key(self._trial, self._run, epoch), data)
        for key, named in self._stored():
            if self._epoch(named) not in (epoch, job_end):
                self._blobs.free(key)

    def newest_first(self) -> Iterator[bytes]:
        """Yields the trial's own checkpoints, the newest first."""
        own = [(named.epoch, key) for key, named in self._stored() if named.epoch is not None]
        for _, key in sorted(own, reverse=True):
            data = self._blobs.get(key)
            if data is not None:
                yield data

    def parent_state(self) -> bytes | None:
        """Returns the state of the parent that a fork starts from, None where it is gone."""
        assert self.origin is not None
        secured = self._blobs.get(origin_key(self._trial, self._run))
        if secured is not None:
            return secured
        return self._blobs.get(checkpoint_key(self.origin[0], self._run, self.origin[1]))

    def _epoch(self, named: Key) -> int | None:
        at = None if self.origin is None else self.origin[1]
        return at if named.kind == "origin" else named.epoch

    def _stored(self) -> list[tuple[str, Key]]:
        return list(_states(self._blobs, self._trial, self._run))


def secure_origins(blobs: Blobs | None, origins: Mapping[int, Origin]) -> None:
    """Keeps the states that forks start from, whatever becomes of their parents.

    Does nothing for a run of a fork that has it, or a checkpoint of its own, already.

    Args:
        blobs: where checkpoints are; None where there are none.
        origins: by fork, where it starts.
    """
    if blobs is None:
        return
    for fork, (parent, at) in origins.items():
        begun = {named.run for _, named in _states(blobs, fork)}
        for key, named in _states(blobs, parent):
            if named.epoch == at and named.run not in begun:
                blobs.copy(key, origin_key(fork, named.run))


def free_checkpoints(blobs: Blobs, trial: int) -> None:
    """Frees every checkpoint of a trial that will not go on; its best weights stay."""
    for key, _ in _states(blobs, trial):
        blobs.free(key)


def _states(blobs: Blobs, trial: int, run: int | None = None) -> Iterator[tuple[str, Key]]:
    """Yields the checkpoints of a trial, the one that it was forked from included."""
    for key in blobs.stored(str(trial)):
        named = read_key(key)
        if named is not None and named.kind != "best" and run in (None, named.run):
            yield key, named
