"""Runner factory: builds a `KerasRunner` in this process or in a worker process."""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import dataclass
from typing import Any, final

import keras

from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.training.folds import RunData
from kerashpo.training.hypermodel import ModelBuilder, make_loops
from kerashpo.training.joint_training import JointTraining
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.programs import ProgramCache
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
        population: how many models of one shape are trained as one program; 1 for none.
        cache: where those programs are kept for later searches; None for nowhere.
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
    population: int = 1
    cache: ProgramCache | None = None

    def __call__(self) -> KerasRunner:
        self.globals.apply()
        if self.repeatable:
            _make_repeatable()
        loops = make_loops()
        population, compiled = None, loops["compiled"]
        if self.population > 1 and isinstance(compiled, CompiledLoop):
            population = JointTraining(compiled, self.population, self.cache)
        return KerasRunner(
            self.builder,
            self.space,
            self.data,
            self.callbacks,
            self.settings,
            self.blobs,
            loops,
            self.call,
            population,
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


def limit_gpu_memory(share: float) -> None:
    """Has TensorFlow take at most this share of each GPU's memory, which workers share.

    JAX reads its share from an environment variable, XLA_PYTHON_CLIENT_MEM_FRACTION.
    """
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        found = _gpu_megabytes()
        if found is not None:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=share * found)
            tf.config.set_logical_device_configuration(gpu, [limit])


def _gpu_megabytes() -> float | None:
    """Returns the memory of the first GPU of this process, None if unknown."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0]
    command += ["--id", device] if device else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return float(done.stdout.split()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _make_repeatable() -> None:
    """Makes TensorFlow use deterministic GPU kernels; with one thread, CPU kernels are."""
    if keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
