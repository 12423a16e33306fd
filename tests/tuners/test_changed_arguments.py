"""Arguments that changed at a resume: refused with the differences, where they would mix scores."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.model_selection import KFold

import kerashpo as kt
from kerashpo.core.errors import StudyMismatch
from kerashpo.tuners.describe import describe, describe_callbacks
from tests.helpers.small_models import DATA, LABELS, ROWS, build_few, place

EARLY = keras.callbacks.EarlyStopping
WEIGHTS = {0: 1.0, 1: 2.0}


def own_loss(y: Any, p: Any) -> Any:
    return keras.ops.mean(keras.ops.square(y - p))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search with one trial."""
    folder = tmp_path_factory.mktemp("begun")
    kt.RandomSearch(build_few, max_trials=1, **place(folder)).search(**DATA)
    return folder


@pytest.mark.parametrize(
    ("settings", "arguments", "line"),
    [
        ({"loss": "mse"}, {}, "loss: was None, now 'mse'"),
        ({"loss": own_loss}, {}, "loss: was None, now 'own_loss, code"),
        ({"optimizer": "sgd"}, {}, "optimizer: was None, now 'sgd'"),
        ({"optimizer": keras.optimizers.SGD(0.5)}, {}, "optimizer: was None.*SGD.*0.5"),
        ({"metrics": ["mae"]}, {}, "metrics: was None, now \\['mae'\\]"),
        ({"max_model_size": 10**6}, {}, "max_model_size: was None, now 1000000"),
        ({}, {"batch_size": 24}, "batch_size: was 16, now 24"),
        ({}, {"batch_size": None}, "batch_size: was 16, now 32"),
        ({}, {"shuffle": False}, "shuffle: was None, now False"),
        ({}, {"steps_per_epoch": 1}, "steps_per_epoch: was None, now 1"),
        ({}, {"validation_freq": [1, 3]}, "validation_freq: was None, now \\[1, 3\\]"),
        ({}, {"validation_batch_size": 4}, "validation_batch_size: was None, now 4"),
        ({}, {"validation_steps": 1}, "validation_steps: was None, now 1"),
        ({}, {"class_weight": WEIGHTS}, "data: the arrays are other ones"),
        ({}, {"callbacks": [EARLY("loss", patience=1)]}, "callbacks: was None.*EarlyStopping"),
        ({}, {"callbacks": [lambda: EARLY("loss")]}, "callbacks: was None.*lambda"),
    ],
)
def test_what_changed_is_refused_with_the_difference(settings, arguments, line, begun):
    for resume in ("exact", "extend"):
        given = {"max_trials": 3, "resume": resume, **settings, **place(begun)}
        with pytest.raises(StudyMismatch, match=f"(?s){line}.*overwrite=True"):
            kt.RandomSearch(build_few, **given).search(**(DATA | arguments))


def compiled_with(optimizer: Any = "adam", **given: Any) -> Any:
    """Returns a `build_model` that compiles with these arguments."""

    def build(hp: Any) -> keras.Model:
        model = build_few(hp)
        made = optimizer() if callable(optimizer) else optimizer
        model.compile(made, **{"loss": "mse", "metrics": ["mae"], **given})
        return model

    return build


def powered(power: float) -> Any:
    def loss(y: Any, p: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(y - p) ** power)

    return loss


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({}, {"loss": "mae"}, "loss in build_model: was 'mse', now 'mae'"),
        ({}, {"metrics": None}, "metrics in build_model: was .'mae'., now None"),
        ({}, {"optimizer": "sgd"}, "optimizer in build_model: class was 'Adam', now 'SGD'"),
        (
            {"optimizer": lambda: keras.optimizers.SGD(0.5)},
            {"optimizer": lambda: keras.optimizers.SGD(0.25)},
            "optimizer in build_model: learning_rate was 0.5, now 0.25",
        ),
        ({"loss": powered(2.0)}, {"loss": powered(3.0)}, "loss in build_model: was 'powered"),
        ({}, {"loss_weights": [2.0]}, "loss_weights in build_model: was None, now .2.0."),
    ],
)
def test_another_compile_in_build_model_is_refused(before, after, line, tmp_path):
    first = kt.RandomSearch(compiled_with(**before), max_trials=1, **place(tmp_path))
    first.search(**DATA)
    later = kt.RandomSearch(compiled_with(**after), max_trials=2, **place(tmp_path))
    with pytest.raises(StudyMismatch, match=line):
        later.search(**DATA)
    same = {**before, "steps_per_execution": 2}  # the same training
    again = kt.RandomSearch(compiled_with(**same), max_trials=2, **place(tmp_path))
    again.search(**DATA)
    assert len(again.results) == 2
    over = kt.RandomSearch(compiled_with(**after), max_trials=2, **place(tmp_path))
    with pytest.warns(UserWarning, match=f"finished.*{line}"):
        over.search(**DATA)


def test_a_default_that_changes_with_a_wider_range_is_no_other_compile(tmp_path):
    def search(low: float, trials: int) -> int:
        def build(hp: Any) -> keras.Model:
            rate = hp.Float("rate", low, 0.1, sampling="log")
            return compiled_with(lambda: keras.optimizers.SGD(rate))(hp)

        given = {"max_trials": trials, "resume": "extend", **place(tmp_path)}
        tuner = kt.RandomSearch(build, **given)
        tuner.search(**DATA)
        return len(tuner.results)

    assert [search(0.01, 1), search(0.001, 2)] == [1, 2]


def test_another_function_in_a_callback_is_a_difference(tmp_path):
    def search(trials: int, rate: float) -> None:
        scheduled = keras.callbacks.LearningRateScheduler(lambda epoch: rate)
        tuner = kt.RandomSearch(build_few, max_trials=trials, **place(tmp_path))
        tuner.search(**DATA, callbacks=[scheduled])

    search(1, 0.1)
    search(2, 0.1)
    with pytest.raises(StudyMismatch, match="callbacks: was .*'schedule': "):
        search(3, 0.2)


def test_a_changed_patience_is_a_difference(tmp_path):
    def search(trials: int, patience: int) -> None:
        tuner = kt.RandomSearch(build_few, max_trials=trials, **place(tmp_path))
        tuner.search(**DATA, callbacks=[EARLY("loss", patience=patience)])

    search(1, 1)
    search(2, 1)
    with pytest.raises(StudyMismatch, match="callbacks: was .*'patience': 1.* now .*'patience': 2"):
        search(3, 2)


def test_the_same_arguments_written_in_another_way_are_no_difference(tmp_path):
    first = kt.RandomSearch(build_few, max_trials=1, loss="mse", **place(tmp_path))
    data = {"x": ROWS[:48], "y": LABELS[:48], "validation_data": (ROWS[48:], LABELS[48:])}
    first.search(**data, verbose=0)
    later = kt.RandomSearch(build_few, max_trials=2, loss="mse", max_minutes=9, **place(tmp_path))
    later.search(
        ROWS[:48],
        LABELS[:48],
        batch_size=np.int64(32),
        epochs=1,
        shuffle=True,
        validation_data=[ROWS[48:], LABELS[48:]],
        validation_freq=1,
        verbose=2,
    )
    assert len(later.results) == 2


def test_callbacks_that_only_write_may_change(tmp_path):
    def search(trials: int) -> Any:
        now = str(datetime.now().timestamp())
        writing = [
            keras.callbacks.TensorBoard(tmp_path / now),
            keras.callbacks.ModelCheckpoint(tmp_path / now / "best.keras"),
            keras.callbacks.CSVLogger(tmp_path / f"{now}.csv"),
        ]
        tuner = kt.RandomSearch(build_few, max_trials=trials, **place(tmp_path))
        tuner.search(**DATA, callbacks=writing if trials == 1 else writing[:2])
        return tuner.results

    search(1)
    assert len(search(2)) == 2


@pytest.mark.parametrize("changed", [False, True])
def test_the_arguments_of_ones_own_training_are_compared(changed, tmp_path):
    class Own(kt.RandomSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            return float(trial.hyperparameters.Int("n", 0, 9))

    Own(max_trials=1, **place(tmp_path)).search(rate=0.1, data=object(), epochs=3, verbose=0)
    tuner = Own(max_trials=2, **place(tmp_path))
    again = {"rate": 0.2 if changed else 0.1, "data": object(), "epochs": 3, "verbose": 0}
    if changed:
        with pytest.raises(StudyMismatch, match="rate: was 0.1, now 0.2"):
            tuner.search(**again)
    else:
        tuner.search(**again)
        assert len(tuner.results) == 2


class Halves:
    """A splitter of one's own."""

    def __init__(self, at: int = 32) -> None:
        self.at = at

    def get_n_splits(self, *_: Any) -> int:
        return 1

    def split(self, x: Any, *_: Any) -> Any:
        yield np.arange(self.at), np.arange(self.at, len(x))


def test_a_splitter_of_ones_own_is_known_again(tmp_path):
    def search(trials: int, at: int) -> Any:
        tuner = kt.RandomSearch(build_few, max_trials=trials, cv=Halves(at), **place(tmp_path))
        tuner.search(ROWS, LABELS, verbose=0)
        return tuner.results

    search(1, 32)
    assert len(search(2, 32)) == 2
    with pytest.raises(StudyMismatch, match="cv: was .*'at': 32.* now .*'at': 16"):
        search(3, 16)


def test_a_finished_search_stands_whatever_search_is_called_with(begun):
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(begun))
    shuffled = np.random.default_rng(1).permutation(48)
    other = DATA | {"x": DATA["x"][shuffled], "y": DATA["y"][shuffled], "batch_size": 8}
    with pytest.warns(UserWarning, match="(?s)finished.*data: the arrays.*batch_size: was 16"):
        tuner.search(**other)
    assert len(tuner.results) == 1 and tuner.get_best_models()
    assert len(kt.open_study(begun / "study").history.sessions) > 1
    with pytest.raises(StudyMismatch, match="loss"):
        kt.RandomSearch(build_few, max_trials=1, loss="mse", **place(begun))


def test_an_interrupted_search_needs_its_own_data(tmp_path):
    cut = kt.RandomSearch(build_few, max_trials=2, max_epochs_total=3, **place(tmp_path))
    cut.search(**DATA, epochs=2)
    tuner = kt.RandomSearch(build_few, max_trials=2, **place(tmp_path))
    with pytest.raises(StudyMismatch, match="data: the arrays are other ones.*random_state"):
        tuner.search(**(DATA | {"x": DATA["x"] + 1}), epochs=2)
    tuner.search(**DATA, epochs=2)
    assert tuner.results.epochs == 4


def test_descriptions():
    assert describe({"a": (1, None, "x"), "b": [np.float32(0.5), Path("c")]}) == {
        "a": [1, None, "x"],
        "b": [0.5, "c"],
    }
    assert describe(list(range(30))).startswith("30 items, ")
    assert describe(own_loss).startswith("own_loss, code ")
    assert describe(own_loss) != describe(lambda y, p: keras.ops.mean(y - p))
    assert describe(keras.metrics.AUC()) == describe(keras.metrics.AUC())
    assert describe(keras.losses.MeanSquaredError) == "MeanSquaredError"
    assert describe(KFold(3)) == {
        "class": "KFold",
        "n_splits": 3,
        "shuffle": False,
        "random_state": None,
    }
    assert describe(object()) == "object"
    assert describe_callbacks([EARLY("loss"), EARLY]) == [
        describe_callbacks([EARLY("loss")])[0],
        "EarlyStopping",
    ]


def test_descriptions_are_equal_in_another_process():
    code = (
        "from kerashpo.tuners.describe import describe\n"
        "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}\n"
        "print(describe(f))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(kt.__file__).parents[1])},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
