"""Studies below and beside a folder."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo import optimize, space
from kerashpo.core.errors import StudyNotFound
from kerashpo.study.study import studies_below


def study(folder):
    optimize(lambda c: c["n"], {"n": space.integer(1, 9)}, max_trials=2, seed=0, directory=folder)
    return folder


def test_studies_below_a_folder(tmp_path):
    found = [study(tmp_path / name) for name in ("a/b/c/one", "two")]
    study(tmp_path / ".hidden" / "three")
    assert studies_below(tmp_path) == sorted(found)
    assert studies_below(tmp_path, depth=2) == [tmp_path / "two"]
    assert studies_below(tmp_path / "two") == [tmp_path / "two"]
    assert studies_below(tmp_path / "absent") == []


def test_a_study_that_is_not_there_names_its_neighbour(tmp_path):
    study(tmp_path / "lab")
    with pytest.raises(StudyNotFound, match="Did you mean '.*lab'"):
        kt.open_study(tmp_path / "lap")
    with pytest.raises(StudyNotFound, match="Studies below it: .*lab"):
        kt.open_study(tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(StudyNotFound, match=r"no study in '.*' \(no [\w.]+\)\.$"):
        kt.open_study(tmp_path / "other" / "nothing")
