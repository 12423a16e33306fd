"""The log in memory."""

from __future__ import annotations

from kerashpo.core.events import Reached
from kerashpo.store.base import MemoryStore


def test_memory_reads_what_was_appended():
    store = MemoryStore()
    events = [Reached(trial, at=float(trial)) for trial in range(3)]
    for event in events:
        store.append(event)
    assert list(store.read()) == events
    assert store.check() == ("event 1 is about a trial that was never started",)
    store.close()
