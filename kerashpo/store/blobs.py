"""Checkpoints: bytes under keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import final

from kerashpo.core.errors import InvalidInput
from kerashpo.store.base import Blobs


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

    def size(self) -> int:
        return sum(len(data) for data in self._data.values())


@final
class FileBlobs(Blobs):
    """Keeps each key as a file below a folder, replaced atomically."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def free(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def size(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not all(part and part not in (".", "..") and "\\" not in part for part in parts):
            raise InvalidInput(f"A checkpoint's key must stay in its folder. Received: {key!r}.")
        return self.folder.joinpath(*parts)
