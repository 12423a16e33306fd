"""The builder of a tuner's models, from its arguments, and its first check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerashpo.core.records import Objective
from kerashpo.space.space import Space
from kerashpo.training.data import FitData
from kerashpo.training.hypermodel import Form, ModelBuilder, Recompile
from kerashpo.training.hyperparameters import to_space
from kerashpo.training.preflight import check_objectives
from kerashpo.training.user_callbacks import fresh_callbacks
from kerashpo.tuners.options import TunerOptions


def make_builder(hypermodel: Any, options: TunerOptions, fit_hp: Space, form: Form) -> ModelBuilder:
    """Returns what builds the models of a search.

    Args:
        hypermodel: a function of `hp`, or a `HyperModel`; None where `run_trial` needs none.
        options: the tuner's arguments.
        fit_hp: arguments of `fit` that are tuned.
        form: what the hypermodel makes.

    Raises:
        InvalidInput: if it is neither a function nor a `HyperModel`.
        InvalidSpace: for definitions among ``hyperparameters=`` that contradict themselves.
    """
    return ModelBuilder(
        hypermodel,
        to_space(options.hyperparameters),
        options.tune_new_entries,
        options.allow_new_entries,
        Recompile(options.optimizer, options.loss, options.metrics),
        options.distribution_strategy,
        fit_hp,
        form,
    )


def check_default(
    builder: ModelBuilder,
    space: Space,
    data: FitData,
    logged: Sequence[Objective],
    callbacks: Sequence[Any],
    epochs: int,
) -> None:
    """Sends one batch through the default model, so that mistakes show before the search.

    Args:
        builder: builds the model.
        space: its defaults are taken.
        data: what to train on.
        logged: the objectives that the model must log.
        callbacks: the user's, which may add metrics.
        epochs: the most epochs of one trial.

    Raises:
        InvalidInput: for an objective that is not logged.
    """
    made = [callback.wrapped for callback in fresh_callbacks(callbacks)]
    model, _ = builder.make(space.default(), space, 0, 0)
    check_objectives(model, data, list(logged), made, epochs)
