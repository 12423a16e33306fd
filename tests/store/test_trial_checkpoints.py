"""Which states of a trial are kept, and what a fork starts from."""

from __future__ import annotations

import pytest

from kerashpo.store.blobs import FileBlobs, MemoryBlobs, best_key, checkpoint_key, origin_key
from kerashpo.store.trial_checkpoints import RunCheckpoints, free_checkpoints, secure_origins

PARENT, CHILD = 0, 7


@pytest.fixture(params=["memory", "files"])
def blobs(request, tmp_path):
    return MemoryBlobs() if request.param == "memory" else FileBlobs(tmp_path)


def parent_at_two(blobs, runs=1):
    for run in range(runs):
        RunCheckpoints(blobs, PARENT, run).put(2, f"run {run}".encode(), job_end=0)


def test_the_newest_comes_first_and_the_end_of_the_last_job_stays(blobs):
    stored = RunCheckpoints(blobs, PARENT)
    for epoch in (2, 9, 10, 11):
        stored.put(epoch, str(epoch).encode(), job_end=2)
    assert list(stored.newest_first()) == [b"11", b"2"]
    stored.put(12, b"12", job_end=11)
    assert list(stored.newest_first()) == [b"12", b"11"]


def test_runs_and_best_weights_are_left_alone(blobs):
    blobs.put(best_key(PARENT), b"best")
    RunCheckpoints(blobs, PARENT, 1).put(1, b"other run", job_end=0)
    RunCheckpoints(blobs, PARENT, 0).put(3, b"this run", job_end=0)
    assert set(blobs.stored()) == {
        best_key(PARENT),
        checkpoint_key(PARENT, 1, 1),
        checkpoint_key(PARENT, 0, 3),
    }


def test_an_origin_outlives_the_parent_for_every_run(blobs):
    parent_at_two(blobs, runs=2)
    secure_origins(blobs, {CHILD: (PARENT, 2)})
    free_checkpoints(blobs, PARENT)
    for run in (0, 1):
        assert (
            RunCheckpoints(blobs, CHILD, run, (PARENT, 2)).parent_state() == f"run {run}".encode()
        )
    assert set(blobs.stored()) == {origin_key(CHILD, 0), origin_key(CHILD, 1)}


def test_every_child_has_an_origin_of_its_own(blobs):
    parent_at_two(blobs)
    for child in (CHILD, CHILD + 1):
        secure_origins(blobs, {child: (PARENT, 2)})
    free_checkpoints(blobs, PARENT)
    free_checkpoints(blobs, CHILD)
    assert RunCheckpoints(blobs, CHILD + 1, 0, (PARENT, 2)).parent_state() == b"run 0"


def test_another_epoch_of_the_parent_is_no_origin(blobs):
    parent_at_two(blobs)
    secure_origins(blobs, {CHILD: (PARENT, 3)})
    assert RunCheckpoints(blobs, CHILD, 0, (PARENT, 3)).parent_state() is None


def test_securing_again_changes_nothing(blobs):
    parent_at_two(blobs, runs=2)
    secure_origins(blobs, {CHILD: (PARENT, 2)})
    blobs.free(origin_key(CHILD, 1))  # as if the process had been killed in between
    blobs.put(checkpoint_key(PARENT, 0, 2), b"another state")
    secure_origins(blobs, {CHILD: (PARENT, 2)})
    assert blobs.get(origin_key(CHILD, 0)) == b"run 0"
    assert blobs.get(origin_key(CHILD, 1)) == b"run 1"


def test_the_origin_goes_once_the_second_job_has_a_state(blobs):
    parent_at_two(blobs)
    secure_origins(blobs, {CHILD: (PARENT, 2)})
    stored = RunCheckpoints(blobs, CHILD, 0, (PARENT, 2))
    stored.put(4, b"4", job_end=2)
    assert stored.parent_state() == b"run 0"
    stored.put(5, b"5", job_end=4)
    assert set(blobs.stored(str(CHILD))) == {
        checkpoint_key(CHILD, 0, 4),
        checkpoint_key(CHILD, 0, 5),
    }
    secure_origins(blobs, {CHILD: (PARENT, 2)})
    assert origin_key(CHILD) not in blobs.stored()
