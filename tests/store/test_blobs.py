"""Checkpoints: bytes under keys, replaced whole, inside their folder."""

from __future__ import annotations

import errno

import pytest

from kerashpo.core.errors import DiskFull, InvalidInput
from kerashpo.store import FileBlobs, MemoryBlobs


@pytest.fixture(params=["memory", "files"])
def blobs(request, tmp_path):
    return MemoryBlobs() if request.param == "memory" else FileBlobs(tmp_path / "checkpoints")


def test_put_get_free(blobs):
    blobs.put("7/best", b"one")
    blobs.put("7/best", b"second")
    blobs.put("8/best", b"")
    assert (blobs.get("7/best"), blobs.get("8/best")) == (b"second", b"")
    assert blobs.stored() == ("7/best", "8/best")
    blobs.free("7/best")
    assert (blobs.get("7/best"), blobs.stored()) == (None, ("8/best",))


def test_unknown_keys_are_no_error(blobs):
    assert blobs.get("9/best") is None
    blobs.free("9/best")
    assert blobs.stored() == ()


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


@pytest.mark.parametrize(
    "key", ["../best", "7/../../best", "/etc/best", "", "7//best", "7\\best", "7/\0", "C:x"]
)
def test_keys_stay_in_their_folder(tmp_path, key):
    with pytest.raises(InvalidInput, match="must stay in its folder"):
        FileBlobs(tmp_path).put(key, b"")


def test_a_folder_that_is_a_link_leads_nowhere(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "best").write_text("years of work")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "7").symlink_to(outside)
    blobs = FileBlobs(tmp_path / "checkpoints")
    for change in (lambda: blobs.put("7/best", b"x"), lambda: blobs.free("7/best")):
        with pytest.raises(InvalidInput, match="a link that leads out of the study's folder"):
            change()
    assert (outside / "best").read_text() == "years of work"


def test_a_full_disk_is_told_with_what_to_do(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs = FileBlobs(tmp_path)
    blobs.put("7/best", b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull, match=r"disk is full.*best.*Free some space and run the same"):
        blobs.put("7/best", b"new")
    assert (blobs.get("7/best"), blobs.stored()) == (b"old", ("7/best",))
