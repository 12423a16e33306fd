"""A log between its creation and its first event."""

from __future__ import annotations

import sqlite3

import pytest

from kerashpo.core.errors import StudyNotFound
from kerashpo.store.blobs import LOG_NAME
from kerashpo.store.sqlite import SQLiteStore
from kerashpo.study.study import open_study


def test_a_log_without_its_schema_has_not_begun(tmp_path):
    database = sqlite3.connect(tmp_path / LOG_NAME)
    database.execute("PRAGMA journal_mode=WAL")
    store = SQLiteStore(tmp_path / LOG_NAME, readonly=True)
    assert list(store.read()) == []
    store.close()
    with pytest.raises(StudyNotFound, match="has not begun"):
        open_study(tmp_path)
    database.close()
