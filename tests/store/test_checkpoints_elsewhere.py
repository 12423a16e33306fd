"""Checkpoints outside the study's folder: in another folder, or below a URL of fsspec."""

from __future__ import annotations

import pickle

import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.open import open_blobs, place_checkpoints
from kerashpo.store.uri_blobs import UriBlobs


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "a_study"
    folder.mkdir()
    return folder


def test_a_study_finds_its_checkpoints_in_another_folder(study, tmp_path):
    place_checkpoints(study, str(tmp_path / "shared"))
    open_blobs(study).put("0/best-0.npz", b"best")
    assert FileBlobs(tmp_path / "shared" / "a_study").get("0/best-0.npz") == b"best"
    place_checkpoints(study, str(tmp_path / "shared"))  # again, as a resumed search does
    with pytest.raises(InvalidInput, match="Search with the same checkpoints="):
        place_checkpoints(study, str(tmp_path / "another"))


def test_checkpoints_do_not_move_after_the_first(study, tmp_path):
    open_blobs(study).put("0/best-0.npz", b"best")
    with pytest.raises(InvalidInput, match="has its checkpoints in 'its own folder'"):
        place_checkpoints(study, str(tmp_path / "shared"))


@pytest.mark.parametrize("scheme", ["memory://bucket/", "file://"])
def test_checkpoints_below_a_url(study, tmp_path, scheme):
    pytest.importorskip("fsspec", reason='needs the extra: pip install "kerashpo[ray]"')
    place_checkpoints(study, f"{scheme}{tmp_path}/blobs")
    blobs = open_blobs(study)
    assert isinstance(blobs, UriBlobs) and blobs.stored() == () == blobs.stored("3")
    blobs.put("3/checkpoint-0-1.npz", b"one")
    blobs.put("3/checkpoint-0-1.npz", b"new")
    assert blobs.copy("3/checkpoint-0-1.npz", "4/origin-0.npz")
    there = pickle.loads(pickle.dumps(blobs))
    assert there.stored() == ("3/checkpoint-0-1.npz", "4/origin-0.npz")
    assert there.stored("4") == ("4/origin-0.npz",)
    assert there.get("3/checkpoint-0-1.npz") == b"new" and there.get("5/none.npz") is None
    there.free("3/checkpoint-0-1.npz")
    there.free("3/checkpoint-0-1.npz")
    assert blobs.stored() == ("4/origin-0.npz",)
    with pytest.raises(InvalidInput, match="must stay in its folder"):
        blobs.put("../outside", b"")


def test_an_unknown_file_system_is_refused():
    pytest.importorskip("fsspec", reason='needs the extra: pip install "kerashpo[ray]"')
    with pytest.raises(InvalidInput, match="cannot be stored at 'nothing://bucket'"):
        UriBlobs("nothing://bucket")
