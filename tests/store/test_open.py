"""What a study's folder may be called, and what is opened there."""

from __future__ import annotations

from pathlib import Path

import pytest

import kerashpo
from kerashpo import cli
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import StudyCreated
from kerashpo.store.open import folder_of, has_log, log_path, open_blobs, open_store, read_events
from kerashpo.study.study import studies_below
from kerashpo.tuners.tuner_options import TunerOptions

CREATED = StudyCreated({}, (("value", "min"),), 0)


def test_what_was_written_is_read_while_it_is_being_written(tmp_path: Path) -> None:
    assert not has_log(tmp_path / "study")
    store = open_store(tmp_path / "study")
    store.append(CREATED)
    assert has_log(tmp_path / "study") and log_path(tmp_path / "study").is_file()
    assert read_events(tmp_path / "study") == [CREATED]
    store.close()
    open_blobs(tmp_path / "study").put("0/best-0.npz", b"weights")
    assert open_blobs(tmp_path / "study").get("0/best-0.npz") == b"weights"
    assert studies_below(tmp_path) == [tmp_path / "study"]  # the checkpoints lie within it


@pytest.mark.parametrize("name", ["a study", "ümläut", "100%", "s3:", "file:", "C:\\runs"])
def test_paths_and_file_urls_are_folders(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    assert folder_of(folder) == folder_of(str(folder)) == folder
    assert folder_of(folder.as_uri()) == folder
    assert folder_of(folder.as_uri().replace("file://", "FILE://localhost")) == folder
    assert folder_of(name) == Path(name)


@pytest.mark.parametrize("url", ["s3://bucket/runs", "gs://bucket", "https://host/x", "fil:///x"])
def test_other_urls_are_refused_with_what_is_known(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"pass a path, or a URL .* file://.*Received: '"):
        folder_of(url)


def test_a_file_url_of_another_machine_is_refused() -> None:
    with pytest.raises(InvalidInput, match="folders of this machine: file:///server/runs"):
        folder_of("file://server/runs")


def test_every_entry_takes_urls_and_refuses_unknown_ones_before_it_calls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, space = tmp_path / "study", {"x": kerashpo.space.uniform(0, 1)}
    found = kerashpo.optimize(
        lambda c: c["x"], space, algorithm="random", max_trials=2, seed=0, verbose=0,
        directory=folder.as_uri(),
    )  # fmt: skip
    assert found.folder == str(folder)
    assert len(kerashpo.open_study(folder.as_uri()).history.trials) == 2
    assert TunerOptions(directory=tmp_path.as_uri(), project_name="study").folder == folder
    for command in (["status"], ["list"], ["doctor"], ["trials"]):
        assert cli.main([*command, folder.as_uri()]) == 0
    capsys.readouterr()

    for command in ("status", "list", "best", "trials", "report", "resume", "doctor"):
        assert cli.main([command, "s3://bucket/study"]) == 2
        assert "file://" in capsys.readouterr().err
    called: list[object] = []
    with pytest.raises(InvalidInput, match="file://"):
        kerashpo.optimize(called.append, space, directory="s3://bucket/study")
    with pytest.raises(InvalidInput, match="file://"):
        TunerOptions(directory="s3://bucket").check()
    with pytest.raises(InvalidInput, match="file://"):
        kerashpo.open_study("s3://bucket/study")
    assert not called
