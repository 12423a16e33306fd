"""What makes a thousand searches affordable; no decision of a search depends on it.

KerasTuner collects garbage twice a trial over all that TensorFlow has imported, 0.2 s each time,
so what is alive before a cell is left out of that. Building layers, tracing and dispatch took
most of the rest, so Keras runs on its NumPy backend, where `NumpyLoop` stands for ``fit`` on
both sides. One thread suffices for networks of this size.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

import keras
import numpy as np

from experiments.winners.numpy_loop import LOOP
from kerashpo.training import build, factory
from kerashpo.tuners import best_model


@contextmanager
def cheaper() -> Iterator[None]:
    """Has our searches train by `LOOP`, and keeps KerasTuner from clearing Keras's session."""
    gc.collect()
    gc.freeze()
    with ExitStack() as stack:
        loops = {"plain": LOOP, "compiled": LOOP}
        # The search's check of the objective fits the default model for one batch.
        stack.enter_context(patch.object(keras.Model, "fit", _fit))
        stack.enter_context(patch.object(best_model, "FitLoop", lambda: LOOP))
        stack.enter_context(patch.object(factory, "make_loops", lambda: loops))
        stack.enter_context(patch.object(build, "_build_by_steps", _build_by_arrays))
        stack.enter_context(patch.object(keras.backend, "clear_session", lambda: None))
        yield


def _build_by_arrays(model: keras.Model, spec: Any, validates: bool) -> None:
    """Builds a model from zeros of these shapes: the NumPy backend needs arrays."""
    del validates
    batch = [None if part is None else np.zeros(part.shape, part.dtype) for part in spec]
    model._symbolic_build(data_batch=keras.utils.pack_x_y_sample_weight(*batch))


@wraps(keras.Model.fit)  # whose signature names the arguments of search
def _fit(*args: Any, **given: Any) -> Any:
    return LOOP.fit(*args, **given)
