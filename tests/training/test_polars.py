"""Data frames and series of polars train as the same arrays of numpy do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from tests.helpers.small_models import DATA, LABELS, ROWS, build_few, place

pytestmark = pytest.mark.extras


def losses(folder: Path, name: str, x: Any, y: Any, cv: int | None, **given: Any) -> list[float]:
    tuner = kt.RandomSearch(build_few, max_trials=1, cv=cv, **place(folder, name))
    tuner.search(x, y, batch_size=16, verbose=0, **given)
    (trial,) = tuner.results.history.trials.values()
    return [report.metrics["val_loss"] for run in trial.reports.values() for report in run.values()]


@pytest.mark.parametrize("given", [{"validation_split": 0.25}, {"cv": 3}], ids=["split", "cv"])
@pytest.mark.parametrize("column", [True, False], ids=["frame", "series"])
def test_a_frame_is_trained_as_its_array(given: dict[str, Any], column: bool, tmp_path: Path):
    polars = pytest.importorskip("polars")
    options = {"cv": None, **given}
    frame, labels = polars.DataFrame(ROWS, schema=list("abcd")), polars.Series("y", LABELS)
    found = losses(tmp_path, "frame", frame, labels.to_frame() if column else labels, **options)
    y = LABELS[:, None] if column else LABELS
    assert found == losses(tmp_path, "array", ROWS, y, **options)


def test_a_lazy_frame_is_told_to_be_collected(tmp_path: Path):
    polars = pytest.importorskip("polars")
    lazy = polars.DataFrame(ROWS, schema=list("abcd")).lazy()
    tuner = kt.RandomSearch(build_few, max_trials=1, **place(tmp_path))
    with pytest.raises(InvalidInput, match="collect"):
        tuner.search(lazy, DATA["y"], validation_split=0.25)
