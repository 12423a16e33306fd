"""Serialises the factory of a runner for other machines: code, arrays and local modules.

The checkpoints' folder is not on those machines: references to it are replaced, when the recipe
is read there, by checkpoints that are reachable from there.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cloudpickle
import numpy as np

from kerashpo.executors.base import Runner
from kerashpo.executors.processes.pickling import unsendable
from kerashpo.executors.remote.sources import Sources, make_importable, project_sources
from kerashpo.store.base import Blobs

_CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a worker on another machine needs to build its runner.

    Attributes:
        body: the pickle of the runner's factory, without large arrays.
        arrays: those arrays' bytes (uint8), which Ray's object store shares.
        sources: the modules of the user's project.
    """

    body: bytes
    arrays: tuple[np.ndarray, ...]
    sources: Sources

    @property
    def size(self) -> int:
        """Bytes of it."""
        return len(self.body) + sum(array.nbytes for array in self.arrays)


def write_recipe(
    make: Callable[[], Runner], parts: Mapping[str, Any], local: Blobs | None
) -> Recipe:
    """Serialises a runner's factory.

    Args:
        make: the factory.
        parts: parts of it under names that a user knows, for the error.
        local: checkpoints that only this machine reaches; None if there are none.

    Raises:
        InvalidInput: if a part cannot be pickled, with its name.
    """
    file = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    try:
        _RecipePickler(file, buffers, local).dump(make)
    except Exception as error:  # pickling a user's object can raise anything
        raise unsendable(parts, error) from error
    arrays = tuple(np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers)
    return Recipe(file.getvalue(), arrays, project_sources())


def read_recipe(recipe: Recipe, blobs: Blobs | None) -> Callable[[], Runner]:
    """Deserialises a runner's factory on the worker's machine.

    The arrays are copied: those of an object store are read-only, and training may write to its
    own, as it may in this process.

    Args:
        recipe: what `write_recipe` returned.
        blobs: the checkpoints as this machine reaches them.
    """
    make_importable(recipe.sources)
    writable = [bytearray(array) for array in recipe.arrays]
    make: Callable[[], Runner] = _RecipeUnpickler(io.BytesIO(recipe.body), writable, blobs).load()
    return make


class _RecipePickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(
        self, file: io.BytesIO, buffers: list[pickle.PickleBuffer], local: Blobs | None
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffers.append)
        self._local = local

    def persistent_id(self, obj: Any) -> str | None:
        """Marks the checkpoints that are only reachable here."""
        return _CHECKPOINTS if self._local is not None and obj is self._local else None


class _RecipeUnpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, buffers: list[bytearray], blobs: Blobs | None) -> None:
        super().__init__(file, buffers=buffers)
        self._blobs = blobs

    def persistent_load(self, pid: Any) -> Any:
        """Returns the checkpoints as they are reachable here."""
        return self._blobs
