"""Serialises an object for other processes: code by value, arrays in a memory-mapped file.

Functions of a notebook, of ``__main__`` and lambdas are pickled by value (cloudpickle). Large
buffers stay out of the pickle (protocol 5, PEP 574): they are written once, and each
process maps the same pages, which are copied only on write.
"""

from __future__ import annotations

import contextlib
import mmap
import pickle
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from kerashpo.core.errors import InvalidInput

_ALIGNMENT = 64
"""Alignment in bytes, the strictest that vector instructions require."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A serialised object.

    Attributes:
        body: its pickle without the buffers.
        path: the file with the buffers, None if there are none.
        spans: offset and length of each buffer, in bytes.
    """

    body: bytes
    path: str | None
    spans: tuple[tuple[int, int], ...]


def pack(value: Any, parts: Mapping[str, Any] | None = None) -> Packed:
    """Serialises an object for other processes.

    Args:
        value: the object.
        parts: its parts under names that a user knows, for the error.

    Raises:
        InvalidInput: if a part cannot be pickled, with its name.
    """
    buffers: list[pickle.PickleBuffer] = []
    try:
        body = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    except Exception as error:  # pickling a user's object can raise anything
        raise unsendable(parts or {}, error) from error
    if not buffers:
        return Packed(body, None, ())
    path, spans = _write([buffer.raw() for buffer in buffers])
    return Packed(body, path, spans)


def unpack(packed: Packed) -> Any:
    """Deserialises the object; its arrays share the mapped file's pages."""
    if packed.path is None:
        return pickle.loads(packed.body)
    with open(packed.path, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    return pickle.loads(packed.body, buffers=[mapped[at : at + n] for at, n in packed.spans])


def discard(packed: Packed) -> None:
    """Deletes the file; processes that have mapped it keep its pages."""
    if packed.path is not None:
        # Windows cannot delete a file that a process still maps.
        with contextlib.suppress(OSError):
            Path(packed.path).unlink(missing_ok=True)


def _write(buffers: list[memoryview]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Writes buffers to a new file; returns its path, and the span of each buffer."""
    spans = []
    with ExitStack() as undo:
        try:
            file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it is used after this function
                prefix="kerashpo-", suffix=".arrays", delete=False
            )
            undo.callback(Path(file.name).unlink)
            with file:
                for buffer in buffers:
                    file.write(b"\0" * (-file.tell() % _ALIGNMENT))
                    spans.append((file.tell(), buffer.nbytes))
                    file.write(buffer)
                file.write(b"\0")  # an empty file cannot be mapped
        except OSError as error:
            raise InvalidInput(
                f"The training arrays cannot be written to {tempfile.gettempdir()!r}, where "
                f"workers read them: {error}. Free some space, point TMPDIR elsewhere, or use "
                "workers=1."
            ) from error
        undo.pop_all()
    return file.name, tuple(spans)


def unsendable(parts: Mapping[str, Any], error: Exception) -> InvalidInput:
    """Returns the error for an object that cannot be pickled, with the name of its part.

    Args:
        parts: parts of the object under names that a user knows.
        error: what pickling the whole raised.
    """
    guilty, why = "what is trained", error
    for name, part in parts.items():
        try:
            cloudpickle.dumps(part, protocol=5, buffer_callback=lambda buffer: False)
        except Exception as reason:
            guilty, why = name, reason
            break
    return InvalidInput(
        f"Workers are other processes, and {guilty} cannot be sent there: "
        f"{type(why).__name__}: {str(why).rstrip('. ')}. Make what it holds inside the function "
        "that uses it, pass data as arrays or as a keras.utils.PyDataset, or train in this "
        "process: workers=1, without deterministic, trial_timeout and max_worker_memory."
    )
