"""Checkpoints: arrays and plain values, whole or refused."""

from __future__ import annotations

import io

import ml_dtypes
import numpy as np
import pytest

from kerashpo.store.checkpoints import pack, pack_list, unpack, unpack_list, write_variables


@pytest.mark.parametrize(
    "dtype",
    [np.float32, np.float64, np.int64, np.uint32, bool, ml_dtypes.bfloat16,
     ml_dtypes.float8_e5m2, ml_dtypes.float8_e4m3fn],
)  # fmt: skip
def test_every_type_comes_back(dtype):
    array = np.array([[0, 1], [1, 0]]).astype(dtype)
    arrays, values = unpack(pack({"x": array}, {"epoch": 3}))
    assert arrays["x"].dtype == array.dtype
    assert np.array_equal(arrays["x"].astype(float), array.astype(float))
    assert values == {"epoch": 3}


def test_scalars_and_empty_arrays_come_back():
    arrays, extra = unpack_list(pack_list([np.float32(2.5).reshape(()), np.zeros((0, 3))], epoch=1))
    assert arrays[0].shape == () and arrays[0] == 2.5
    assert arrays[1].shape == (0, 3)
    assert extra == {"epoch": 1}


def test_arrays_of_several_types_come_back_in_their_order():
    held = {"a": np.arange(3, dtype=np.uint8), "b": np.float64(0.5).reshape(()), "c": np.eye(2)}
    arrays, _ = unpack(pack(held, {}))
    assert list(arrays) == ["a", "b", "c"]
    for name, array in held.items():
        assert arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array)
        assert arrays[name].flags.owndata and arrays[name].flags.aligned  # no view of the whole


@pytest.mark.parametrize("cut", [0, 1, 10, 100, -1])
def test_what_is_cut_is_refused(cut):
    data = pack({"x": np.arange(100.0)}, {})
    with pytest.raises(ValueError, match="the checkpoint is damaged"):
        unpack(data[:cut])


def test_a_flipped_byte_is_noticed():
    data = bytearray(pack({"x": np.zeros(1000)}, {}))
    data[len(data) // 2] ^= 255
    with pytest.raises(ValueError, match="the checkpoint is damaged"):
        unpack(bytes(data))


@pytest.mark.parametrize("change", [0x01, 0x08, 0x80, 0xFF])
def test_any_byte_that_is_changed_is_noticed_or_matters_not(change):
    """Among them: another codec, a password, a shape that no memory holds."""
    held = {"x": np.arange(3.0)}
    whole = pack(held, {"epoch": 3})
    noticed = 0
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= change
        try:
            arrays, values = unpack(bytes(data))
        except ValueError as error:
            assert "the checkpoint is damaged" in str(error)
            noticed += 1
        else:
            assert np.array_equal(arrays["x"], held["x"]) and values == {"epoch": 3}, place
    assert noticed > len(whole) // 2


def test_nothing_is_executed_when_read():
    buffer = io.BytesIO()
    np.savez(buffer, __header__=np.array([{"layout": {}}], dtype=object))
    with pytest.raises(ValueError, match="damaged.*allow_pickle=False"):
        unpack(buffer.getvalue())


def test_objects_are_not_written():
    with pytest.raises(ValueError, match="[Oo]bject"):
        pack({"x": np.array([object()])}, {})


def test_variables_of_another_model_are_refused():
    import keras

    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    with pytest.raises(ValueError, match="expected 2 arrays, received 1"):
        write_variables(layer.weights, [np.zeros((2, 3))])
    with pytest.raises(ValueError, match=r"\(2, 3\) is not \(3, 2\)"):
        write_variables(layer.weights, [np.zeros((3, 2)), np.zeros(3)])
