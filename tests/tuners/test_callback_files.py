"""Files of the user's callbacks: the best trial's lies at the path that a callback was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kerashpo as kt
from tests.helpers import small_models as small


def search(folder: Path, *callbacks: Any) -> Any:
    tuner = kt.RandomSearch(small.build, max_trials=3, **small.place(folder))
    tuner.search(**small.DATA, epochs=2, callbacks=list(callbacks))
    return tuner


def test_the_best_trials_checkpoint_lies_at_the_given_path(tmp_path: Path) -> None:
    path = tmp_path / "files" / "best.keras"
    tuner = search(tmp_path, keras.callbacks.ModelCheckpoint(str(path), save_best_only=True))
    right = tuner.results.best_model().predict(small.ROWS, verbose=0)
    model = keras.models.load_model(path)
    np.testing.assert_allclose(model.predict(small.ROWS, verbose=0), right, atol=1e-6)


def test_a_pattern_and_a_csv_file_of_the_best_trial(tmp_path: Path) -> None:
    files = tmp_path / "files"
    tuner = search(
        tmp_path,
        keras.callbacks.ModelCheckpoint(str(files / "epoch-{epoch:02d}.keras")),
        keras.callbacks.CSVLogger(str(files / "log.csv")),
    )
    assert {path.name for path in files.glob("*.keras")} == {"epoch-01.keras", "epoch-02.keras"}
    rows = (files / "log.csv").read_text().splitlines()
    last = float(rows[-1].split(",")[rows[0].split(",").index("val_loss")])
    best = tuner.results.history.best
    assert last == pytest.approx(best.reports[0][2].metrics["val_loss"], rel=1e-5)


def test_tensorboard_gets_each_trials_values(tmp_path: Path) -> None:
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    tuner = search(tmp_path, keras.callbacks.TensorBoard(str(tmp_path / "logs")))
    tags: dict[str, set[str]] = {}
    for file in (tmp_path / "logs").rglob("*tfevents*"):
        trial = file.relative_to(tmp_path / "logs").parts[0]
        for event in loader.EventFileLoader(str(file)).Load():
            tags.setdefault(trial, set()).update(value.tag for value in event.summary.value)
    assert set(tags) == {str(number) for number in tuner.results.history.trials}
    assert all("_hparams_/session_start_info" in found for found in tags.values())
