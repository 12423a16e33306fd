"""What is sent to workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.executors.processes import pickling
from kerashpo.executors.processes.pickling import discard, pack, unpack


def test_arrays_stay_out_of_the_pickle_and_come_back_equal():
    given = {
        "x": np.arange(300_000, dtype="float32").reshape(100, 3000),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 4)),
        "words": np.array(["a", "bc"]),
    }
    packed = pack(given)
    assert len(packed.body) < 2000
    came = unpack(packed)
    for name, array in given.items():
        np.testing.assert_array_equal(came[name], array)
        assert came[name].dtype == array.dtype
    discard(packed)
    assert not Path(packed.path).exists()
    np.testing.assert_array_equal(came["x"], given["x"])  # the mapped pages outlive the name


def test_two_receivers_share_pages_but_not_what_they_write():
    packed = pack(np.zeros(1000))
    first, second = unpack(packed), unpack(packed)
    first[:] = 1.0
    assert second.sum() == 0.0 and unpack(packed).sum() == 0.0
    discard(packed)


def test_functions_and_what_they_hold_travel_by_value():
    scale = 3
    assert unpack(pack(lambda x: scale * x))(2) == 6
    assert pack(len).path is None


def test_what_cannot_be_sent_is_named():
    stream = (i for i in range(3))
    said = r"callbacks cannot be sent there: TypeError: [^.]* object\. Make .* without determ"
    with pytest.raises(InvalidInput, match=said):
        pack([1, stream], {"build_model": 1, "callbacks": stream})


def test_a_full_disk_is_reported(monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pickling.tempfile, "NamedTemporaryFile", full)
    with pytest.raises(InvalidInput, match="No space left on device.*workers=1"):
        pack(np.zeros(10))
