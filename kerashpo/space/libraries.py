"""Spaces of other libraries: Hyperopt's, Optuna's, ConfigSpace's."""

from __future__ import annotations

from typing import Any

from kerashpo.space.formats import configspace, hyperopt, optuna
from kerashpo.space.space import Space


def from_hyperopt(expression: Any) -> Space:
    """Returns the space of a Hyperopt expression: a dict, list or `hp.choice` of `hp.…` terms.

    Parameters have their labels as names. What exists only under an option of an `hp.choice` is
    conditional; options that are no plain values are chosen by their position, as in Hyperopt.

    Raises:
        MissingExtra: if hyperopt is not installed.
        InvalidSpace: for a distribution without bounds (`hp.normal`), or unequal weights.
    """
    return Space.of(hyperopt.params_of(expression))


def from_optuna(source: Any) -> Space:
    """Returns the space of Optuna's distributions, a dict by name, or of a study's trials.

    A parameter that only some trials of a study have is conditional if one earlier parameter's
    values explain every complete trial, at least four with it and four without; otherwise it is
    in every configuration, and a warning names it.

    Raises:
        MissingExtra: if optuna is not installed.
        InvalidInput: if it is neither.
    """
    return Space.of(optuna.params_of(source))


def to_optuna(space: Space) -> dict[str, Any]:
    """Returns Optuna's distributions by name, e.g. for ``study.ask(fixed_distributions=...)``.

    Raises:
        MissingExtra: if optuna is not installed.
        InvalidSpace: for conditional parameters and others that they cannot say.
    """
    return optuna.distributions_of(space.params)


def from_configspace(space: Any) -> Space:
    """Returns the space of a `ConfigSpace.ConfigurationSpace`, conditions included.

    Raises:
        MissingExtra: if ConfigSpace is not installed.
        InvalidSpace: for what has no counterpart, such as forbidden clauses.
    """
    return Space.of(configspace.params_of(space))


def to_configspace(space: Space, name: str | None = None, seed: int | None = None) -> Any:
    """Returns a `ConfigSpace.ConfigurationSpace`, conditions included; steps become lists.

    Raises:
        MissingExtra: if ConfigSpace is not installed.
        InvalidSpace: for what has no counterpart, such as a reversed logarithm.
    """
    return configspace.configuration_space_of(space.params, name, seed)
