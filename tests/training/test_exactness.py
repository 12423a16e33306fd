"""A search trains as `model.fit` does: every case of `tests.helpers.fit_cases`, also when cut.

Each case is trained by plain `model.fit`; by the runner of a search; and by a runner in a new
state of the process, from the checkpoint that the first one had written in the middle. Logs of
every epoch and the final weights agree with `fit` to rounding; the cut training and the whole
one are equal bit for bit.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from kerashpo.core.events import Reported
from kerashpo.core.records import Decision, Objective
from kerashpo.space.space import Space
from kerashpo.store.blobs import MemoryBlobs
from kerashpo.training.build import build_all
from kerashpo.training.data import FitData
from kerashpo.training.hypermodel import ModelBuilder, make_loops
from kerashpo.training.loops.base import TrainingLoop
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.model_fit import EpochStart, FitLoop
from kerashpo.training.randomness import EpochKeys, seeded_build
from kerashpo.training.user_callbacks import give_place, to_metrics
from tests.helpers.fit_cases import CASES, LONG_ON_JAX, SLOW, Case
from tests.helpers.fit_cases.case import LABELS, ROWS, dense, stack
from tests.helpers.training_rig import Rig

# Keras's own `Variable.numpy` warns with numpy 2 on JAX.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation",
    "ignore:.*is a generator",
    # Of `steps_per_epoch` that continue in the next epoch, in the last one of a pass.
    "ignore:Your input ran out of data",
    # MeanIoU of Keras asks JAX for int64.
    "ignore:Explicitly requested dtype int64",
)
EPOCHS, CUT = 3, 1
NOTHING = Space.of([])
Trained = tuple[list[dict[str, float]], list[np.ndarray]]


def trained_by_fit(case: Case, folder: Any) -> Trained:
    """Trains by `model.fit`, from the weights and with the layers' seeds of a search's trial 0."""
    model, _ = ModelBuilder(lambda hp: case.build()).make({}, NOTHING, 0, 0)
    given = case.arguments()
    with seeded_build(0, 0, 0, "variables"):
        build_all(model, FitData.from_fit(**case.arguments()))
    callbacks = case.callbacks(folder)
    for callback in callbacks:
        give_place(callback, 0)
    received: list[dict[str, float]] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: received.append(dict(logs)))
    callbacks = [EpochStart(EpochKeys(0, 0)), *callbacks, keep]
    model.fit(**given, epochs=EPOCHS, callbacks=callbacks, verbose=0)
    return [to_metrics(logs) for logs in received], model.get_weights()


def trained_by_search(case: Case, folder: Any) -> tuple[Trained, Trained, str]:
    """Trains by a runner, and from its checkpoint in the middle by another one."""
    blobs, middle = MemoryBlobs(), MemoryBlobs()

    def answer(message: Any) -> Decision:
        if isinstance(message, Reported) and message.report.epoch == CUT + 1:
            for key in blobs.stored():
                middle.put(key, blobs.get(key))
        return Decision.CONTINUE

    def rig(**given: Any) -> Rig:
        return Rig(
            lambda hp: case.build(),
            case.callbacks(folder),
            settings={
                "fast": case.fast,
                "objective": Objective("loss", "min"),
                "checkpoint_every": 0.0,
                "max_epochs": EPOCHS,
            },
            data=FitData.from_fit(**case.arguments()),
            space=NOTHING,
            **given,
        )

    whole = rig(blobs=blobs, answer=answer, loops=make_loops())
    whole.start(EPOCHS)
    assert whole.curve, whole.messages
    rest = rig(blobs=middle, loops=whole.loops)
    rest.resume(EPOCHS)
    found = [(one.curve, one.live().model.get_weights()) for one in (whole, rest)]
    return found[0], found[1], whole.live().facts["training"]


def marked(name: str) -> Any:
    """Returns a case's name with the markers of those that `make test` and others leave out."""
    marks = [(pytest.mark.long_on_jax, LONG_ON_JAX), (pytest.mark.slow, SLOW)]
    return pytest.param(name, marks=[mark for mark, names in marks if name in names])


@pytest.mark.parametrize("name", [marked(name) for name in CASES])
def test_a_search_trains_as_fit_does(name: str, tmp_path: Any) -> None:
    case = CASES[name]
    if not case.applies:
        pytest.skip(f"{keras.backend.backend()} has no such thing")
    expected, weights = trained_by_fit(case, tmp_path / "fit")
    (curve, own), (rest, again), kind = trained_by_search(case, tmp_path / "search")
    assert kind == ("compiled" if case.compiled else "plain")
    assert_close(curve, expected, case.tolerance)
    for mine, their in zip(own, weights, strict=True):
        np.testing.assert_allclose(mine, their, atol=case.weights)
    assert rest == curve[CUT:]
    for mine, their in zip(again, own, strict=True):
        np.testing.assert_array_equal(mine, their)


def assert_close(
    ours: list[dict[str, float]], theirs: list[dict[str, float]], tolerance: float
) -> None:
    assert [set(one) for one in ours] == [set(one) for one in theirs]
    for mine, their in zip(ours, theirs, strict=True):
        for name, value in their.items():
            np.testing.assert_allclose(mine[name], value, atol=tolerance, rtol=tolerance)
    assert len({repr(one) for one in ours}) == len(ours), "nothing was trained"


KEYS = EpochKeys(seed=7, trial=3)


def dropout(rate: float = 0.4, width: int = 7) -> keras.Model:
    drop = lambda: keras.layers.Dropout(rate)
    keras.utils.set_random_seed(11)
    return stack(dense(width), drop, dense(width + 2), drop, metrics=["accuracy"])()


def curve(
    loop: TrainingLoop, model: keras.Model, span: tuple[int, int] = (1, 3), keys: EpochKeys = KEYS
) -> list[dict[str, float]]:
    received: list[dict[str, float]] = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: received.append(dict(logs)))
    data = FitData.from_fit(ROWS, LABELS, batch_size=8, validation_split=0.2)
    loop.train(model, data, *span, [keep], keys)
    return received


def test_shuffled_epochs_and_masks_are_the_same_compiled_or_not() -> None:
    one, two = dropout(), dropout()
    ours = curve(CompiledLoop(), one)
    assert_close(ours, curve(FitLoop(), two), 2e-5)
    for mine, their in zip(one.get_weights(), two.get_weights(), strict=True):
        np.testing.assert_allclose(mine, their, atol=Case.weights)
    other = curve(CompiledLoop(), dropout(), keys=EpochKeys(7, 4))
    assert abs(other[0]["loss"] - ours[0]["loss"]) > 1e-4


def test_a_stopped_segment_continues_as_if_never_stopped() -> None:
    whole = curve(CompiledLoop(), dropout(), (1, 4))
    loop, model = CompiledLoop(), dropout()
    parts = curve(loop, model, (1, 1))
    curve(loop, dropout(0.1, 5), (1, 2), EpochKeys(7, 9))
    assert parts + curve(loop, model, (2, 4)) == whole
