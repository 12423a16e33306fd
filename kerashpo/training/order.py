"""The order of samples within an epoch."""

from __future__ import annotations

import numpy as np

from kerashpo.training.fitdata import FitData
from kerashpo.training.randomness import EpochKeys


def epoch_order(data: FitData, epoch: int, keys: EpochKeys) -> np.ndarray:
    """Returns the order of one epoch: keyed if the data are shuffled, else as they came.

    Args:
        data: arrays of n samples.
        epoch: counted from 1.
        keys: the run's keys.

    Returns:
        int32, shape (n,).
    """
    if data.shuffle:
        return keys.permutation(epoch, data.samples)
    return np.arange(data.samples, dtype=np.int32)
