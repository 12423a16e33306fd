"""Runner factory: builds a `KerasRunner` in this process or in a worker process."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, final

import keras

from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.training.folds import RunData
from kerashpo.training.hypermodel import ModelBuilder, make_loops
from kerashpo.training.loops.user_fit import FitCall
from kerashpo.training.runner import KerasRunner
from kerashpo.training.settings import Settings


@final
@dataclass(frozen=True, slots=True)
class KerasSettings:
    """Global settings of Keras, which a user may have changed before the search."""

    floatx: str
    epsilon: float
    image_data_format: str
    dtype_policy: dict[str, Any]

    @classmethod
    def current(cls) -> KerasSettings:
        """Returns the settings of this process."""
        config = keras.config
        policy = keras.dtype_policies.serialize(config.dtype_policy())
        return cls(config.floatx(), config.epsilon(), config.image_data_format(), policy)

    def apply(self) -> None:
        """Applies the settings to this process."""
        keras.config.set_floatx(self.floatx)
        keras.config.set_epsilon(self.epsilon)
        keras.config.set_image_data_format(self.image_data_format)
        policy = keras.dtype_policies.deserialize(self.dtype_policy)
        keras.config.set_dtype_policy(policy)


@final
@dataclass(frozen=True, slots=True)
class RunnerFactory:
    """Builds a `KerasRunner` in this process or in a worker.

    The other fields are arguments of `KerasRunner`.

    Attributes:
        globals: Keras's global settings in the main process.
        repeatable: whether GPU kernels must be deterministic, which is slower.
    """

    builder: ModelBuilder
    space: Space
    data: RunData
    callbacks: tuple[Any, ...]
    settings: Settings
    blobs: Blobs
    globals: KerasSettings
    call: FitCall = FitCall()
    repeatable: bool = False

    def __call__(self) -> KerasRunner:
        self.globals.apply()
        if self.repeatable:
            _make_repeatable()
        return KerasRunner(
            self.builder,
            self.space,
            self.data,
            self.callbacks,
            self.settings,
            self.blobs,
            make_loops(),
            self.call,
        )

    def parts(self) -> dict[str, Any]:
        """Returns the user's objects by descriptive names, for messages about pickling."""
        return {
            "build_model": self.builder,
            "the training data": (self.data, self.call),
            "callbacks": self.callbacks,
        }


def leave_gpu_memory() -> None:
    """Lets this process allocate only the GPU memory that it needs, to leave the rest to workers.

    It has no effect once TensorFlow has initialised the GPU, or on other backends.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)


def _make_repeatable() -> None:
    """Makes TensorFlow use deterministic GPU kernels; with one thread, CPU kernels are."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
