"""Stored models: weights with the serialised architecture, loadable without `build_model`.

The weights of the best epoch are stored with the model's architecture if Keras can serialise it.
Thus ``kerashpo best PATH --save model.keras`` needs no `build_model`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import keras

from kerashpo.core.errors import InvalidInput
from kerashpo.store.base import Blobs
from kerashpo.store.blobs import best_key
from kerashpo.store.checkpoints import pack_list, unpack_list, write_variables
from kerashpo.training.ensemble import average_models
from kerashpo.training.model_state import architecture_of
from kerashpo.training.trial_state import TrialState


def save_best(blobs: Blobs, trial: int, run: int, state: TrialState) -> None:
    """Stores the weights of a run's best epoch with the architecture, unless they are stored."""
    if state.best_weights is None or not state.best_is_new:
        return
    if state.architecture is None:
        state.architecture = architecture_of(state.model) or ""
    data = pack_list(
        state.best_weights,
        epoch=state.best.epoch,
        inputs=state.inputs(),
        architecture=state.architecture or None,
        validated=state.best_values or None,
    )
    blobs.put(best_key(trial, run), data)
    state.best_is_new = False


def load_stored(blobs: Blobs, trial: int, run: int = 0) -> keras.Model:
    """Loads a trial's model with the weights of its best epoch, without `build_model`.

    Raises:
        InvalidInput: if the weights were not kept, or the architecture could not be stored or
            needs classes that are not registered here.
    """
    data = blobs.get(best_key(trial, run))
    if data is None:
        raise InvalidInput(
            f"The weights of trial {trial} were not kept: the tuner's argument keep=... sets of "
            "how many trials they are."
        )
    weights, extra = unpack_list(data)
    text = extra.get("architecture")
    if text is None:
        raise InvalidInput(
            f"Keras cannot serialise the model of trial {trial}, so only its weights are stored. "
            "Make the tuner again with its build_model and call "
            "tuner.results.best_model().save(...): nothing is trained again for that."
        )
    try:
        model: keras.Model = keras.saving.deserialize_keras_object(json.loads(text))
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"The model of trial {trial} needs classes that are not registered here: {error} Make "
            "the tuner again with its build_model and call tuner.results.best_model().save(...)."
        ) from error
    write_variables(model.weights, weights)
    return model


def load_members(blobs: Blobs, members: Sequence[tuple[int, int]]) -> keras.Model:
    """Returns the stored model of one member, or the average of several.

    Args:
        blobs: storage of the weights.
        members: trial and run of each member.

    Raises:
        InvalidInput: see `load_stored`.
    """
    models = [load_stored(blobs, trial, run) for trial, run in members]
    return models[0] if len(models) == 1 else average_models(models, _names(members))


def _names(members: Sequence[tuple[int, int]]) -> list[str]:
    several = len({trial for trial, _ in members}) < len(members)
    return [f"trial_{t}_run_{r}" if several else f"trial_{t}" for t, r in members]
