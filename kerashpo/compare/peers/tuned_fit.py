"""`HyperModel.fit` for problems that tune arguments of `fit`, e.g. the batch size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, final

import keras_tuner

from kerashpo.problems.task import Task
from kerashpo.space.space import Space
from kerashpo.training.folds import fit_values, read_fit_hp
from kerashpo.training.keras_tuner_params import to_keras

Build: TypeAlias = Callable[[Any], Any]


def with_tuned_fit(task: Task, wrap: Callable[[Build], Build] = lambda build: build) -> Any:
    """Returns a task's ``build_model``, or a `HyperModel` where it tunes arguments of `fit`.

    KerasTuner has no ``fit_hp``: its users tune the batch size in `HyperModel.fit`.

    Args:
        task: the task.
        wrap: a wrapper of ``build_model``, which then sees the arguments of `fit` declared too.
    """
    space = read_fit_hp(task.fit_hp)
    if not space.params:
        return wrap(task.build)

    def build(hp: Any) -> Any:
        for param in space.params:
            hp._retrieve(to_keras(param))
        return task.build(hp)

    return TunedFit(wrap(build), space)


@final
class TunedFit(keras_tuner.HyperModel):  # type: ignore[misc]
    """A `HyperModel` whose `fit` passes the tuned arguments to ``model.fit``."""

    def __init__(self, build: Build, space: Space) -> None:
        super().__init__()
        self._build_model, self._space = build, space

    def build(self, hp: Any) -> Any:
        return self._build_model(hp)

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        return model.fit(*args, **{**kwargs, **fit_values(self._space, hp.values)})
