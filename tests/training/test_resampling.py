"""Folds of a final round and reshuffled splits: no row validates a model that is trained on it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

from kerashpo.core.errors import InvalidInput
from kerashpo.training.arrays import take
from kerashpo.training.data import FitData
from kerashpo.training.resampling import final_folds, joined, reshuffled

ROWS, EXTRA = 40, 10


def planted(classes: int = 2, **more: Any) -> FitData:
    """Rows that hold their own number, so that each can be followed."""
    numbers = np.arange(ROWS + EXTRA, dtype="float32")[:, None]
    labels = (np.arange(ROWS + EXTRA) % classes).astype("int64")
    return FitData.from_fit(
        numbers[:ROWS], labels[:ROWS], validation_data=(numbers[ROWS:], labels[ROWS:]), **more
    )


def taken(data: FitData) -> FitData:
    """Returns the data with the rows of the split taken out of the arrays that splits share."""
    if data.rows is None:
        return data
    x, y, weight = take((data.x, data.y, data.sample_weight), data.rows)
    validation = take(data.validation, data.validation_rows)
    return dataclasses.replace(
        data, x=x, y=y, sample_weight=weight, validation=validation, rows=None
    )


def folds_of(data: FitData, folds: Any, seed: int) -> list[FitData]:
    return [taken(part) for part in final_folds(data, folds, seed)]


def split_of(data: FitData, seed: int, trial: int) -> FitData:
    return taken(reshuffled(data, joined(data), seed, trial))


def rows(x: np.ndarray) -> set[int]:
    return {int(one) for one in np.ravel(x)}


@pytest.mark.parametrize("folds", [3, 5, 8])
def test_folds_partition_all_rows_and_do_not_leak(folds: int) -> None:
    data = planted()
    parts = folds_of(data, folds, seed=0)
    assert len(parts) == folds and parts[0] is data
    for part in parts:
        train, test = rows(part.x), rows(part.validation[0])
        assert not train & test and train | test == set(range(ROWS + EXTRA))
    tested = [row for part in parts for row in rows(part.validation[0])]
    assert sorted(tested) == list(range(ROWS + EXTRA))


def test_two_folds_keep_most_rows_for_training() -> None:
    _, second = folds_of(planted(), 2, seed=0)
    assert len(rows(second.validation[0])) == EXTRA
    assert not rows(second.x) & rows(second.validation[0])


def test_labels_move_with_their_rows_and_classes_are_stratified() -> None:
    for part in folds_of(planted(4), 5, seed=1):
        assert (part.y == part.x[:, 0] % 4).all()
        assert (part.validation[1] == part.validation[0][:, 0] % 4).all()
    for part in folds_of(planted(4), 5, seed=1)[1:]:
        assert (np.bincount(part.validation[1]) >= 2).all()


def test_equal_seeds_give_equal_folds_and_others_do_not() -> None:
    def first(seed: int) -> list[int]:
        return sorted(rows(folds_of(planted(), 5, seed)[1].validation[0]))

    assert first(3) == first(3) != first(4)


def test_groups_stay_together_and_time_runs_forward() -> None:
    groups = np.arange(ROWS) // 5

    class ByGroup(GroupKFold):
        def split(self, x: Any, y: Any = None, groups_: Any = None) -> Any:
            return super().split(x, y, groups)

    for part in folds_of(planted(), ByGroup(4), 0)[1:]:
        assert not {row // 5 for row in rows(part.x)} & {
            row // 5 for row in rows(part.validation[0])
        }
        assert max(rows(part.x)) < ROWS  # the user's validation rows are not mixed in
    parts = folds_of(planted(), TimeSeriesSplit(3), 0)
    assert len(parts) == 4
    for part in parts[1:]:
        assert max(rows(part.x)) < min(rows(part.validation[0]))


def test_weights_follow_their_rows() -> None:
    weights = np.arange(ROWS, dtype="float32")
    data = planted(sample_weight=weights, class_weight=None)
    for part in folds_of(data, 4, 0)[1:]:
        old = part.x[:, 0] < ROWS
        np.testing.assert_array_equal(part.sample_weight[old], part.x[old, 0])
        assert (part.sample_weight[~old] == 1).all()
        assert part.validation[2] is None  # the user's validation part has no weights either
    weighed = planted(class_weight={0: 2.0, 1: 3.0})
    fold = folds_of(weighed, 4, 0)[1]
    assert fold.class_weight == {0: 2.0, 1: 3.0} and fold.validation[2] is None


def test_nested_inputs_and_outputs() -> None:
    x = {"a": np.arange(20.0)[:, None], "b": np.arange(20.0)[:, None] * 2}
    y = {"u": np.arange(20.0), "v": np.arange(20.0) * 3}
    held = ({k: v[16:] for k, v in x.items()}, {k: v[16:] for k, v in y.items()})
    data = FitData.from_fit(
        {k: v[:16] for k, v in x.items()}, {k: v[:16] for k, v in y.items()}, validation_data=held
    )
    for part in (*folds_of(data, 3, 0), split_of(data, 0, 1)):
        np.testing.assert_array_equal(part.x["b"], part.x["a"] * 2)
        np.testing.assert_array_equal(part.y["v"], part.x["a"][:, 0] * 3)
        assert len(part.x["a"]) + len(part.validation[0]["a"]) == 20


def test_splits_share_the_arrays_of_the_data() -> None:
    data = planted()
    folds = final_folds(data, 5, 0)[1:]
    assert len({id(leaf) for fold in folds for leaf in (fold.x, fold.validation[0])}) == 1
    whole = joined(data)
    assert all(reshuffled(data, whole, 0, trial).x is whole[0] for trial in range(2))


def test_a_reshuffled_split_is_another_one_for_each_trial() -> None:
    data = planted()
    seen = []
    for trial in range(4):
        part = split_of(data, 0, trial)
        train, test = rows(part.x), rows(part.validation[0])
        assert not train & test and len(test) == EXTRA and len(train) == ROWS
        assert np.bincount(part.validation[1]).tolist() == [5, 5]
        seen.append(frozenset(test))
    assert len(set(seen)) == 4
    assert rows(split_of(data, 0, 2).x) == rows(split_of(data, 0, 2).x)


def test_a_class_of_one_row_is_no_obstacle() -> None:
    data = planted()
    labels = data.y.copy()
    labels[0] = 9
    lone = FitData.from_fit(data.x, labels, validation_data=data.validation[:2])
    assert len(folds_of(lone, 5, 0)) == 5
    assert split_of(lone, 0, 0).samples == ROWS


def test_what_cannot_be_cut_is_refused() -> None:
    def batches() -> Any:
        yield np.zeros((2, 1)), np.zeros(2)

    with pytest.warns(UserWarning, match="is a generator"):
        data = FitData.from_fit(batches())
    with pytest.raises(InvalidInput, match=r"ensemble\(10\)"):
        final_folds(data, 5, 0)
    with pytest.raises(InvalidInput, match="validation_data"):
        folds_of(FitData.from_fit(np.zeros((9, 1)), np.zeros(9)), 5, 0)
    with pytest.raises(InvalidInput, match="fewer folds"):
        folds_of(planted(), ROWS + 2, 0)

    class Empty(KFold):
        def split(self, *_: Any) -> Any:
            return iter(())

    with pytest.raises(InvalidInput, match="no split"):
        folds_of(planted(), Empty(2), 0)
