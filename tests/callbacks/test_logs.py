"""What the logs of a search hold, read back by their own readers."""

from __future__ import annotations

import csv
import importlib.util
import logging
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest

import kerashpo as kt
from kerashpo.callbacks import CSVLog, MLflowLog, TensorBoardLog, WandbLog
from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.core.history import History

SPACE = kt.Space({"x": kt.space.uniform(0, 1), "kind": kt.space.choice(["a", "b"])})


def loss(config):
    if config["x"] > 0.7:
        raise ValueError("too far")
    return config["x"]


def search(*listeners, folder=None, trials=6):
    return kt.optimize(
        loss, SPACE, algorithm="random", max_trials=trials, seed=0, directory=folder,
        listeners=listeners,
    )  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_holds_what_the_curves_hold(tmp_path):
    path = tmp_path / "new" / "epochs.csv"
    results = search(CSVLog(path))
    ours = pd.read_csv(path)
    assert set(ours["run"]) == {0}
    pd.testing.assert_frame_equal(
        ours.drop(columns="run").sort_values("trial", ignore_index=True), results.curves()
    )


def test_csv_of_a_search_that_continued_reports_the_whole_study(tmp_path):
    path = tmp_path / "epochs.csv"
    search(CSVLog(path), folder=tmp_path / "study", trials=3)
    first = rows(path)
    search(CSVLog(path), folder=tmp_path / "study", trials=6)
    assert rows(path)[: len(first)] == first
    assert len(rows(path)) > len(first)


def test_csv_needs_a_file_not_a_folder(tmp_path):
    with pytest.raises(InvalidInput, match=r"expects the path of a file.*Pass e\.g\."):
        CSVLog(tmp_path)


def records(folder: Path, trial: int) -> list:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    (file,) = (folder / f"trial-{trial:04d}").iterdir()
    return list(LegacyEventFileLoader(str(file)).Load())


def test_tensorboard_reads_scalars_and_hparams(tmp_path):
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    results = search(TensorBoardLog(tmp_path, clock=lambda: 1e9))
    head, start, scalar, end = records(tmp_path, 0)
    trial = results.history.trials[0]
    assert head.file_version == "brain.Event:2"
    content = start.summary.value[0].metadata.plugin_data.content
    info = metadata.parse_session_start_info_plugin_data(content)
    assert info.hparams["x"].number_value == trial.config["x"]
    assert info.hparams["kind"].string_value in ("a", "b")
    assert (scalar.step, scalar.summary.value[0].tag) == (1, "value")
    assert scalar.summary.value[0].simple_value == pytest.approx(trial.score)
    over = metadata.parse_session_end_info_plugin_data(
        end.summary.value[0].metadata.plugin_data.content
    )
    assert isinstance(over, plugin_data_pb2.SessionEndInfo) and over.end_time_secs == 1e9


def test_tensorboard_distinguishes_failures_from_successes(tmp_path):
    from tensorboard.plugins.hparams import api_pb2, metadata

    results = search(TensorBoardLog(tmp_path), trials=12)
    assert 0 < results.history.failed < 12
    for trial in results.history.trials.values():
        content = records(tmp_path, trial.number)[-1].summary.value[0].metadata.plugin_data.content
        status = metadata.parse_session_end_info_plugin_data(content).status
        failed = trial.failure is not None
        assert status == (api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS)


def test_tensorboard_starts_again_with_the_search_and_continues_with_it(tmp_path):
    logs, study = tmp_path / "logs", tmp_path / "study"
    search(TensorBoardLog(logs), folder=study, trials=3)
    mine = logs / "trial-0000" / "mine.txt"
    mine.write_text("not kerashpo's")
    search(TensorBoardLog(logs), folder=study, trials=5)
    assert sorted(p.name for p in logs.iterdir()) == [f"trial-000{i}" for i in range(5)]
    search(TensorBoardLog(logs), trials=2)
    assert len(list(logs.glob("*/events.*"))) == 2
    assert mine.exists()


class Client:
    """The part of MlflowClient that is used, on lists."""

    def __init__(self) -> None:
        self.runs, self.calls = [], []

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        return f"experiment {name}"

    def search_runs(self, places, query):
        study = query.split("'")[1]
        return [run for run in self.runs if run.data.tags["kerashpo.study"] == study]

    def create_run(self, place, tags, run_name):
        self.runs.append(_Run(str(len(self.runs)), tags, run_name))
        return self.runs[-1]

    def __getattr__(self, name):
        return lambda run, *given, **named: self.calls.append((name, run, *given, *named.values()))


class _Run:
    def __init__(self, run_id, tags, name):
        self.info = type("Info", (), {"run_id": run_id})
        self.data = type("Data", (), {"tags": tags})
        self.name = name


def test_mlflow_has_a_run_for_the_search_and_one_for_each_trial(tmp_path):
    client = Client()
    log = MLflowLog("lab", client=client, clock=lambda: 2.0)
    results = search(log, folder=tmp_path / "study", trials=3)
    parent, *trials = client.runs
    assert "kerashpo.trial" not in parent.data.tags
    assert [run.data.tags["mlflow.parentRunId"] for run in trials] == ["0"] * 3
    config = results.history.trials[0].config
    assert ("log_param", "1", "x", config["x"]) in client.calls
    assert ("log_metric", "1", "value", results.history.trials[0].score, 2000, 1) in client.calls
    assert ("set_tag", "1", "kerashpo.status", "COMPLETED") in client.calls
    assert ("log_metric", "0", "best_value", results.best.score) in client.calls
    assert client.calls[-1] == ("set_terminated", "0", "FINISHED")


def test_mlflow_continues_in_the_same_runs(tmp_path):
    client = Client()
    search(MLflowLog(client=client), folder=tmp_path / "study", trials=2)
    search(MLflowLog(client=client), folder=tmp_path / "study", trials=4)
    names = [run.name for run in client.runs]
    assert names[1:] == [f"trial-000{i}" for i in range(4)]
    search(MLflowLog(client=client), trials=2)
    assert len(client.runs) == 5 + 3


@pytest.mark.filterwarnings("ignore:.*noload:DeprecationWarning")  # SQLAlchemy's, of MLflow
def test_mlflow_s_own_store(tmp_path):
    """Runs where mlflow is installed; elsewhere the client above stands for it."""
    mlflow = pytest.importorskip("mlflow")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    results = search(MLflowLog("lab", address), folder=tmp_path / "study", trials=3)
    client = mlflow.MlflowClient(tracking_uri=address)
    place = client.get_experiment_by_name("lab").experiment_id
    runs = client.search_runs([place], "tags.`kerashpo.trial` = '1'")
    (metric,) = client.get_metric_history(runs[0].info.run_id, "value")
    assert (metric.value, metric.step) == (results.history.trials[1].score, 1)
    assert len(client.search_runs([place])) == 4


class WandbRun:
    """The part of a wandb run that is used, on lists."""

    made: ClassVar[list] = []

    def __init__(self, **given):
        self.given, self.rows, self.summary, self.ended = given, [], {}, []
        WandbRun.made.append(self)

    def log(self, row):
        self.rows.append(row)

    def finish(self, exit_code=None):
        self.ended.append(exit_code)


def test_wandb_has_a_run_for_each_trial_that_a_resumed_search_continues(tmp_path):
    WandbRun.made.clear()
    results = search(WandbLog("lab", init=WandbRun), folder=tmp_path / "study", trials=12)
    runs, history = list(WandbRun.made), results.history
    assert [run.given["name"] for run in runs] == [f"trial-{i:04d}" for i in range(12)]
    assert len({run.given["group"] for run in runs}) == 1 and runs[0].given["project"] == "lab"
    for run, trial in zip(runs, history.trials.values()):
        assert run.given["config"] == dict(trial.config | {"kind": run.given["config"]["kind"]})
        assert run.given["config"]["kind"] in ("a", "b")
        if trial.failure is None:
            assert run.rows == [
                {"epoch": 1, "seconds": run.rows[0]["seconds"], "value": trial.score}
            ]
            assert run.summary["best_value"] == trial.score and run.ended == [0]
        else:
            assert "too far" in run.summary["error"] and run.ended == [1]
        assert run.summary["status"] == trial.status.value
    assert history.failed
    ids = [run.given["id"] for run in runs]
    search(WandbLog("lab", init=WandbRun), folder=tmp_path / "study", trials=14)
    more = WandbRun.made[12:]
    assert len(more) == 2 and more[0].given["id"][:16] == ids[0][:16]
    assert more[0].given["group"] == runs[0].given["group"]
    with pytest.raises(InvalidInput, match="mode must be one of online, offline"):
        WandbLog(mode="of")


def test_wandb_keeps_paused_trials_open_and_logs_every_objective(tmp_path):
    WandbRun.made.clear()

    class Curves:
        space, direction, max_epochs = SPACE, "min", 9

        def evaluate(self, config, epoch):
            return {"loss": config["x"] / epoch, "mae": config["x"]}, float(epoch)

    found = kt.simulate(Curves(), tuner="hyperband", objective=["loss", "mae"], seed=0)
    log = WandbLog(init=WandbRun)
    history = History()
    for event in found._log():
        history.apply(event)
        log.on_event(event, history)
    assert len(WandbRun.made) == len(history.trials)
    promoted = [t for t in history.trials.values() if len(t.targets) > 1]
    assert promoted
    for trial in promoted:
        run = WandbRun.made[trial.number]
        assert [row["epoch"] for row in run.rows] == list(range(1, trial.epoch + 1))
        assert run.summary["best_mae"] == trial.metrics_at_best()["mae"]
    assert all(len(run.ended) == 1 for run in WandbRun.made)


@pytest.mark.extras
def test_wandb_offline_writes_its_own_files(tmp_path):
    """Runs where wandb is installed; elsewhere the run above stands for it."""
    wandb = pytest.importorskip("wandb")
    results = search(WandbLog("lab", mode="offline", folder=tmp_path), trials=3)
    assert wandb.run is None
    files = sorted(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))
    assert len(files) == len(results) == 3
    body = files[0].read_bytes()
    assert b"best_value" in body and b"COMPLETED" in body and b"optimize-" in body
    assert str(results.history.trials[0].score)[:12].encode() in body


@pytest.mark.parametrize(
    ("make", "package"),
    [(lambda: TensorBoardLog("logs"), "tensorboard"), (MLflowLog, "mlflow"), (WandbLog, "wandb")],
    ids=["tensorboard", "mlflow", "wandb"],
)
def test_an_absent_package_names_its_extra(make, package, monkeypatch):
    found = importlib.util.find_spec
    absent = lambda name: None if name == package else found(name)
    monkeypatch.setattr("kerashpo.core.requirements.find_spec", absent)
    with pytest.raises(MissingExtra, match=rf'pip install "kerashpo\[{package}\]"'):
        make()


class Plain:
    """A listener that knows nothing of kerashpo."""

    def __init__(self, breaks: bool = False) -> None:
        self.received, self.breaks, self.closed = 0, breaks, 0

    def on_event(self, event, snapshot):
        self.received += 1
        if self.breaks:
            raise RuntimeError("mine broke")

    def close(self):
        self.closed += 1


def test_any_object_with_on_event_listens_and_one_that_breaks_is_reported_once(caplog):
    broken, plain = Plain(breaks=True), Plain()
    with caplog.at_level(logging.ERROR, "kerashpo"):
        results = search(broken, plain)
    assert len(results) == 6
    assert broken.received == 1 and plain.received > 12
    assert len(caplog.records) == 1 and "mine broke" in caplog.text
    assert (broken.closed, plain.closed) == (1, 1)


@pytest.mark.parametrize("given", [[len], [Plain], "log.csv", 7])
def test_what_cannot_listen_is_refused(given):
    with pytest.raises(InvalidInput, match=r"must be objects with a method on_event"):
        kt.optimize(loss, SPACE, max_trials=1, listeners=given)


def test_a_misspelt_log_gets_the_nearest_one():
    with pytest.raises(AttributeError, match="Did you mean 'CSVLog'"):
        _ = kt.callbacks.CsvLog
    assert "CSVLog" in dir(kt.callbacks)
