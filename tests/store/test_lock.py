"""One writer at a time, in this process and in others, and after the writer died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from kerashpo.core.errors import StudyBusy
from kerashpo.store.journal import JournalStore
from kerashpo.store.lock import WriterLock
from kerashpo.store.open import LOG_NAME

HOLD = """
    import sys, time
    from pathlib import Path
    from kerashpo.store.lock import WriterLock

    lock = WriterLock(Path(sys.argv[1]))
    print("held", flush=True)
    {then}
    time.sleep(60)
"""


def holder(log, then=""):
    """Starts a process that holds the lock."""
    code = textwrap.dedent(HOLD).format(then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(log)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_another_tuner_of_this_process_is_reported(tmp_path):
    lock = WriterLock(tmp_path / LOG_NAME)
    with pytest.raises(StudyBusy, match="searched by another tuner of this process"):
        WriterLock(tmp_path / LOG_NAME)
    lock.release()
    WriterLock(tmp_path / LOG_NAME).release()


def test_the_process_that_searches_is_named_until_it_dies(tmp_path):
    process = holder(tmp_path / LOG_NAME)
    try:
        with pytest.raises(StudyBusy, match=rf"another process \({process.pid} on .*open_study"):
            JournalStore(tmp_path / LOG_NAME)
    finally:
        process.kill()
        process.communicate()
    JournalStore(tmp_path / LOG_NAME).close()


@pytest.mark.parametrize("text", ["", "\xff"])
def test_an_owner_that_cannot_be_read_is_another_process(tmp_path, text):
    lock = WriterLock(tmp_path / LOG_NAME)
    (tmp_path / f"{LOG_NAME}.owner").write_bytes(text.encode("latin-1"))
    with pytest.raises(StudyBusy, match="searched by another process. Wait"):
        WriterLock(tmp_path / LOG_NAME)
    lock.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path):
    """Data loaders fork; one that outlives a killed search must not keep the study busy."""
    fork = "import os; os.fork() or print(os.getpid(), flush=True)"
    process = holder(tmp_path / LOG_NAME, fork)
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        process.stdout.close()
        lock = WriterLock(tmp_path / LOG_NAME)
        with pytest.raises(StudyBusy):
            WriterLock(tmp_path / LOG_NAME)
        lock.release()
        os.kill(child, 0)  # it lives, and yet the study was free
    finally:
        os.kill(child, signal.SIGKILL)
