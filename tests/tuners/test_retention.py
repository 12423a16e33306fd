"""Which weights and checkpoints stay: few, and always those that a decision can need."""

from __future__ import annotations

import math

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Reached, Reported, SessionStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.trial import STUDY_ENDED
from kerashpo.store.blobs import (
    FileBlobs,
    MemoryBlobs,
    best_key,
    checkpoint_key,
    origin_key,
    read_key,
)
from kerashpo.study.retention import Retention, read_keep
from tests.helpers.small_models import DATA, build_few, place

CREATED = StudyCreated({"params": []}, (("loss", "min"),), 0)


def trained(number, loss):
    return [
        JobStarted(Start(number, {"n": number}, 1), at=1.0),
        Reported(Report(number, 0, 1, {"loss": loss}, 1.0), at=1.0),
        Reached(number, at=1.0),
    ]


def ended(number, status=Status.COMPLETED, reason="completed"):
    return Ended(number, status, reason, at=1.0)


def play(most, losses, last=()):
    """Trains a trial of each loss, ends it, and returns the keys that are left."""
    blobs, history = MemoryBlobs(), History([CREATED])
    listener = Retention(blobs, most)
    done = [event for n, loss in enumerate(losses) for event in [*trained(n, loss), ended(n)]]
    for event in [*done, *last]:
        if isinstance(event, Reached):
            blobs.put(checkpoint_key(event.trial, 0, 1), b"c")
            blobs.put(best_key(event.trial), b"b")
        history.apply(event)
        listener.on_event(event, history)
    return set(blobs.stored())


@pytest.mark.parametrize(
    "most, kept",
    [(0, []), (1, [2]), (2, [0, 2]), (math.inf, [0, 1, 2, 3])],
)
def test_the_best_of_those_that_ended_stay(most, kept):
    assert play(most, [2.0, 4.0, 1.0, 3.0]) == set(map(best_key, kept))


def test_a_paused_trial_keeps_all():
    assert play(1, [1.0], trained(1, 9.0)) == {best_key(0), checkpoint_key(1, 0, 1), best_key(1)}


def test_a_trial_that_an_extension_could_continue_with_keeps_all():
    last = [*trained(1, 9.0), ended(1, Status.STOPPED, STUDY_ENDED)]
    assert play(0, [1.0], last) == {checkpoint_key(1, 0, 1), best_key(1)}


def test_what_a_killed_process_left_is_freed_at_the_next_start():
    blobs = MemoryBlobs()
    left = [
        "0/best-0.npz.77.tmp",
        best_key(0),
        best_key(1),
        checkpoint_key(0, 0, 1),
        checkpoint_key(9, 0, 1),
        origin_key(0),
    ]
    left += ["notes.txt", "0/thesis.npz"]
    for key in left:
        blobs.put(key, b"x")
    history = History([CREATED, *trained(0, 2.0), ended(0), *trained(1, 1.0), ended(1)])
    Retention(blobs, 1).on_event(SessionStarted(0.0, at=2.0), history)
    # What somebody else put there is left alone.
    assert set(blobs.stored()) == {best_key(1), "notes.txt", "0/thesis.npz"}


@pytest.mark.parametrize("word, most", [("best", 1), ("top-5", 5), ("all", math.inf), ("none", 0)])
def test_the_words(word, most):
    assert read_keep(word) == most


@pytest.mark.parametrize("word", ["top-", "top-0", "top-1.5", "few", "", None, 3, True])
def test_other_words_are_refused(word):
    with pytest.raises(InvalidInput, match='keep must be "best", "all", "none" or "top-"'):
        read_keep(word)


def test_tuners_keep_their_arguments(tmp_path):
    tuner = kt.RandomSearch(build_few, max_trials=3, keep="best", **place(tmp_path))
    tuner.search(**DATA)
    stored = FileBlobs(tmp_path / "study" / "checkpoints").stored()
    assert stored == (best_key(tuner.results.best.trial),)
    assert all(read_key(key) for key in stored)
    tuner.get_best_models(1)
    with pytest.raises(InvalidInput, match=r"weights of trial \d were not kept: the tuner"):
        tuner.get_best_models(2)


def test_damaged_weights_are_reported(tmp_path):
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    tuner.search(**DATA)
    blobs = FileBlobs(tmp_path / "study" / "checkpoints")
    blobs.put(best_key(0), blobs.get(best_key(0))[:-100])
    with pytest.raises(InvalidInput, match="weights of trial 0 cannot be read.*damaged"):
        tuner.get_best_models(1)
