"""`TensorBoardLog`: a logger with a TensorBoard run for each trial, its values in HParams."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, final

from kerashpo.core.events import Ended, Event, JobStarted, Reported, SessionStarted
from kerashpo.core.history import History
from kerashpo.core.listener import Listener
from kerashpo.core.records import Start, Status
from kerashpo.core.requirements import require_package
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space

_FILE = "events.out.tfevents.0.kerashpo"


@final
class TensorBoardLog(Listener):
    """Logger that writes event files for ``tensorboard --logdir FOLDER``, without TensorFlow.

    Each trial is a run ``trial-0007`` whose step is the epoch. A promoted or resumed trial
    continues in its own file; a new search in the same folder replaces the files of the previous
    one.

    Args:
        folder: the folder of the event files.
        clock: returns the Unix time.

    Raises:
        MissingExtra: if tensorboard is not installed.
    """

    def __init__(self, folder: str | Path, clock: Callable[[], float] = time.time) -> None:
        require_package("tensorboard", "TensorBoardLog")
        self.folder, self._clock = Path(folder), clock

    def on_event(self, event: Event, snapshot: History) -> None:
        match event:
            case SessionStarted() if not snapshot.trials:
                for old in self.folder.glob(f"trial-*/{_FILE}"):
                    old.unlink()
            case JobStarted(job=Start(trial=trial)):
                self._begin(trial, snapshot)
            case Reported(report):
                values = {name: float(value) for name, value in report.metrics.items()}
                step = report.epoch
                self._append(report.trial, _scalars(values, report.run), step)
            case Ended(trial, status):
                record = snapshot.trials[trial]
                self._append(trial, _ended(status, self._clock()), record.epoch)

    def _begin(self, number: int, history: History) -> None:
        path = self._path(number)
        if path.exists():
            return  # a retry of the same trial
        path.parent.mkdir(parents=True, exist_ok=True)
        trial = history.trials[number]
        values = Space.from_json(history.space).realise(trial.config)
        self._append(number, None, 0)
        self._append(number, _started(trial, values, self._clock()), 0)

    def _append(self, trial: int, summary: Any, step: int) -> None:
        """Appends one record; for a summary of None the header with which every file begins."""
        from tensorboard.compat.proto.event_pb2 import Event as Record
        from tensorboard.summary.writer.record_writer import RecordWriter

        now = self._clock()
        if summary is None:
            record = Record(wall_time=now, file_version="brain.Event:2")
        else:
            record = Record(wall_time=now, step=step, summary=summary)
        with open(self._path(trial), "ab") as file:
            RecordWriter(file).write(record.SerializeToString())

    def _path(self, trial: int) -> Path:
        return self.folder / f"trial-{trial:04d}" / _FILE


def _scalars(metrics: Mapping[str, float], run: int) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    names = {name: f"{name}/run-{run}" if run else name for name in metrics}
    values = [Summary.Value(tag=names[n], simple_value=value) for n, value in metrics.items()]
    return Summary(value=values)


def _started(trial: Trial, values: Mapping[str, Any], now: float) -> Any:
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    info = plugin_data_pb2.SessionStartInfo(
        group_name=f"trial-{trial.number:04d}", start_time_secs=now
    )
    for name, value in values.items():
        slot = info.hparams[name]
        if isinstance(value, bool):
            slot.bool_value = value
        elif isinstance(value, (int, float)) and math.isfinite(value):
            slot.number_value = value
        else:
            slot.string_value = str(value)
    data = plugin_data_pb2.HParamsPluginData(session_start_info=info)
    return _hparams(metadata.SESSION_START_INFO_TAG, data)


def _ended(status: Status, now: float) -> Any:
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    failed = status is Status.FAILED
    outcome = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    info = plugin_data_pb2.SessionEndInfo(status=outcome, end_time_secs=now)
    data = plugin_data_pb2.HParamsPluginData(session_end_info=info)
    return _hparams(metadata.SESSION_END_INFO_TAG, data)


def _hparams(tag: str, data: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata

    about = metadata.create_summary_metadata(data)
    return Summary(value=[Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR)])
