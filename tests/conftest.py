"""Settings that every test shares."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from kerashpo.training.loops.base import TrainingLoop

# The same examples in every run, and no deadline: a busy machine is no failure.
settings.register_profile("kerashpo", deadline=None, derandomize=True, database=None)
settings.register_profile("long", deadline=None, max_examples=3000, database=None)
settings.load_profile("kerashpo")

OWN_TRACES = Path(__file__).parent / "training"
"""Where traces themselves are tested: each of these tests makes its own."""
LOOPS: dict[str, TrainingLoop] = {}


@pytest.fixture(autouse=True, scope="session")
def _fit_without_xla() -> Iterator[None]:
    """Has Keras's own `fit` and `evaluate` on TensorFlow run graphs that XLA does not compile.

    Keras chooses XLA where a model says nothing else, which costs a small model more than its
    training. Worker processes and other children train as Keras chooses.
    """
    trainer = sys.modules.get("keras.src.trainers.trainer")
    with pytest.MonkeyPatch.context() as patch:
        if trainer is not None and os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
            patch.setattr(trainer, "model_supports_jit", lambda model: False)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Lets the searches of a test process share traces, as the trials of one search do.

    Tracing is most of what a small search costs. A test of what a search leaves behind is marked
    `own_traces`. Discovery has as long as it needs: on a machine that stalls, its limit of seconds
    would warn. A hook, since fixtures of a module search before those of a test are set up.
    """
    factory = sys.modules.get("kerashpo.training.factory")
    if factory is None:
        return
    sys.modules["kerashpo.training.hypermodel"].MAX_SECONDS = 600.0
    make = sys.modules["kerashpo.training.hypermodel"].make_loops
    own = OWN_TRACES in item.path.parents or item.get_closest_marker("own_traces")
    factory.make_loops = make if own else lambda: LOOPS or LOOPS.update(make()) or LOOPS
