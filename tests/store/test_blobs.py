"""Checkpoints: bytes under keys, replaced whole, inside their folder."""

from __future__ import annotations

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.store import FileBlobs, MemoryBlobs


@pytest.fixture(params=["memory", "files"])
def blobs(request, tmp_path):
    return MemoryBlobs() if request.param == "memory" else FileBlobs(tmp_path / "checkpoints")


def test_put_get_free(blobs):
    blobs.put("7/best", b"one")
    blobs.put("7/best", b"second")
    blobs.put("8/best", b"")
    assert (blobs.get("7/best"), blobs.get("8/best"), blobs.size()) == (b"second", b"", 6)
    blobs.free("7/best")
    assert (blobs.get("7/best"), blobs.size()) == (None, 0)


def test_unknown_keys_are_no_error(blobs):
    assert blobs.get("9/best") is None
    blobs.free("9/best")
    assert blobs.size() == 0


def test_an_interrupted_write_leaves_the_old_bytes(tmp_path, monkeypatch):
    blobs = FileBlobs(tmp_path)
    blobs.put("7/best", b"old")

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        blobs.put("7/best", b"new")
    assert blobs.get("7/best") == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["best"]


@pytest.mark.parametrize("key", ["../best", "7/../../best", "/etc/best", "", "7//best", "7\\best"])
def test_keys_stay_in_their_folder(tmp_path, key):
    with pytest.raises(InvalidInput, match="must stay in its folder"):
        FileBlobs(tmp_path).put(key, b"")
