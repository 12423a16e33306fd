"""The Python calls that the report of an epoch costs do not grow unnoticed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import kerashpo
from kerashpo.training.reporter import EpochReporter
from tests.helpers.small_models import DATA, build_few

PACKAGE = str(Path(kerashpo.__file__).parent)
MOST = 66


def test_an_epochs_report_costs_few_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    original = EpochReporter.on_epoch

    def on_epoch(reporter: EpochReporter, epoch: int, metrics: dict[str, float]) -> bool:
        calls = 0

        def note(frame: FrameType, event: str, argument: Any) -> None:
            nonlocal calls
            calls += event == "call" and frame.f_code.co_filename.startswith(PACKAGE)

        sys.setprofile(note)
        try:
            return original(reporter, epoch, metrics)
        finally:
            sys.setprofile(None)
            counts.append(calls)

    monkeypatch.setattr(EpochReporter, "on_epoch", on_epoch)
    settings = {"objective": "val_loss", "max_trials": 2, "directory": tmp_path}
    tuner = kerashpo.RandomSearch(build_few, seed=0, **settings)
    tuner.search(**DATA, epochs=5)
    assert 10 < sorted(counts)[len(counts) // 2] <= MOST
