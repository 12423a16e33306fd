"""Models with stored weights, and the ways to train them."""

from __future__ import annotations

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.core.trial import Trial
from kerashpo.space.space import Space
from kerashpo.store.base import Blobs
from kerashpo.store.keys import best_key
from kerashpo.training.checkpoints import unpack_list, write_variables
from kerashpo.training.compiled import CompiledEpochs
from kerashpo.training.models import ModelMaker
from kerashpo.training.plain import PlainFit
from kerashpo.training.ways import Way


def make_ways() -> dict[str, Way]:
    """Returns the ways to train, by the kind that `kerashpo.training.ways.choose` names."""
    return {"plain": PlainFit(), "compiled": CompiledEpochs()}


def load_model(
    maker: ModelMaker, space: Space, seed: int, record: Trial, blobs: Blobs
) -> keras.Model:
    """Returns a trial's model with the weights of its best epoch.

    Raises:
        InvalidInput: if the weights were not kept.
    """
    trial, run = record.number, record.best_run
    data = blobs.get(best_key(trial, run))
    if data is None:
        raise InvalidInput(
            f"The weights of trial {trial} were not kept: keep=... of the tuner says of how many "
            "trials they are. Train its configuration again: get_best_hyperparameters gives the "
            "values."
        )
    model, _ = maker.make(record.config, space, seed, trial, run)
    try:
        weights, _ = unpack_list(data)
    except ValueError as error:
        raise InvalidInput(
            f"The weights of trial {trial} cannot be read: {error}. Train its configuration again: "
            "get_best_hyperparameters gives the values."
        ) from error
    if not model.built:
        raise InvalidInput(
            f"The model of trial {trial} has no input shape before it sees data. Begin it with "
            "keras.Input(shape), so that its weights can be loaded."
        )
    write_variables(model.weights, weights)
    return model
