"""What `search` was given: the same reading as Keras's, and errors that help."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.training.data import FitData, class_weights, fit_arguments

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10, dtype="float32")


def test_split_is_keras_split() -> None:
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    data = FitData.from_fit(X, Y, validation_split=0.33)
    (train_x, _, _), (val_x, val_y, _) = train_validation_split((X, Y, None), validation_split=0.33)
    np.testing.assert_array_equal(data.x, train_x)
    np.testing.assert_array_equal(data.validation[0], val_x)
    np.testing.assert_array_equal(data.validation[1], val_y)


def test_positional_arguments_follow_fit() -> None:
    assert fit_arguments(X, Y, 4)["batch_size"] == 4


def test_validation_data_wins_over_split() -> None:
    data = FitData.from_fit(X, Y, validation_split=0.5, validation_data=(X[:3], Y[:3]))
    assert data.samples == 10 and len(data.validation[0]) == 3


def test_frames_and_doubles_become_floatx_arrays() -> None:
    data = FitData.from_fit(pd.DataFrame({"a": [1.0, 2.0]}), pd.Series([0, 1]))
    assert data.is_arrays and data.x.dtype == "float32" and data.y.shape == (2, 1)


def test_nested_inputs_and_one_weight_for_every_output() -> None:
    data = FitData.from_fit({"a": X, "b": X}, [Y, Y], sample_weight=Y)
    weights = data.weighted()[2]
    assert isinstance(weights, list) and len(weights) == 2


def test_a_pipeline_stays_as_it_came() -> None:
    class Pipeline:
        pass

    stream = Pipeline()
    data = FitData.from_fit(stream, validation_data=stream)
    assert data.x is stream and not data.is_arrays and data.fingerprint() is None


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.array([0, 1, 2]), [1, 3, 1]),
        (np.array([[0], [1], [1]]), [1, 3, 3]),
        (np.eye(3)[[1, 0, 2]], [3, 1, 1]),
    ],
)
def test_class_weights(y: np.ndarray, expected: list[float]) -> None:
    from keras.src.trainers.data_adapters.data_adapter_utils import class_weight_to_sample_weights

    weights = {1: 3.0}
    np.testing.assert_array_equal(class_weights(y, weights), expected)
    np.testing.assert_array_equal(class_weight_to_sample_weights(y, weights), expected)


def test_fingerprint_sees_values_shapes_and_weights() -> None:
    base = FitData.from_fit(X, Y).fingerprint()
    assert base == FitData.from_fit(X.copy(), Y.copy()).fingerprint()
    others = [
        FitData.from_fit(X + 1, Y),
        FitData.from_fit(X.reshape(10, 2, 1), Y),
        FitData.from_fit(X, Y, class_weight={0: 2.0}),
        FitData.from_fit(X, Y, validation_data=(X, Y)),
        FitData.from_fit({"a": X}, Y),
    ]
    assert len({base, *(other.fingerprint() for other in others)}) == 6


def test_validation_freq() -> None:
    every = FitData.from_fit(X, Y, validation_split=0.2, validation_freq=2)
    listed = FitData.from_fit(X, Y, validation_split=0.2, validation_freq=[1, 4])
    assert [e for e in range(1, 6) if every.validates(e)] == [2, 4]
    assert [e for e in range(1, 6) if listed.validates(e)] == [1, 4]
    assert not FitData.from_fit(X, Y).validates(1)


def test_steps_count_the_partial_batch() -> None:
    assert FitData.from_fit(X, Y, batch_size=4).steps == 3
    assert FitData.from_fit(X, Y).steps == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X, "y": Y, "batchsize": 3}, "Did you mean 'batch_size'"),
        ({"x": X, "y": Y[:3]}, "the same number of samples"),
        ({"x": X, "y": Y, "validation_data": (X, Y[:2])}, "validation_data expects arrays"),
        ({"x": X, "y": Y, "validation_data": (X, Y, Y, Y)}, "Received: 4 elements"),
        ({"x": iter([X]), "validation_split": 0.2}, "pass validation_data"),
        ({"x": X, "y": Y, "validation_split": 1.5}, "leaves samples on both sides of 10"),
        ({"x": X, "y": Y, "epochs": 3}, "decides how long each"),
        ({"x": None}, "Received: x=None"),
        ({"x": X, "y": [Y, Y], "class_weight": {0: 1.0}}, "single output"),
    ],
)
def test_errors_say_what_to_do(arguments: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message.replace("(", r"\(")):
        FitData.from_fit(**arguments).weighted()


def test_too_many_and_twice_given_arguments() -> None:
    with pytest.raises(InvalidInput, match="at most"):
        fit_arguments(*range(30))
    with pytest.raises(InvalidInput, match="given twice"):
        fit_arguments(X, x=X)


def test_a_dataset_is_a_pipeline() -> None:
    class One(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> tuple:
            return X, Y

    assert not FitData.from_fit(One()).is_arrays
