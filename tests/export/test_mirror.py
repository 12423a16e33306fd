"""The live mirror of studies for optuna-dashboard: states, promotions, folders, no writing."""

from __future__ import annotations

import json
import shutil
import threading
import urllib.request

import optuna
import pytest
from optuna.trial import TrialState

from kerashpo.cli import main
from kerashpo.core.errors import InvalidInput, StudyNotFound
from kerashpo.core.events import (
    Decided,
    Ended,
    JobStarted,
    Reached,
    Reported,
    SessionStarted,
    StudyCreated,
)
from kerashpo.core.records import Decision, Failure, Report, Resume, Start, Status
from kerashpo.export.mirror import MirrorStorage
from kerashpo.space import Space, uniform
from kerashpo.store.journal import JournalStore
from kerashpo.store.open import LOG_NAME

SPACE = Space({"x": uniform(0.0, 1.0)})
ONE, TWO = (("val_loss", "min"),), (("val_accuracy", "max"), ("size", "min"))


class Writer:
    """Writes the log of a search, event by event, as a search would."""

    def __init__(self, folder, objectives=ONE):
        folder.mkdir(parents=True)
        self.store = JournalStore(folder / LOG_NAME)
        self.store.append(StudyCreated(SPACE.to_json(), objectives, 7, {"tuner": "ASHA"}, {}))
        self.store.append(SessionStarted(1_760_000_000.0))

    def close(self):
        self.store.close()

    def start(self, trial, until, epochs, loss, more=None):
        self.store.append(JobStarted(Start(trial, {"x": 0.1 * trial}, until), at=float(trial)))
        self.report(trial, epochs, loss, more)

    def report(self, trial, epochs, loss, more=None):
        for epoch in epochs:
            metrics = {"val_loss": loss / epoch, **(more or {})}
            self.store.append(Reported(Report(trial, 0, epoch, metrics, 1.0), at=9.0))

    def append(self, *events):
        for event in events:
            self.store.append(event)


@pytest.fixture
def begin():
    """Begins the log of a search; all are closed in the end."""
    begun = []

    def made(folder, objectives=ONE):
        begun.append(Writer(folder, objectives))
        return begun[-1]

    yield made
    for one in begun:
        one.close()


def states(storage, study=0):
    return [trial.state for trial in storage.get_all_trials(study)]


def test_promoted_paused_and_pruned_trials_are_shown_as_they_are_now(tmp_path, begin):
    search = begin(tmp_path / "asha")
    search.start(0, 2, (1, 2), 1.0)
    search.append(Reached(0), Decided(0, Decision.PAUSE))
    search.start(1, 2, (1,), 4.0)
    storage = MirrorStorage(tmp_path / "asha")
    study = optuna.load_study(study_name="asha", storage=storage)
    assert states(storage) == [TrialState.RUNNING] * 2
    paused, running = study.trials
    assert paused.user_attrs["status"] == "PAUSED" and running.user_attrs["status"] == "RUNNING"
    assert paused.intermediate_values == {1: 1.0, 2: 0.5} and paused.user_attrs["rungs"] == [2]

    search.append(JobStarted(Resume(0, 4), at=10.0))  # promoted
    search.report(0, (3, 4), 0.6)
    search.append(Ended(1, Status.STOPPED, "", at=11.0), Ended(0, Status.COMPLETED, "", at=12.0))
    promoted, pruned = study.trials
    assert promoted.state is TrialState.COMPLETE and promoted.user_attrs["rungs"] == [2, 4]
    assert promoted.intermediate_values[4] == promoted.value == pytest.approx(0.15)
    assert pruned.state is TrialState.PRUNED and pruned.params == {"x": pytest.approx(0.1)}
    assert study.best_trial.number == 0 and study.best_value == pytest.approx(0.15)
    assert (promoted.datetime_complete - promoted.datetime_start).total_seconds() == 12.0

    # A larger budget resumes a trial that was stopped: Optuna's own storages could not.
    search.append(JobStarted(Resume(1, 4), at=20.0))
    search.report(1, (2, 3), 0.03)
    assert states(storage) == [TrialState.COMPLETE, TrialState.RUNNING]
    search.append(Ended(1, Status.STOPPED, "", at=21.0))
    assert study.best_trial.number == 1  # the best is COMPLETE even if it was stopped
    search.start(2, 2, (), 1.0)
    search.append(Ended(2, Status.FAILED, "", Failure("nan", "the loss is NaN", ""), at=22.0))
    assert states(storage)[2] is TrialState.FAIL
    assert "nan: the loss is NaN" in study.trials[2].user_attrs["error"]


def test_only_trials_that_changed_are_made_anew(tmp_path, begin):
    search = begin(tmp_path / "one")
    for trial in range(4):
        search.start(trial, 2, (1,), 1.0 + trial)
    storage = MirrorStorage(tmp_path / "one")
    before = storage.get_all_trials(0)
    search.report(2, (2,), 3.0)
    after = storage.get_all_trials(0)
    assert [a is b for a, b in zip(before, after)] == [True, True, False, True]
    assert storage.get_trial(after[2]._trial_id) is after[2]
    assert storage.get_n_trials(0) == 4 and len(before[2].intermediate_values) == 1


def test_a_folder_of_studies_with_several_objectives_and_one_that_begins_later(tmp_path, begin):
    first = begin(tmp_path / "runs/a", TWO)
    first.start(0, 1, (1,), 1.0, {"val_accuracy": 0.9, "size": 10.0})
    first.append(Ended(0, Status.COMPLETED, "", at=2.0))
    storage = MirrorStorage(tmp_path / "runs")
    assert optuna.get_all_study_names(storage) == ["a"]
    begin(tmp_path / "runs/later/b").start(0, 1, (1,), 1.0)
    assert optuna.get_all_study_names(storage) == ["a", "later/b"]
    study = optuna.load_study(study_name="a", storage=storage)
    assert study.metric_names == ["val_accuracy", "size"]
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [trial.values for trial in study.best_trials] == [[0.9, 10.0]]
    assert study.user_attrs["kerashpo tuner"] == "ASHA"
    other = optuna.load_study(study_name="later/b", storage=storage)
    assert other.trials[0]._trial_id != study.trials[0]._trial_id


def test_a_search_that_began_again_replaces_what_was_shown(tmp_path, begin):
    search = begin(tmp_path / "one")
    for trial in range(3):
        search.start(trial, 2, (1,), 1.0)
    storage = MirrorStorage(tmp_path)
    assert len(states(storage)) == 3
    search.store.close()
    shutil.rmtree(tmp_path / "one")
    assert len(states(storage)) == 3  # gone: what was read remains
    begin(tmp_path / "one").start(0, 2, (1,), 1.0)
    assert len(states(storage)) == 1


def test_the_mirror_changes_nothing(tmp_path, begin):
    begin(tmp_path / "one").start(0, 2, (1,), 1.0)
    before = (tmp_path / "one" / LOG_NAME).read_bytes()
    storage = MirrorStorage(tmp_path)
    study = optuna.load_study(study_name="one", storage=storage)
    for change in (
        study.ask,
        lambda: study.set_user_attr("a", 1),
        lambda: storage.delete_study(0),
        lambda: storage.set_trial_user_attr(0, "a", 1),
        lambda: optuna.create_study(storage=storage),
    ):
        with pytest.raises(InvalidInput, match="mirror of kerashpo's studies"):
            change()
    storage.set_study_system_attr(0, "dashboard:note_ver", 1)  # a note, for as long as it lasts
    assert storage.get_study_system_attrs(0)["dashboard:note_ver"] == 1
    assert (tmp_path / "one" / LOG_NAME).read_bytes() == before
    with pytest.raises(StudyNotFound, match="no study in or below"):
        MirrorStorage(tmp_path / "one" / "deeper")
    for missing in (lambda: storage.get_trial(99), lambda: storage.get_study_directions(5)):
        with pytest.raises(KeyError):
            missing()


def get(server, path):
    address = f"http://localhost:{server.server_port}{path}"
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read()


def test_the_dashboard_follows_a_search(tmp_path, begin):
    pytest.importorskip("optuna_dashboard")
    from kerashpo.export.dashboard import open_dashboard

    search = begin(tmp_path / "asha", TWO)
    search.start(0, 2, (1,), 1.0, {"val_accuracy": 0.5, "size": 3.0})
    with open_dashboard(tmp_path, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        studies = json.loads(get(server, "/api/studies"))["study_summaries"]
        assert [one["study_name"] for one in studies] == ["asha"]
        assert b"<html" in get(server, "/dashboard").lower()
        details = json.loads(get(server, "/api/studies/0"))
        assert [one["state"] for one in details["trials"]] == ["Running"]
        assert details["objective_names"] == ["val_accuracy", "size"]
        taken = server.server_port
        with pytest.raises(InvalidInput, match=f"Cannot listen at localhost:{taken}.*--port 0"):
            open_dashboard(tmp_path, port=taken)
        server.shutdown()


def test_the_command_names_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("kerashpo.core.requirements.find_spec", lambda name: None)
    assert main(["dashboard", str(tmp_path)]) == 2
    assert 'pip install "kerashpo[dashboard]"' in capsys.readouterr().err
    assert main(["dashboard", str(tmp_path), "--port", "-1"]) == 2
    assert "--port must be a whole number" in capsys.readouterr().err
