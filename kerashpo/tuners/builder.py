"""Creates the builder of a tuner's models, and checks the default model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, final

from kerashpo.core.errors import InvalidInput, InvalidSpace
from kerashpo.core.records import Objective
from kerashpo.space.discovery import MAX_CALLS
from kerashpo.space.space import Space
from kerashpo.study.compatibility import header_of
from kerashpo.study.open import ReadLog
from kerashpo.training.data import FitData
from kerashpo.training.hypermodel import Form, ModelBuilder, Recompile
from kerashpo.training.keras_tuner_params import to_space
from kerashpo.training.loops.base import find_obstacle
from kerashpo.training.preflight import check_objectives
from kerashpo.training.python_values import PythonValues, trial_values
from kerashpo.training.user_callbacks import fresh_callbacks
from kerashpo.tuners.tuner_options import TunerOptions


@final
@dataclass(frozen=True, slots=True)
class Built:
    """The model builder and the space that it declares.

    Attributes:
        builder: builds them.
        space: the search space that it declares.
        obstacle: why it cannot build any, None if it can.
    """

    builder: ModelBuilder
    space: Space
    obstacle: str | None = None


def open_builder(
    hypermodel: Any, options: TunerOptions, fit_hp: Space, form: Form, log: ReadLog | None = None
) -> Built:
    """Returns the model builder of a search, and its space.

    A study's folder can be read without its hypermodel (None, or a function that builds
    nothing), as in KerasTuner: then the space is the stored one, everything but models
    works, and building a model raises.

    Args:
        hypermodel: a function of `hp`, or a `HyperModel`; None where `run_trial` needs none.
        options: the tuner's arguments.
        fit_hp: arguments of `fit` that are tuned.
        form: the form of the hypermodel's result.
        log: the log of the study in the folder, None if there is none.

    Raises:
        InvalidInput: for a hypermodel that builds nothing, where no study is stored.
        InvalidSpace: where its definitions, or those among ``hyperparameters=``, contradict
            each other.
    """
    # Building models needs a seed; which one does not change the space.
    seed = options.seed or 0
    header = None if log is None else header_of(log.events)
    # As many times as for the stored study, whose discovery may have run out of time.
    calls = None if header is None else header.settings.get("discovery_calls", MAX_CALLS)
    known = None if header is None else Space.from_json(header.first_space)
    try:
        builder = _builder(hypermodel, options, fit_hp, form)
        space = builder.discover(seed, calls)
    except InvalidSpace:
        raise
    except InvalidInput as error:
        if known is None:
            raise
        reason = str(error)
    else:
        if space.params or known is None or not known.params:
            return Built(builder, space)
        reason = f"build_model declares none of the {len(known.params)} parameters of the study."
    obstacle = (
        f"The study in {str(options.folder)!r} was opened without the build_model that it was "
        f"searched with, so no model can be built and no trial trained. {reason}"
    )

    def absent(hp: Any) -> Any:
        raise InvalidInput(obstacle)

    builder = _builder(absent, options, fit_hp, form)
    builder.complete = header is None or "discovery_calls" not in header.settings
    builder.calls = calls or 0
    return Built(builder, known, obstacle)


def _builder(hypermodel: Any, options: TunerOptions, fit_hp: Space, form: Form) -> ModelBuilder:
    return ModelBuilder(
        hypermodel,
        to_space(options.hyperparameters),
        options.tune_new_entries,
        options.allow_new_entries,
        Recompile(options.optimizer, options.loss, options.metrics),
        options.distribution_strategy,
        fit_hp,
        form,
        options.strict,
        options.max_model_size,
    )


def check_default(
    builder: ModelBuilder,
    space: Space,
    data: FitData,
    logged: Sequence[Objective],
    callbacks: Sequence[Any],
    epochs: int,
    first_rung: int | None = None,
    limited: Collection[str] = (),
) -> str | None:
    """Trains the default model on one batch, so that mistakes show before the search.

    Args:
        builder: builds the model.
        space: its defaults are taken.
        data: the training data.
        logged: the objectives and limited metrics that the model must log.
        callbacks: the user's, which may add metrics.
        epochs: the most epochs of one trial.
        first_rung: after how many of them trials are first compared; None for the last.
        limited: the names of limited metrics, for the error.

    Returns:
        why epochs of the model cannot be compiled; None if they can.

    Raises:
        InvalidInput: for an objective that is not logged.
    """
    made = [callback.wrapped for callback in fresh_callbacks(callbacks)]
    model, _ = builder.make(space.default(), space, 0, 0)
    obstacle = find_obstacle(model, data, made)
    PythonValues.attach(model)
    with trial_values(model):  # the check changes nothing that the first trial reads
        check_objectives(model, data, list(logged), made, epochs, first_rung, limited)
    return obstacle
