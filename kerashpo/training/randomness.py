"""Random seeds keyed by (seed, trial, run, epoch), so that an epoch can be reproduced."""

from __future__ import annotations

import collections
import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state

from kerashpo.core import rng
from kerashpo.training.data import FitData

#: Keras's TensorFlow backend takes seeds modulo 2^31 - 2; smaller words survive every backend.
_SEED_BOUND = 2**31 - 2
#: Where Keras counts automatic names; `keras.utils.clear_session` resets it and far more.
_NAMES = "object_name_uids"


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """Keys of the random streams of one run of one trial.

    Attributes:
        seed: the study's seed.
        trial: the trial's number.
        run: the execution or fold, from 0.
    """

    seed: int
    trial: int
    run: int = 0

    def permutation(self, epoch: int, count: int) -> np.ndarray:
        """Returns the order of samples of an epoch.

        Args:
            epoch: counted from 1.
            count: the number of samples n.

        Returns:
            a permutation of 0..n-1, int32, shape (n,).
        """
        order = rng.stream(self.seed, "order", self.trial, self.run, epoch).permutation(count)
        return order.astype(np.int32)

    def order_within_batches(self, epoch: int, count: int, batch: int) -> np.ndarray:
        """Returns 0..n-1 with the samples of each batch permuted, int32, shape (n,)."""
        drawn = rng.stream(self.seed, "order", self.trial, self.run, epoch).random(count)
        return np.lexsort((drawn, np.arange(count) // batch)).astype(np.int32)

    def layer_states(self, epoch: int, count: int) -> np.ndarray:
        """Returns the states of the first `count` seed generators, uint32, shape (count, 2).

        A longer request begins with the shorter one.
        """
        stream = rng.stream(self.seed, "layers", self.trial, self.run, epoch)
        return stream.integers(_SEED_BOUND, size=(count, 2), dtype=np.uint32)

    def torch_seed(self, epoch: int) -> int:
        """Returns the seed of torch's global generator for an epoch."""
        return rng.integer(self.seed, "torch", self.trial, self.run, epoch)


def seed_variables(model: keras.Model) -> list[Any]:
    """Returns the state variables of a model's seed generators, in order, nested layers included.

    Keras lists them among the variables of their layers; a shared layer appears once.
    """
    found: dict[int, Any] = {}
    for variable in model.variables:
        if variable.name == "seed_generator_state":
            found.setdefault(id(variable), variable)
    return list(found.values())


def assign_state(variable: Any, state: np.ndarray) -> None:
    """Assigns a seed generator's state, uint32, shape (2,), to the Keras variable it lives in."""
    variable.assign(state.astype(variable.dtype))


def set_layer_seeds(
    model: keras.Model,
    keys: EpochKeys,
    epoch: int,
    assign: Callable[[Any, np.ndarray], None] = assign_state,
) -> None:
    """Sets every seed generator of the model to its state for the start of `epoch`.

    Args:
        model: a built model.
        keys: the run's keys.
        epoch: counted from 1.
        assign: sets a variable to a state, as `assign_state` does.
    """
    variables = seed_variables(model)
    if not variables:
        return
    states = keys.layer_states(epoch, len(variables))
    for variable, state in zip(variables, states, strict=True):
        assign(variable, state)


def set_torch_seed(keys: EpochKeys, epoch: int) -> None:
    """Seeds torch's global generator if Keras runs on torch.

    Keras's dropout uses the global generator instead of the layer's own seed generator, unless
    the layer has a seed.
    """
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(keys.torch_seed(epoch))


@contextlib.contextmanager
def torch_state_kept() -> Iterator[None]:
    """Context that restores torch's global generators afterwards, if Keras runs on torch."""
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.random.fork_rng():
        yield


@contextlib.contextmanager
def seeded_own(seed: int, trial: int, run: int = 0, epoch: int = 1) -> Iterator[None]:
    """Context that seeds a user's own training loop with (seed, trial, run, first epoch).

    It does what `seeded_build` does and also seeds the backend's global generator, which shuffling
    and dropout without a seed use; afterwards that generator is unseeded again.
    """
    key = rng.integer(seed, "own", trial, run, epoch)
    with seeded_build(seed, trial, run), torch_state_kept():
        keras.utils.set_random_seed(key)
        try:
            yield
        finally:
            _unseed()


def _unseed() -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.random.set_seed(None)


@contextlib.contextmanager
def seeded_build(seed: int, trial: int, run: int = 0, part: str = "build") -> Iterator[None]:
    """Context that seeds the building of a model with (seed, trial, run, part).

    Keras's initialisers and seed generators draw their seeds from Python's `random` when they are
    created; user code may use numpy's global generator. Both are seeded inside. The counters of
    automatic names are reset, so that an unnamed metric is not logged as ``auc`` by one trial and
    as ``auc_1`` by the next. Afterwards all three are restored.
    """
    python, numpy = random.getstate(), np.random.get_state()
    names = global_state.get_global_attribute(_NAMES)
    random.seed(rng.integer(seed, part, trial, run))
    np.random.seed(rng.integer(seed, f"{part} numpy", trial, run))
    global_state.set_global_attribute(_NAMES, collections.defaultdict(int))
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        global_state.set_global_attribute(_NAMES, names)


def epoch_order(data: FitData, epoch: int, keys: EpochKeys, per_execution: int = 1) -> np.ndarray:
    """Returns the rows of an epoch in training order; shuffled data have an order keyed by epoch.

    Args:
        data: arrays of n samples.
        epoch: counted from 1.
        keys: the run's keys.
        per_execution: the model's `steps_per_execution`.

    Returns:
        int32, shape (n,), or (m,) if `steps_per_epoch` selects m of them.
    """
    number, batches = data.batches_of(epoch, per_execution)
    count, batch = data.samples, data.batch
    if data.shuffle == "batch":
        order = keys.order_within_batches(number, count, batch)
    elif data.shuffle:
        order = keys.permutation(number, count)
    else:
        order = np.arange(count, dtype=np.int32)
    order = order[batches.start * batch : batches.stop * batch]
    return order if data.rows is None else data.rows[order]


def batch_order(
    data: FitData, epoch: int, keys: EpochKeys, shuffle: bool, per_execution: int = 1
) -> np.ndarray:
    """Returns the batches of a `PyDataset` that an epoch trains on, in order, int32.

    Args:
        data: a `PyDataset` as x.
        epoch: counted from 1.
        keys: the run's keys.
        shuffle: whether the batches are shuffled.
        per_execution: the model's `steps_per_execution`.
    """
    number, batches = data.batches_of(epoch, per_execution)
    chosen = np.arange(batches.start, batches.stop, dtype=np.int32)
    if not shuffle or data.batches is None:
        return chosen
    return keys.permutation(number, data.batches)[chosen]
