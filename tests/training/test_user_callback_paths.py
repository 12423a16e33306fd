"""Each trial's callbacks write into a folder of their own."""

from __future__ import annotations

import csv

import keras
import pytest

from kerashpo.store.blobs import MemoryBlobs
from kerashpo.training.user_callbacks import give_place
from tests.helpers.training_rig import Rig


def epochs(path):
    with path.open() as file:
        return [row["epoch"] for row in csv.DictReader(file)]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_files_of_two_trials_do_not_meet(tmp_path):
    callbacks = [
        keras.callbacks.CSVLogger(tmp_path / "logs" / "epochs.csv"),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_weights_only=True),
    ]
    rig = Rig(callbacks=callbacks)
    for trial in (0, 3):
        rig.start(4, trial)
        rig.runner.free(trial)
    for trial in (0, 3):
        log = tmp_path / "logs" / f"{trial}" / "execution0" / "epochs.csv"
        assert epochs(log) == ["0", "1", "2", "3"]
        assert (tmp_path / f"{trial}" / "execution0" / "best.weights.h5").exists()
    assert not (tmp_path / "logs" / "epochs.csv").exists()


def test_a_log_continues_in_another_process(tmp_path):
    blobs, logger = MemoryBlobs(), lambda: keras.callbacks.CSVLogger(tmp_path / "epochs.csv")
    first = Rig(callbacks=[logger], blobs=blobs)
    first.start(2)
    first.live().callbacks[0].wrapped.csv_file.close()
    again = Rig(callbacks=[logger], blobs=blobs)
    again.resume(4)
    again.runner.free(0)
    log = tmp_path / "0" / "execution0" / "epochs.csv"
    assert epochs(log) == ["0", "1", "2", "3"]


def test_every_execution_has_its_own_folder_of_tensorboard(tmp_path):
    board = keras.callbacks.TensorBoard(str(tmp_path))
    give_place(board, 2, run=1)
    assert board.log_dir == str(tmp_path / "2" / "execution1")


def test_every_path_of_a_backup_moves(tmp_path):
    backup = keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))
    give_place(backup, 1)
    own = str(tmp_path / "backup" / "1" / "execution0")
    paths = [v for v in vars(backup).values() if isinstance(v, str) and str(tmp_path) in v]
    assert backup.backup_dir == own
    assert len(paths) > 2 and all(path.startswith(own) for path in paths)


def test_other_callbacks_are_left_alone(tmp_path):
    stopping = keras.callbacks.EarlyStopping("val_loss")
    before = dict(vars(stopping))
    give_place(stopping, 1)
    assert vars(stopping) == before
