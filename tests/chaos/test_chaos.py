"""A short form of ``experiments/chaos``: real processes, killed and started again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.chaos.killing import Kill, Outcome
from experiments.chaos.kills import Tally, mixed
from experiments.chaos.probe import Again, Phase
from experiments.chaos.searches import Search
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.journal import JournalStore
from kerashpo.testing.curve_runner import CurveRunner

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(not hasattr(os, "fork"), reason="the experiments fork")


def run(*words):
    command = [sys.executable, "-m", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


ON_CURVES = {"curves, 1 worker", "curves, 2 workers"}


@linux
@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        (["--runs", "3", "--kinds", "curves"], ON_CURVES),
        pytest.param(
            ["--runs", "4"], ON_CURVES | {"real training, 1 worker"}, marks=pytest.mark.slow
        ),
    ],
    ids=["curves", "real training too"],
)
def test_searches_survive_kill_9(given, kinds):
    done = run("experiments.chaos.kills", *given, "--kills", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| acknowledged epochs lost | 0 |" in done.stdout
    assert kinds <= {
        line.split(":")[1].split(" kills")[0].rsplit(",", 1)[0].strip()
        for line in done.stdout.splitlines()
        if line.startswith("run ")
    }


@linux
def test_cut_files_are_repaired_or_refused():
    done = run("experiments.chaos.cuts", "--cuts", "2", "--trials", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checkpoint: results as undisturbed | 2" in done.stdout
    assert "!" not in done.stdout


@pytest.fixture
def unprobed(monkeypatch):
    """Takes the probe out of this process again."""
    for owner, name in ((CurveRunner, "run"), (JournalStore, "append"), (FileBlobs, "put")):
        monkeypatch.setattr(owner, name, getattr(owner, name))


def test_what_goes_wrong_is_counted(tmp_path, unprobed):
    """An experiment that cannot fail shows nothing."""
    whole, folder = tmp_path / "whole", tmp_path / "run"
    search = Search(epoch_seconds=0.0)
    for place in (whole, folder):
        place.mkdir()
        (place / "trained").write_text("1.0 7 0 1 0.5\n")
        search.run(place)
    kill = Kill("search", Phase.TRAINING, 1.0)
    good, bad = Tally(), Tally()
    good.take(search, Outcome([kill], 0, [Again(1, 0.5)]), folder, whole)
    assert (good.bad, good.kills, good.again) == (0, 1, 1)
    bad.take(search, Outcome([kill], 2, [Again(2, 0.9)], ["boom"]), folder, whole)
    assert (bad.lost, bad.over, len(bad.errors)) == (2, 1, 1)
    other = tmp_path / "other"
    other.mkdir()
    Search(epoch_seconds=0.0, seed=1, trials=3).run(other)
    bad.take(search, Outcome(), folder, other)
    assert (bad.different, bad.budget) == (1, 1)


def test_the_mix_has_every_kind():
    kinds = {(search.kind, search.workers) for search in mixed(20)}
    assert kinds == {("curves", 1), ("curves", 2), ("keras", 1), ("keras", 2)}
