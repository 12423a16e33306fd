"""Objectives that are properties of a Keras model, for ``objective=[..., kt.objectives.size()]``.

=============  =======================================================
`size`         parameters, trainable or not
`memory`       bytes of the weights
=============  =======================================================

Each is an `Objective` whose value is computed from the built model before it is trained, and stored
in the log. As limits their names suffice: ``limits={"size": 1e6}``. To add one: a function of a
model at module level (worker processes import it), a function that returns its `Objective`, and
its name in `MEASURED`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kerashpo.core.records import Objective


def size() -> Objective:
    """Returns the number of a model's parameters as an objective to minimise, ``"size"``."""
    return Objective("size", "min", of=count_parameters, before_training=True)


def memory() -> Objective:
    """Returns the bytes of a model's weights as an objective to minimise, ``"memory"``.

    Weights of 16 bits count half of those of 32; activations and the optimizer are not included.
    """
    return Objective("memory", "min", of=count_bytes, before_training=True)


def count_parameters(model: Any) -> float:
    """Returns the number of a built Keras model's parameters."""
    return float(model.count_params())


def count_bytes(model: Any) -> float:
    """Returns how many bytes a built Keras model's weights take."""
    return float(sum(math.prod(one.shape) * _item_bytes(one.dtype) for one in model.weights))


def _item_bytes(dtype: Any) -> int:
    name = getattr(dtype, "name", str(dtype))
    if name == "bfloat16":
        return 2
    return int(np.dtype(name).itemsize)


MEASURED: Mapping[str, Callable[[], Objective]] = {"size": size, "memory": memory}
"""The objectives by name, as ``limits=`` takes them."""
