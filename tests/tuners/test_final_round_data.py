"""The final round on other data: planted labels, groups, time, several outputs, kills."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, TimeSeriesSplit

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, NoResult
from tests.helpers import small_models as small

ROWS, LABELS = small.ROWS, small.LABELS
# Each row is its own input, so that a network learns random labels by heart and knows nothing of
# other rows: one that is right on a row was trained on it.
OWN, RANDOM = np.eye(80, dtype="float32"), np.random.default_rng(0).integers(0, 2, 80)
GROUPS = np.arange(60) // 5
BY_GROUP = list(GroupKFold(2).split(OWN[:60], RANDOM[:60], GROUPS))


def by_heart(hp: Any) -> keras.Model:
    model = keras.Sequential([keras.Input((80,)), keras.layers.Dense(1, "sigmoid")])
    rate = hp.Choice("rate", [0.5, 0.4])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("folds", [4, BY_GROUP, TimeSeriesSplit(2)], ids=["4", "groups", "time"])
def test_no_fold_is_judged_on_rows_that_it_was_trained_on(folds: Any, tmp_path: Any) -> None:
    settings = small.place(tmp_path, objective="accuracy")  # the epoch that is learnt by heart
    made = kt.RandomSearch(by_heart, max_trials=2, **settings)
    data = {"validation_data": (OWN[60:], RANDOM[60:]), "batch_size": 16, "verbose": 0}
    made.search(OWN[:60], RANDOM[:60], epochs=10, final_round=folds, **data)
    curves = made.results.curves()
    last = curves[curves.epoch == 10].pivot(
        index=["trial", "run"], columns="metric", values="value"
    )
    count = folds if folds == 4 else 3
    assert {run for _, run in last.index} == set(range(count))
    assert (last.accuracy > 0.95).all() and (last.val_accuracy < 0.85).all()
    for run in range(1, count):
        model = made._models(made.results.history).average([(made.results.final.winner, run)])
        right = (model.predict(OWN, verbose=0)[:, 0] > 0.5) == RANDOM
        if folds == 4:
            # By heart all but a third of the training rows; of those about half by chance.
            assert right[60:].all() and 60 * 2 / 3 <= right[:60].sum() <= 56
            continue
        pairs = folds if isinstance(folds, list) else list(folds.split(OWN[:60]))
        train, test = pairs[run - 1]
        assert right[train].all()
        assert right[test].mean() < 0.85 and right[60:].mean() < 0.85


def test_a_splitter_that_cannot_split_is_refused_before_the_search(tmp_path: Any) -> None:
    made = kt.RandomSearch(small.build, max_trials=4, **small.place(tmp_path))
    cases = [
        (LeaveOneGroupOut(), r"list\(splitter.split\(x, y, groups\)\)"),
        ([(np.arange(40), np.arange(40, 64))], "48 training rows, without those"),
        (TimeSeriesSplit(60), "cannot split the 48 training rows"),
        ([], "a list of its"),
    ]
    for folds, message in cases:
        with pytest.raises(InvalidInput, match=message):
            made.search(**small.DATA, epochs=1, final_round=folds)
    assert not (tmp_path / "study" / "study.jsonl").exists()


def test_classes_tags_and_numbers_of_one_model(tmp_path: Any) -> None:
    def build(hp: Any) -> keras.Model:
        x = keras.Input((4,), name="table")
        hidden = keras.layers.Dense(hp.Int("units", 2, 8), "relu")(x)
        heads = {
            "kind": keras.layers.Dense(3, "softmax", name="kind")(hidden),
            "tags": keras.layers.Dense(2, "sigmoid", name="tags")(hidden),
            "size": keras.layers.Dense(1, name="size")(hidden),
        }
        model = keras.Model({"table": x}, heads)
        losses = {
            "kind": "sparse_categorical_crossentropy",
            "tags": "binary_crossentropy",
            "size": "mse",
        }
        model.compile("adam", losses, metrics={"kind": ["accuracy"]})
        return model

    y = {"kind": (ROWS[:, 0] > 0) + 0, "tags": (ROWS[:, 1:3] > 0) + 0.0, "size": ROWS[:, 3]}
    parts = [
        ({"table": ROWS[part]}, {name: one[part] for name, one in y.items()})
        for part in (slice(48), slice(48, 64))
    ]
    made = kt.RandomSearch(
        build, max_trials=3, **small.place(tmp_path, objective="val_kind_accuracy")
    )
    made.search(*parts[0], validation_data=parts[1], epochs=1, verbose=0, final_round=2)
    final = made.results.final
    each = [
        made._models(made.results.history).average([member]).predict(parts[1][0], verbose=0)
        for member in final.members
    ]
    final.model.save(tmp_path / "final.keras")
    for model in (final.model, keras.models.load_model(tmp_path / "final.keras")):
        found = model.predict(parts[1][0], verbose=0)
        for name in y:
            np.testing.assert_allclose(
                found[name], np.mean([one[name] for one in each], axis=0), atol=1e-6
            )
    assert "kind_accuracy" in final.model.evaluate(*parts[1], verbose=0, return_dict=True)


def test_one_trial_is_the_default_and_the_only_finalist(tmp_path: Any) -> None:
    made = kt.RandomSearch(small.build, max_trials=1, **small.place(tmp_path))
    made.search(**small.DATA, epochs=1, final_round=2)
    assert made.results.final.table["role"].tolist() == ["default"]
    assert np.isfinite(made.results.final.model.predict(ROWS, verbose=0)).all()


class FailsIn(keras.callbacks.Callback):
    """Fails in every training after the first `trainings`."""

    begun = 0

    def __init__(self, trainings: int) -> None:
        super().__init__()
        self.trainings = trainings

    def on_train_begin(self, logs: Any = None) -> None:
        FailsIn.begun += 1
        if FailsIn.begun > self.trainings:
            raise ValueError("no fold today")


def test_finalists_that_all_fail_leave_the_search_its_results(
    tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(FailsIn, "begun", 0)
    made = kt.RandomSearch(small.build, max_trials=2, **small.place(tmp_path))
    made.search(**small.DATA, epochs=1, final_round=2, callbacks=[FailsIn(2)])
    results = made.results
    assert results.best.score > 0 and len(results) == 2
    assert results.best.expected is None  # no fold, and val_loss is no accuracy
    final = results.final
    assert final.table["error"].str.contains("no fold today").all()
    with pytest.raises(NoResult, match="No finalist has a finite score"):
        _ = final.model
    assert "none whole" in repr(final)


class Copies(keras.callbacks.Callback):
    """Copies the study's folder during trainings: what a kill at that moment leaves behind."""

    begun = 0

    def __init__(self, folder: str, at: tuple[int, ...]) -> None:
        super().__init__()
        self.folder, self.at = folder, at

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        Copies.begun += 1
        if Copies.begun in self.at:
            shutil.copytree(self.folder, f"{self.folder}-{Copies.begun}/study")


def test_a_final_round_that_was_killed_goes_on_to_the_same_result(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Copies, "begun", 0)
    settings = small.place(tmp_path, objective="val_accuracy")
    made = kt.RandomSearch(small.build, max_trials=6, **settings)
    search = {**small.DATA, "epochs": 2, "final_round": 3}
    kills = (5, 11)
    made.search(**search, callbacks=[Copies(str(tmp_path / "study"), kills)])
    right, total = made.results.final, made.results.epochs
    assert total >= max(kills) and total <= made.plan().epochs
    for kill in kills:
        folder = tmp_path / f"study-{kill}"
        left = kt.open_study(folder / "study").results.epochs
        assert left < total
        again = kt.RandomSearch(small.build, max_trials=6, **{**settings, "directory": folder})
        again.search(**search, callbacks=[Copies(str(folder), ())])
        assert again.results.epochs == total
        assert again.results.final.table.equals(right.table), kill
        np.testing.assert_allclose(
            again.results.final.model.predict(ROWS, verbose=0),
            right.model.predict(ROWS, verbose=0),
            atol=1e-6,
        )
