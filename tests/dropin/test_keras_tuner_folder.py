"""A folder that holds KerasTuner's own project, from before the import was changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.study.keras_tuner_project import read_trials
from tests.helpers.small_models import DATA, build_few

WHERE = {"objective": "val_loss", "max_trials": 2, "seed": 1, "project_name": "p"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that KerasTuner searched; tests copy it."""
    folder = tmp_path_factory.mktemp("theirs")
    theirs = keras_tuner.RandomSearch(build_few, directory=folder, **WHERE)
    theirs.search(**DATA)
    return folder / "p"


@pytest.fixture
def folder(project: Path, tmp_path: Path) -> Path:
    shutil.copytree(project, tmp_path / "p")
    return tmp_path / "p"


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_without_overwrite_the_search_begins_beside_it_and_says_so(folder):
    before = files(folder)
    with pytest.warns(UserWarning, match="project of KerasTuner's with 2 trials.*overwrite=True"):
        tuner = kt.RandomSearch(build_few, directory=folder.parent, **WHERE)
    tuner.search(**DATA)
    assert len(tuner.results) == 2 and before < files(folder)
    again = kt.RandomSearch(build_few, directory=folder.parent, **WHERE)
    assert len(again.results) == 2  # and no second warning


def test_overwrite_removes_what_kerastuner_wrote(folder):
    tuner = kt.RandomSearch(build_few, directory=folder.parent, overwrite=True, **WHERE)
    assert not folder.exists()
    tuner.search(**DATA)
    assert len(tuner.results) == 2


def test_overwrite_leaves_other_files_alone(folder):
    (folder / "thesis.txt").write_text("all of it")
    (folder / "trial_0" / "notes.txt").write_text("mine")
    tuner = kt.RandomSearch(build_few, directory=folder.parent, overwrite=True, **WHERE)
    assert files(folder) == {"thesis.txt", str(Path("trial_0", "notes.txt"))}
    tuner.search(**DATA)
    assert (folder / "thesis.txt").exists() and len(tuner.results) == 2


def test_a_link_is_not_followed(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    given = WHERE | {"project_name": "link"}
    with pytest.raises(InvalidInput, match="is a link"):
        kt.RandomSearch(build_few, directory=tmp_path, overwrite=True, **given)
    assert (folder / "oracle.json").exists()


def test_its_finished_trials_are_evidence(folder, tmp_path):
    pairs = read_trials(folder)
    assert len(pairs) == 2 and all({*values} == {"units", "rate"} for values, _ in pairs)
    tuner = kt.BayesianOptimization(
        build_few, "val_loss", 2, warm_start=folder, seed=0, directory=tmp_path / "new"
    )
    tuner.search(**DATA)
    assert len(tuner.results) == 2
    options: Any = tuner.results.history.settings["options"]
    (source,) = options["warm_start"]
    assert [score for _, score in source["pairs"]] == [score for _, score in pairs]
    (folder / "trial_0" / "trial.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"trial\.json.*cannot be read as a trial"):
        read_trials(folder)
