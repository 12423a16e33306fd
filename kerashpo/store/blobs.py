"""Blobs: checkpoints and weights as bytes under keys, in memory or in files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal, NamedTuple, cast, final

from kerashpo.core.errors import InvalidInput
from kerashpo.store.base import Blobs
from kerashpo.store.disk_full import disk_full, is_full

_FOREIGN = frozenset("\\:\0")
"""Path separators of other systems, and characters that end a name on this one."""


@final
class MemoryBlobs(Blobs):
    """Stores bytes in a dict."""

    def __init__(self) -> None:
        self._data: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        self._data[key] = data

    def get(self, key: str) -> bytes | None:
        return self._data.get(key)

    def free(self, key: str) -> None:
        self._data.pop(key, None)

    def stored(self, under: str = "") -> tuple[str, ...]:
        prefix = f"{under}/" if under else ""
        return tuple(key for key in self._data if key.startswith(prefix))


@final
class FileBlobs(Blobs):
    """Stores each key as a file in a folder, replaced atomically."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        temporary = self._temporary(path)
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

    def stored(self, under: str = "") -> tuple[str, ...]:
        folder = self._path(under) if under else self.folder
        start = len(str(self.folder)) + 1
        return tuple(
            sorted(
                f"{place}{os.sep}{name}"[start:].replace(os.sep, "/")
                for place, _, names in os.walk(folder)
                for name in names
            )
        )

    def copy(self, source: str, target: str) -> bool:
        """See `Blobs.copy`. A hard link if the file system has them: it needs no space."""
        path = self._path(target)
        temporary = self._temporary(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stay_inside(path)
            os.link(self._path(source), temporary)
            os.replace(temporary, path)
        except FileNotFoundError:
            return False
        except OSError:
            return super().copy(source, target)
        finally:
            temporary.unlink(missing_ok=True)
        return True

    @staticmethod
    def _temporary(path: Path) -> Path:
        return path.with_name(f"{path.name}.{os.getpid()}.tmp")

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not all(
            part and part not in (".", "..") and _FOREIGN.isdisjoint(part) for part in parts
        ):
            raise InvalidInput(f"A checkpoint's key must stay in its folder. Received: {key!r}.")
        return self.folder.joinpath(*parts)

    def _stay_inside(self, path: Path) -> None:
        """Refuses a checkpoint folder that is a symbolic link out of the study's folder."""
        home = self.folder.resolve()
        if not path.parent.resolve().is_relative_to(home):
            raise InvalidInput(
                f"{str(path.parent)!r} is a link that leads out of the study's folder. Remove it, "
                "or put the study where there is room: directory=... of a tuner."
            )


def _write(path: Path, data: bytes) -> None:
    """Writes a file and syncs it to the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


Kind = Literal["checkpoint", "origin", "best"]

_KEY = re.compile(r"(\d+)/(checkpoint|origin|best)-(\d+)(?:-(\d+))?\.npz")
_CUT_SHORT = re.compile(rf"{_KEY.pattern}\.\d+\.tmp")


class Key(NamedTuple):
    """What a key refers to: a run's checkpoint, the origin of a fork, or its best weights.

    Attributes:
        epoch: the epoch after which a checkpoint was made; None for the others.
    """

    trial: int
    kind: Kind
    run: int
    epoch: int | None = None


def checkpoint_key(trial: int, run: int, epoch: int) -> str:
    """Returns the key of a run's checkpoint after `epoch`."""
    return f"{trial}/checkpoint-{run}-{epoch}.npz"


def origin_key(trial: int, run: int = 0) -> str:
    """Returns the key of the parent's checkpoint that a forked trial's run starts from."""
    return f"{trial}/origin-{run}.npz"


def best_key(trial: int, run: int = 0) -> str:
    """Returns the key of the weights of a run's best epoch."""
    return f"{trial}/best-{run}.npz"


def read_key(key: str) -> Key | None:
    """Parses a key; None for a file that is not ours."""
    match = _KEY.fullmatch(key)
    if match is None or (match[2] == "checkpoint") != (match[4] is not None):
        return None
    epoch = None if match[4] is None else int(match[4])
    return Key(int(match[1]), cast(Kind, match[2]), int(match[3]), epoch)


def is_cut_short(key: str) -> bool:
    """Whether a file was left incomplete by a killed process."""
    return _CUT_SHORT.fullmatch(key) is not None
