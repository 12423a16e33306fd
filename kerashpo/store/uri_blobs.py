"""Checkpoints under a URL of fsspec: object stores and other file systems."""

from __future__ import annotations

from typing import Any, final

from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.store.base import Blobs


@final
class UriBlobs(Blobs):
    """Stores each key as a file below a URL such as ``s3://bucket/path``.

    Object stores replace a file as a whole. What a killed process leaves half written on another
    file system is detected when it is read, as any damaged checkpoint is.

    Args:
        url: the URL; what fsspec needs for it (s3fs, gcsfs ...) must be installed.

    Raises:
        MissingExtra: if fsspec, or what it needs for this URL, is not installed.
        InvalidInput: if there is no file system of that name.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._files, self._root = _file_system(self.url)

    def __reduce__(self) -> tuple[Any, ...]:
        return UriBlobs, (self.url,)

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(path, data)

    def get(self, key: str) -> bytes | None:
        try:
            data: bytes = self._files.cat_file(self._path(key))
        except FileNotFoundError:
            return None
        return data

    def free(self, key: str) -> None:
        try:
            self._files.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def stored(self, under: str = "") -> tuple[str, ...]:
        folder = self._path(under) if under else self._root
        # What other machines wrote meanwhile is not in this process's listing.
        self._files.invalidate_cache()
        try:
            found = self._files.find(folder)
        except FileNotFoundError:
            return ()
        return tuple(sorted(path.removeprefix(self._root).lstrip("/") for path in found))

    def _path(self, key: str) -> str:
        parts = key.split("/")
        if not all(part and part not in (".", "..") for part in parts):
            raise InvalidInput(f"A checkpoint's key must stay in its folder. Received: {key!r}.")
        return "/".join([self._root, *parts])


def _file_system(url: str) -> tuple[Any, str]:
    """Returns the file system of a URL, and the path in it."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtra(
            f'Checkpoints at {url!r} need fsspec. Install it: pip install "kerashpo[ray]"'
        ) from error
    try:
        files, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise MissingExtra(f"Checkpoints at {url!r} need a further package: {error}") from error
    except ValueError as error:
        raise InvalidInput(f"Checkpoints cannot be stored at {url!r}: {error}") from error
    return files, str(root).rstrip("/")
