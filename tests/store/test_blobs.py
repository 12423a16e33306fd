"""Checkpoints: bytes under keys, replaced whole, inside their folder."""

from __future__ import annotations

import errno

import pytest

from kerashpo.core.errors import DiskFull, InvalidInput
from kerashpo.store import FileBlobs, MemoryBlobs
from kerashpo.store.blobs import (
    Key,
    best_key,
    checkpoint_key,
    is_cut_short,
    origin_key,
    read_key,
)


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


def test_keys_are_listed_by_their_folder(blobs):
    for key in ("7/best", "70/best", "7/checkpoint"):
        blobs.put(key, b"x")
    assert sorted(blobs.stored("7")) == ["7/best", "7/checkpoint"]
    assert blobs.stored("8") == ()


def test_a_copy_outlives_its_source(blobs):
    blobs.put("7/checkpoint", b"after 2")
    assert blobs.copy("7/checkpoint", "9/origin")
    blobs.put("7/checkpoint", b"after 3")
    blobs.free("7/checkpoint")
    assert blobs.get("9/origin") == b"after 2"
    assert not blobs.copy("7/checkpoint", "9/origin")
    assert blobs.stored() == ("9/origin",)
    assert blobs.copy("9/origin", "9/origin") and blobs.get("9/origin") == b"after 2"


def test_a_copy_takes_no_room_or_is_written_where_there_are_no_links(tmp_path, monkeypatch):
    blobs = FileBlobs(tmp_path)
    blobs.put("7/checkpoint", b"after 2")
    blobs.copy("7/checkpoint", "9/origin")
    assert (tmp_path / "9" / "origin").samefile(tmp_path / "7" / "checkpoint")

    def refused(*_):
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr("os.link", refused)
    assert blobs.copy("7/checkpoint", "10/origin")
    assert not (tmp_path / "10" / "origin").samefile(tmp_path / "7" / "checkpoint")
    assert blobs.get("10/origin") == b"after 2"


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (checkpoint_key(7, 1, 30), Key(7, "checkpoint", 1, 30)),
        (origin_key(7, 1), Key(7, "origin", 1)),
        (best_key(7, 1), Key(7, "best", 1)),
        ("7/checkpoint-1.npz", None),
        ("7/best-1-3.npz", None),
        ("7/thesis.npz", None),
    ],
)
def test_keys_name_a_trial_a_run_and_an_epoch(key, named):
    assert read_key(key) == named
    assert is_cut_short(f"{key}.77.tmp") is (named is not None or "thesis" not in key)


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


def test_a_full_disk_is_reported_with_what_to_do(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    blobs = FileBlobs(tmp_path)
    blobs.put("7/best", b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFull, match=r"disk is full.*best.*Free some space and run the same"):
        blobs.put("7/best", b"new")
    assert (blobs.get("7/best"), blobs.stored()) == (b"old", ("7/best",))
