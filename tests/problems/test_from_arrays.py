"""`Task.from_arrays`: classes, names, splits; and what is refused before anything is trained."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective
from kerashpo.problems.baselines import constant_answer, labels_of
from kerashpo.problems.splits import standardised

X = np.arange(200.0).reshape(100, 2)
LABELS = np.array(["b", "a", "a", "c"] * 25)


def build(hp):
    raise AssertionError("nothing is built")


def task(x=X, y=LABELS, objective="val_accuracy", **given):
    return kt.Task.from_arrays(build, x, y, name="mine", objective=objective, **given)


def parts(split):
    return split.train, split.validation, split.test


def test_labels_become_numbers_in_sorted_order_and_every_part_has_their_shares():
    made = task()
    assert made.classes == ("a", "b", "c") and made.baseline == "majority"
    for seed in (0, 1):
        split = made.load(seed)
        assert [len(y) for _, y in parts(split)] == [64, 16, 20]
        for _, y in parts(split):
            assert np.bincount(y).tolist() == [len(y) // 2, len(y) // 4, len(y) // 4]
    rows = np.concatenate([x[:, 0] for x, _ in parts(split)])
    assert sorted(rows) == sorted(X[:, 0])
    # Samples keep their labels.
    for x, y in parts(split):
        assert [made.classes[label] for label in y] == LABELS[(x[:, 0] / 2).astype(int)].tolist()
    assert not np.array_equal(made.load(0).test[0], made.load(1).test[0])


def test_samples_are_float32_and_whole_numbers_stay():
    assert task().load(0).train[0].dtype == np.float32
    assert task(x=X.astype(int)).load(0).train[0].dtype == int


def test_a_data_frame_and_names_of_classes():
    made = task(x=pd.DataFrame(X), y=pd.Series(LABELS), classes=("A", "B", "C"), positive="B")
    assert made.classes == ("A", "B", "C")
    assert (made.positive, made.positive_name) == (1, "B")


def test_columns_of_several_types_are_numbers():
    kept, whole = pd.array([True, False] * 50), pd.array([1, 2] * 50, dtype="Int64")
    table = pd.DataFrame({"number": X[:, 0], "kept": X[:, 0] > 20, "also": kept, "whole": whole})
    rows = np.concatenate([x for x, _ in parts(task(x=table).load(0))])
    rows = rows[rows[:, 0].argsort()]
    assert rows.dtype == np.float32
    assert np.array_equal(rows[:3], [[0, 0, 1, 1], [2, 0, 0, 2], [4, 0, 1, 1]])
    assert task(y=pd.Series(kept)).classes == ("False", "True")
    assert task(y=pd.Series(whole), objective="val_loss", classes=False).classes == ()


def test_one_hot_labels_stay_one_hot():
    codes = np.tile([0, 1, 1, 2], 25)
    made = task(y=np.eye(3)[codes])
    assert made.classes == ("0", "1", "2")
    split = made.load(3)
    assert split.train[1].shape == (64, 3)
    assert np.bincount(labels_of(split.test[1])).tolist() == [5, 10, 5]


@pytest.mark.parametrize(
    ("y", "objective", "classes"),
    [
        (np.arange(100) % 2, "val_auc", ("0", "1")),
        (np.arange(100) % 2 == 0, "val_loss", ("False", "True")),
        (np.arange(100) % 2 * 1.0, "val_binary_accuracy", ("0.0", "1.0")),
        (np.arange(100) % 3 + 5, "val_accuracy", ("5", "6", "7")),
        (np.arange(100.0) + 0.5, "val_loss", ()),
        (np.arange(100), "val_r2_score", ()),
        (np.arange(100), "val_mean_absolute_error", ()),
    ],
)
def test_classes_are_reported_by_y_and_the_objective(y, objective, classes):
    made = task(y=y, objective=objective)
    assert made.classes == classes
    train = made.load(0).train[1]
    assert train.shape == ((64,) if classes else (64, 1))
    assert classes == () or set(np.unique(train)) == set(range(len(classes)))


def test_whole_numbers_with_a_loss_need_a_word():
    with pytest.raises(InvalidInput, match="whole numbers.*classes=True or classes=False"):
        task(y=np.arange(100) % 3, objective="val_loss")
    assert task(y=np.arange(100) % 3, objective="val_loss", classes=True).classes == ("0", "1", "2")
    assert task(y=np.arange(100) % 3, objective="val_loss", classes=False).classes == ()


def test_groups_are_not_torn_apart():
    groups = np.repeat(np.arange(20), 5)
    split = task(groups=groups).load(1)
    seen = [set(groups[(x[:, 0] / 2).astype(int)]) for x, _ in parts(split)]
    assert sum(map(len, seen)) == 20 and not seen[0] & seen[1] and not seen[2] & (seen[0] | seen[1])
    assert not np.array_equal(split.test[0], task(groups=groups).load(2).test[0])


def test_in_time_order_the_last_rows_test_whatever_the_seed():
    made = task(in_time_order=True)
    assert made.same_split
    for seed in (0, 5):
        rows = [(x[:, 0] / 2).astype(int).tolist() for x, _ in parts(made.load(seed))]
        assert rows == [list(range(64)), list(range(64, 80)), list(range(80, 100))]


def test_several_inputs_are_split_together():
    made = task(x={"a": X, "b": X.astype(int)[:, 0]}, prepare=standardised)
    split = made.load(0)
    for x, _ in parts(split):
        assert set(x) == {"a", "b"} and x["a"].shape == (len(x["b"]), 2)
    assert split.train[0]["a"].mean() == pytest.approx(0, abs=1e-6)
    assert split.train[0]["b"].dtype == int
    listed = task(x=[X, X], prepare=standardised).load(0)
    assert len(listed.test[0]) == 2 and abs(float(listed.test[0][1].mean())) > 1e-3


def test_standardised_learns_from_the_training_part_alone():
    split = task(prepare=standardised).load(0)
    assert np.allclose(split.train[0].std(axis=0), 1, atol=1e-5)
    assert abs(float(split.test[0].mean())) > 1e-3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": LABELS[:-1]}, "equally many rows. Received: 100 and 99"),
        ({"y": 3}, "y must be an array"),
        ({"x": np.array([["a"]] * 100)}, "x must hold numbers.*Encode texts"),
        ({"x": X * np.nan}, "x holds NaN or infinity"),
        ({"y": X[:, 0] * np.nan, "objective": "val_loss"}, "y holds NaN"),
        ({"y": X[:, 0] + 0.5}, "accuracy counts classes, but y holds numbers such as"),
        ({"y": ["a"] * 100}, "one class alone"),
        ({"y": ["a"] * 97 + ["b"] * 3}, "'b' has 3 sample.*at least 4"),
        ({"y": [None, *LABELS[1:]]}, r"y lacks 1 label\(s\)"),
        ({"y": pd.Series(["a", np.nan] * 50)}, r"y lacks 50 label\(s\)"),
        ({"y": np.array([0, 1, np.nan, 1] * 25)}, r"y lacks 25 label\(s\)"),
        ({"y": np.array([0, np.nan] * 50), "classes": True}, r"y lacks 50 label\(s\)"),
        ({"y": np.array(["a", 1] * 50, dtype=object)}, "one type, not int and str"),
        ({"groups": [None, *"abcdefgha" * 11]}, r"groups lacks 1 label\(s\)"),
        (
            {"x": pd.DataFrame({"a": X[:, 0], "when": pd.date_range("2020", periods=100)})},
            "x must hold numbers. Received: columns 'when'",
        ),
        ({"x": pd.DataFrame({"a": pd.array([None, *[1] * 99], dtype="Int64")})}, "x holds NaN"),
        ({"classes": ("x", "y")}, "3 classes.*names 2"),
        ({"y": np.ones((100, 3))}, "must be one-hot"),
        ({"groups": np.arange(99)}, "label for each of the 100 samples"),
        ({"groups": np.arange(100) % 3}, "at least 4 groups"),
        ({"groups": np.arange(100), "in_time_order": True}, "not both"),
        ({"prepare": 3}, "prepare must be a function"),
        ({"positive": "z"}, "Unknown class 'z'"),
        ({"positive": 3}, "one of its 3 classes"),
        ({"objective": "accuracy"}, "must be a metric on the validation part"),
        ({"objective": "val_strange"}, "minimised or maximised"),
        ({"target": float("nan")}, "target must be a finite number"),
        ({"batch_size": 0}, "batch_size"),
        ({"title": 3}, "title must be a text"),
        ({"description": {"en": 3}}, "description must be a text"),
    ],
)
def test_invalid_values_are_refused(given, message):
    with pytest.raises(InvalidInput, match=message):
        task(**given)


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", 3, "a b"])
def test_a_name_must_be_that_of_a_folder(name):
    with pytest.raises(InvalidInput, match="name must consist of letters"):
        kt.Task.from_arrays(build, X, LABELS, name=name, objective="val_accuracy")


def test_a_hypermodel_is_not_its_build_method():
    class Model:
        def build(self, hp):
            return None

    with pytest.raises(InvalidInput, match="build of the task 'mine'.*Pass its build method"):
        kt.Task.from_arrays(Model(), X, LABELS, name="mine", objective="val_accuracy")


def test_texts_in_a_language():
    made = task(title={"en": "Mine", "es": "Mío"}, description="about")
    assert (made.titled("es"), made.titled("en"), made.titled("fr")) == ("Mío", "Mine", "Mine")
    assert made.described("es") == "about"
    assert task().titled("es") == "mine" and task().described("en") == ""
    assert task(title={"fr": "À moi"}).titled("en") == "À moi"


def test_an_objective_may_be_said():
    made = task(objective=Objective("val_strange", "max"), classes=True)
    assert made.metric == "strange" and not made.is_share
    assert task().is_share


def test_the_constant_answer_by_hand():
    assert constant_answer(np.array([1, 1, 0, 1]), 2).tolist() == [0.25, 0.75]
    assert constant_answer(np.eye(2)[[1, 1, 0, 1]], 2).tolist() == [0.25, 0.75]
    assert constant_answer(np.array([[1.0], [3.0]]), 0).tolist() == [2.0]
    assert constant_answer(np.array([[1.0, 0.0], [3.0, 4.0]]), 0).tolist() == [2.0, 2.0]


def test_groups_are_not_split_into_folds():
    assert task(groups=np.arange(100) // 10).folds is False
    assert task().folds


def test_columns_of_a_one_hot_table_name_the_classes():
    made = task(y=pd.get_dummies(LABELS, dtype=float))
    assert made.classes == ("a", "b", "c")
    assert task(y=pd.get_dummies(LABELS), classes=["x", "y", "z"]).classes == ("x", "y", "z")


def test_targets_of_several_axes_keep_their_shape():
    y = np.arange(2400.0).reshape(100, 4, 6)
    split = task(y=y, objective="val_loss").load(0)
    assert split.train[1].shape == (64, 4, 6)
    np.testing.assert_allclose(constant_answer(split.train[1], 0), split.train[1].mean(axis=0))


def test_few_whole_numbers_as_floats_are_unclear():
    y = np.arange(100.0) % 2
    with pytest.raises(InvalidInput, match="classes=True or classes=False"):
        task(y=y, objective="val_loss")
    assert task(y=y, objective="val_loss", classes=True).classes == ("0.0", "1.0")
    assert task(y=y, objective="val_loss", classes=False).classes == ()
    assert task(y=y, objective="val_mae").classes == ()
    assert task(y=np.arange(100.0), objective="val_loss").classes == ()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ({"a": LABELS, "b": LABELS}, "one array.*one output.*'a', 'b'"),
        (pd.date_range("2020-01-01", periods=100), "labels or numbers.*datetime64"),
    ],
)
def test_targets_that_are_no_labels_or_numbers(y, message):
    with pytest.raises(InvalidInput, match=message):
        task(y=y, objective="val_loss")


def test_whole_numbers_are_not_standardised_without_a_word():
    whole = task(x=np.arange(200).reshape(100, 2), prepare=standardised)
    with pytest.raises(InvalidInput, match="table .n, features. of floats.*int64"):
        whole.load(0)
    images = task(x=np.zeros((100, 2, 2)), prepare=standardised)
    with pytest.raises(InvalidInput, match="shape .64, 2, 2."):
        images.load(0)
