"""Checkpoints: bytes under keys."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, NamedTuple, cast, final

from kerashpo.core.errors import InvalidInput
from kerashpo.store.base import Blobs
from kerashpo.store.disk_full import disk_full, is_full

_FOREIGN = frozenset("\\:\0")
"""What separates folders on other systems, and what ends a name on this one."""


@final
class MemoryBlobs(Blobs):
    """Keeps bytes in a dict."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        self._data[key] = data

    def get(self, key: str) -> bytes | None:
        return self._data.get(key)

    def free(self, key: str) -> None:
        self._data.pop(key, None)

    def stored(self) -> tuple[str, ...]:
        return tuple(self._data)


@final
class FileBlobs(Blobs):
    """Keeps each key as a file below a folder, replaced atomically."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stay_inside(path)
            _write(temporary, data)
            os.replace(temporary, path)
        except OSError as error:
            if is_full(error):
                raise disk_full(path, error) from error
            raise
        finally:
            temporary.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def free(self, key: str) -> None:
        path = self._path(key)
        self._stay_inside(path)
        path.unlink(missing_ok=True)

    def stored(self) -> tuple[str, ...]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return tuple(sorted(path.relative_to(self.folder).as_posix() for path in files))

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not all(
            part and part not in (".", "..") and _FOREIGN.isdisjoint(part) for part in parts
        ):
            raise InvalidInput(f"A checkpoint's key must stay in its folder. Received: {key!r}.")
        return self.folder.joinpath(*parts)

    def _stay_inside(self, path: Path) -> None:
        """Refuses a folder of a checkpoint that is a link to somewhere else."""
        home = self.folder.resolve()
        if not path.parent.resolve().is_relative_to(home):
            raise InvalidInput(
                f"{str(path.parent)!r} is a link that leads out of the study's folder. Remove it, "
                "or put the study where there is room: directory=... of a tuner."
            )


def _write(path: Path, data: bytes) -> None:
    """Writes a file through to the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


_KEY = re.compile(r"(\d+)/(checkpoint|best)-(\d+)\.npz")
_CUT_SHORT = re.compile(rf"{_KEY.pattern}\.\d+\.tmp")


class Key(NamedTuple):
    """What a key names: the checkpoint or the best weights of one run of a trial."""

    trial: int
    kind: Literal["checkpoint", "best"]
    run: int


def checkpoint_key(trial: int, run: int = 0) -> str:
    """Returns the key of a run's checkpoint."""
    return f"{trial}/checkpoint-{run}.npz"


def best_key(trial: int, run: int = 0) -> str:
    """Returns the key of the weights of a run's best epoch."""
    return f"{trial}/best-{run}.npz"


def read_key(key: str) -> Key | None:
    """Returns what a key names, None for a file that is none of ours."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    kind = cast(Literal["checkpoint", "best"], match[2])
    return Key(int(match[1]), kind, int(match[3]))


def is_cut_short(key: str) -> bool:
    """Tells whether a file is what a killed process had begun to write."""
    return _CUT_SHORT.fullmatch(key) is not None


LOG_NAME = "study.jsonl"
CHECKPOINTS = "checkpoints"
