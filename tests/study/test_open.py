"""Creating, resuming, refusing and overwriting a study's folder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kerashpo import space
from kerashpo.core.errors import (
    InvalidInput,
    StudyBusy,
    StudyCorrupt,
    StudyMismatch,
    StudyNotFound,
)
from kerashpo.core.events import JobStarted, SpaceGrown
from kerashpo.core.history import History
from kerashpo.core.records import Start
from kerashpo.schedulers.full_training import Full
from kerashpo.space import Space
from kerashpo.store.blobs import FileBlobs, checkpoint_key
from kerashpo.store.journal import JournalStore
from kerashpo.store.open import CHECKPOINTS, LOG_NAME
from kerashpo.study.compatibility import StudySpec
from kerashpo.study.open import open_or_create, read_log, remove
from kerashpo.study.study import open_study

SPACE = Space({"lr": space.loguniform(1e-4, 1e-1), "units": space.integer(8, 64, step=8)})
WISH = StudySpec(
    SPACE.to_json(), (("val_loss", "min"),), 0, {"algorithm": "random", "pair": (1, 2)}
)


def begun(folder, wish=WISH):
    """Leaves a study with one trial in a folder."""
    opened = open_or_create(wish, folder, Full(1))
    opened.store.append(JobStarted(Start(0, {"lr": 0.1, "units": 8}, 1), at=1.0))
    opened.store.close()


def refused(wish, folder):
    with pytest.raises(StudyMismatch) as caught:
        open_or_create(wish, folder, Full(1))
    return caught.value


def test_a_new_study_begins_with_its_wish(tmp_path):
    opened = open_or_create(WISH, tmp_path / "new", Full(1))
    assert [type(event).__name__ for event in opened.store.read()] == ["StudyCreated"]
    assert (opened.history.seed, opened.history.objective.name) == (0, "val_loss")
    opened.store.close()


def test_the_same_search_continues(tmp_path):
    begun(tmp_path)
    opened = open_or_create(WISH, tmp_path, Full(1))
    assert list(opened.history.trials) == [0]
    opened.store.close()


def test_no_seed_accepts_the_stored_one(tmp_path):
    begun(tmp_path, replace(WISH, seed=None))
    opened = open_or_create(replace(WISH, seed=None), tmp_path, Full(1))
    opened.store.close()
    assert opened.history.seed >= 0
    assert refused(replace(WISH, seed=opened.history.seed + 1), tmp_path).differences


@pytest.mark.parametrize("seed", ["0", 1.5, True, [1]])
def test_a_seed_that_is_no_whole_number(seed):
    with pytest.raises(InvalidInput, match="seed must be a whole number.*Received"):
        open_or_create(replace(WISH, seed=seed), None, Full(1))


def test_seeds_of_numpy_are_seeds():
    assert open_or_create(replace(WISH, seed=np.int64(3)), None, Full(1)).history.seed == 3


@pytest.mark.parametrize(
    "change, lines",
    [
        (
            {"objectives": (("val_auc", "max"),)},
            ["objective: was val_loss (min), now val_auc (max)"],
        ),
        ({"seed": 1}, ["seed: was 0, now 1"]),
        (
            {"settings": {"algorithm": "grid", "pair": (1, 2)}},
            ["algorithm: was 'random', now 'grid'"],
        ),
        (
            {"settings": {"algorithm": "random", "pair": (1, 2), "factor": 3}},
            ["factor: was None, now 3"],
        ),
        (
            {"space": Space({"lr": space.loguniform(1e-4, 1.0), "rate": 1}).to_json()},
            [
                "parameter 'lr': was kind=float, low=0.0001, high=0.1, scale=log, "
                "now kind=float, low=0.0001, high=1.0, scale=log",
                "parameter 'units': is gone",
                "parameter 'rate': is new",
            ],
        ),
    ],
)
def test_another_search_is_refused_with_its_differences(tmp_path, change, lines):
    begun(tmp_path)
    error = refused(replace(WISH, **change), tmp_path)
    assert list(error.differences) == lines
    assert all(line in str(error) for line in lines)
    assert "overwrite=True" in str(error)


def test_a_refused_folder_is_left_as_it_was(tmp_path):
    begun(tmp_path)
    refused(replace(WISH, seed=1), tmp_path)
    assert list(open_study(tmp_path).history.trials) == [0]


def test_data_is_compared_only_where_both_know_theirs(tmp_path):
    begun(tmp_path, replace(WISH, settings={"data": "abc"}))
    open_or_create(replace(WISH, settings={"data": None}), tmp_path, Full(1)).store.close()
    assert refused(replace(WISH, settings={"data": "xyz"}), tmp_path).differences


def test_a_space_that_grew_is_compared_as_first_discovered(tmp_path):
    opened = open_or_create(WISH, tmp_path, Full(1))
    opened.store.append(JobStarted(Start(0, {"lr": 0.1, "units": 8}, 1), at=1.0))
    opened.store.append(SpaceGrown(0, ({"name": "new", "kind": "bool"},), at=2.0))
    opened.store.close()
    again = open_or_create(WISH, tmp_path, Full(1))
    assert len(again.history.space["params"]) == 3
    again.store.close()


def test_a_search_given_up_before_its_first_trial_does_not_stand_in_the_way(tmp_path):
    open_or_create(replace(WISH, objectives=(("val_los", "min"),)), tmp_path, Full(1)).store.close()
    opened = open_or_create(WISH, tmp_path, Full(1))
    assert opened.history.objective.name == "val_loss"
    opened.store.close()


def test_a_study_has_one_writer(tmp_path):
    opened = open_or_create(WISH, tmp_path, Full(1))
    with pytest.raises(StudyBusy, match="searched by another tuner of this process"):
        open_or_create(WISH, tmp_path, Full(1))
    with pytest.raises(StudyBusy, match="searched by another tuner of this process"):
        remove(tmp_path)
    opened.store.close()
    open_or_create(WISH, tmp_path, Full(1)).store.close()


def test_overwriting_deletes_the_study(tmp_path):
    begun(tmp_path / "study")
    opened = open_or_create(replace(WISH, seed=1), tmp_path / "study", Full(1), overwrite=True)
    assert (opened.history.seed, len(opened.history.trials)) == (1, 0)
    opened.store.close()


def test_overwriting_refuses_a_link(tmp_path):
    begun(tmp_path / "study")
    (tmp_path / "link").symlink_to(tmp_path / "study")
    with pytest.raises(InvalidInput, match="is a link, so what it leads to is not deleted"):
        remove(tmp_path / "link")
    assert list(open_study(tmp_path / "study").history.trials) == [0]


def test_checkpoints_without_a_log_are_not_created_again(tmp_path):
    FileBlobs(tmp_path / CHECKPOINTS).put(checkpoint_key(0, 0, 1), b"epochs")
    with pytest.raises(StudyCorrupt, match=r"checkpoints of a search but no log.*overwrite=True"):
        open_or_create(WISH, tmp_path, Full(1))
    open_or_create(WISH, tmp_path, Full(1), overwrite=True).store.close()
    assert not (tmp_path / CHECKPOINTS).exists()


def test_overwriting_makes_a_folder_where_there_is_none(tmp_path):
    open_or_create(WISH, tmp_path / "new", Full(1), overwrite=True).store.close()
    assert (tmp_path / "new" / LOG_NAME).exists()


@pytest.mark.parametrize("name", ["folder", "folder/thesis.tex"])
def test_overwriting_refuses_what_is_no_study(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidInput, match="is not a study of kerashpo"):
        open_or_create(WISH, tmp_path / name, Full(1), overwrite=True)
    assert (tmp_path / "folder" / "thesis.tex").read_text() == "years of work"


def test_opening_what_is_not_there_names_what_is_near(tmp_path):
    begun(tmp_path / "hyperband")
    with pytest.raises(StudyNotFound, match=r"no study in .*Studies below it: .*hyperband"):
        open_study(tmp_path)


def test_a_study_that_is_being_searched_can_be_read(tmp_path):
    opened = open_or_create(WISH, tmp_path, Full(1))
    opened.store.append(JobStarted(Start(0, {"lr": 0.1, "units": 8}, 1), at=1.0))
    assert len(open_study(tmp_path).results) == 1
    opened.store.close()


def test_a_log_without_events_has_not_begun(tmp_path):
    JournalStore(tmp_path / LOG_NAME).close()
    with pytest.raises(StudyNotFound, match="has not started"):
        open_study(tmp_path)


def test_a_log_that_was_read_is_not_read_again_unless_it_has_changed(tmp_path, monkeypatch):
    begun(tmp_path)
    known, reads = read_log(tmp_path), []
    read = JournalStore.read
    monkeypatch.setattr(JournalStore, "read", lambda store: reads.append(1) or read(store))
    opened = open_or_create(WISH, tmp_path, Full(1), known=known)
    assert (reads, list(opened.history.trials)) == ([], [0])
    opened.store.append(JobStarted(Start(1, {"lr": 0.1, "units": 16}, 1), at=2.0))
    opened.store.close()
    opened = open_or_create(WISH, tmp_path, Full(1), known=known)
    assert (reads, list(opened.history.trials)) == ([1], [0, 1])
    opened.store.close()


def test_opening_folds_the_log_once(tmp_path, monkeypatch):
    begun(tmp_path)
    events, folded = len(read_log(tmp_path).events), []
    apply = History.apply
    monkeypatch.setattr(History, "apply", lambda self, e: folded.append(e) or apply(self, e))
    open_or_create(WISH, tmp_path, Full(1)).store.close()
    assert len(folded) == events + 1  # the study's own event is compared before
