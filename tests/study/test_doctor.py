"""Damaged studies: repaired when a search opens them, and looked over by `examine`."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from kerashpo.core.errors import StudyNotFound
from kerashpo.core.events import Decided, Ended, JobStarted, Reached, Reported
from kerashpo.core.records import Decision, Report, Start, Status
from kerashpo.i18n.texts import Texts
from kerashpo.schedulers.full_training import Full
from kerashpo.space import Space, integer
from kerashpo.store.blobs import FileBlobs, best_key, checkpoint_key
from kerashpo.store.checkpoints import pack
from kerashpo.store.open import CHECKPOINTS, LOG_NAME
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.doctor import examine
from kerashpo.study.open import open_or_create
from kerashpo.study.study import open_study

WISH = StudySpec(Space({"n": integer(1, 9)}).to_json(), (("val_loss", "min"),), 0)
PAUSED = 40


def checkpoint(epoch):
    return pack({"w0": np.zeros(3)}, {"epoch": epoch})


@pytest.fixture
def folder(tmp_path):
    """A study of 40 trials of one epoch: the last one paused, the others over."""
    opened = open_or_create(WISH, tmp_path, Full(1))
    blobs = FileBlobs(tmp_path / CHECKPOINTS)
    for n in range(PAUSED + 1):
        opened.store.append(JobStarted(Start(n, {"n": n}, 1), at=1.0))
        opened.store.append(Reported(Report(n, 0, 1, {"val_loss": float(n)}, 1.0), at=1.0))
        opened.store.append(Reached(n, at=1.0))
        if n < PAUSED:
            opened.store.append(Ended(n, Status.STOPPED, "rung", at=1.0))
    blobs.put(checkpoint_key(PAUSED, 0, 1), checkpoint(1))
    blobs.put(best_key(0), checkpoint(1))
    opened.store.close()
    return tmp_path


def test_a_study_that_is_well(folder):
    health = examine(folder)
    assert health.well and not health.orphans
    assert list(health.lines(Texts("en"))) == ["log: 164 events, intact"]


def test_no_study_is_reported(tmp_path):
    with pytest.raises(StudyNotFound, match="no study"):
        examine(tmp_path)


def test_what_is_wrong_with_checkpoints(folder):
    blobs = FileBlobs(folder / CHECKPOINTS)
    blobs.free(best_key(0))
    blobs.put(best_key(7), checkpoint(1))
    blobs.put(checkpoint_key(0, 0, 1), b"cut shor")
    blobs.put(checkpoint_key(99, 0, 1), checkpoint(1))
    blobs.put("3/best-0.npz.123.tmp", b"")
    blobs.put(checkpoint_key(PAUSED, 0, 1), checkpoint(2))
    health = examine(folder)
    assert not health.well
    assert set(health.orphans) == {
        checkpoint_key(0, 0, 1),
        checkpoint_key(99, 0, 1),
        "3/best-0.npz.123.tmp",
    }
    assert health.missing == (best_key(0),)
    assert health.damaged == (checkpoint_key(0, 0, 1),)
    assert set(health.ahead) == {checkpoint_key(PAUSED, 0, 1), checkpoint_key(99, 0, 1)}
    text = "\n".join(health.lines(Texts("en")))
    assert all(word in text for word in ("orphans", "missing", "damaged", "ahead", best_key(0)))


def test_a_paused_trial_without_its_checkpoint(folder):
    FileBlobs(folder / CHECKPOINTS).free(checkpoint_key(PAUSED, 0, 1))
    assert examine(folder).missing == (checkpoint_key(PAUSED, 0, 1),)


def scratch(log, place):
    data = bytearray(log.read_bytes())
    data[place] ^= 1
    log.write_bytes(data)


def test_a_search_repairs_its_log_and_drops_what_is_ahead(folder, caplog):
    log = folder / LOG_NAME
    scratch(log, log.stat().st_size // 2)
    assert not examine(folder).well
    assert any("does not match its checksum" in line for line in examine(folder).lines(Texts("en")))
    with caplog.at_level(logging.WARNING, "kerashpo"):
        opened = open_or_create(WISH, folder, Full(1))
    opened.store.close()
    assert 0 < len(opened.history.trials) < PAUSED
    assert "was damaged: its first" in caplog.text and ".damaged-1" in caplog.text
    # The paused trial is not in the log any more, so its checkpoint is ahead of it.
    assert FileBlobs(folder / CHECKPOINTS).get(checkpoint_key(PAUSED, 0, 1)) is None
    assert examine(folder).well
    assert len(open_study(folder).history.trials) == len(opened.history.trials)


def test_a_log_that_was_cut_is_gone_on_with_and_drops_what_is_ahead(folder, caplog):
    """It is a shorter whole log, as after a kill; but checkpoints may be ahead of it."""
    log = folder / LOG_NAME
    log.write_bytes(log.read_bytes()[: log.stat().st_size // 2 + 9])
    health = examine(folder)
    assert not health.log and health.ahead == (checkpoint_key(PAUSED, 0, 1),)
    with caplog.at_level(logging.WARNING, "kerashpo"):
        opened = open_or_create(WISH, folder, Full(1))
    opened.store.close()
    assert 0 < len(opened.history.trials) < PAUSED
    assert not caplog.text
    assert FileBlobs(folder / CHECKPOINTS).get(checkpoint_key(PAUSED, 0, 1)) is None
    assert examine(folder).well


def test_paused_trials_that_the_log_knows_keep_their_checkpoint(folder):
    store = open_or_create(WISH, folder, Full(1)).store
    for _ in range(200):
        store.append(Decided(PAUSED, Decision.PAUSE, at=2.0))
    store.close()
    scratch(folder / LOG_NAME, -4096)
    open_or_create(WISH, folder, Full(1)).store.close()
    assert FileBlobs(folder / CHECKPOINTS).get(checkpoint_key(PAUSED, 0, 1)) is not None
