"""The distance between data sets by their meta-features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kerashpo.core.errors import InvalidInput

Features: TypeAlias = "dict[str, float]"
"""The meta-features of a data set by their names."""


def distances(
    features: Mapping[str, float], others: Sequence[Mapping[str, float]]
) -> NDArray[np.float64]:
    """Returns the distances (k,) of a data set to others.

    The root of the mean squared difference over the features that all of them have, each divided
    by its standard deviation over the data sets, so that units do not matter; a feature that is
    the same everywhere does not count.

    Raises:
        InvalidInput: if they have no feature in common.
    """
    if not others:
        return np.empty(0)
    shared = [name for name in features if all(name in other for other in others)]
    if not shared:
        raise InvalidInput(
            f"The data sets have no feature in common. Received: {', '.join(features) or 'none'}."
        )
    table = np.array([[one[name] for name in shared] for one in (features, *others)])
    spread = table.std(axis=0)
    scaled = table[:, spread > 0] / spread[spread > 0]
    if not scaled.shape[1]:
        return np.zeros(len(others))
    return np.asarray(np.sqrt(((scaled[1:] - scaled[0]) ** 2).mean(axis=1)))
