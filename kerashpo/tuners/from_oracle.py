"""Reads an oracle: the strategy that corresponds to it, and the arguments that it holds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import keras_tuner

from kerashpo import oracles
from kerashpo.algorithms.registry import algorithm_class, algorithm_entry, algorithm_names
from kerashpo.core.errors import InvalidInput
from kerashpo.store.open import has_log
from kerashpo.tuners.strategy import Schedule, Strategy
from kerashpo.tuners.tuner_options import TunerOptions

_HELD = (
    "objective",
    "max_trials",
    "seed",
    "hyperparameters",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)
"""Arguments of a tuner that KerasTuner's oracles hold."""


def read_oracle(oracle: Any, given: Mapping[str, Any]) -> tuple[Strategy, dict[str, Any]]:
    """Returns an oracle's strategy, and the tuner's arguments completed by the oracle's.

    Args:
        oracle: an oracle of KerasTuner's or of `kerashpo.oracles`, or a `Strategy`.
        given: the tuner's arguments.

    Raises:
        InvalidInput: for an oracle with its own `populate_space`, or an argument that the oracle
            holds already.
    """
    if isinstance(oracle, Strategy):
        return oracle, dict(given)
    strategy = _strategy(oracle)
    both = [name for name in _HELD if given.get(name) is not None]
    if both:
        raise InvalidInput(f"{both[0]} is the oracle's argument: pass it only to the oracle.")
    held = {name: getattr(oracle, name) for name in _HELD}
    # ASHA oracles count configurations as trials, not their promotions.
    held["max_trials"] = getattr(oracle, "_configurations", None) or oracle.max_trials
    if warm_start := getattr(oracle, "_warm_start", ()):
        if given.get("warm_start"):
            raise InvalidInput("warm_start is the oracle's argument: pass it only to the oracle.")
        held["warm_start"] = warm_start
    held["hyperparameters"] = oracle.hyperparameters if oracle.hyperparameters.space else None
    return strategy, {**given, **held}


def without_drawn_seed(options: TunerOptions) -> TunerOptions:
    """Returns the options without a seed that the oracle drew.

    An oracle without a given seed draws one; a stored study keeps its own.
    """
    begun = not options.overwrite and has_log(options.folder)
    return replace(options, seed=None) if begun else options


def _strategy(oracle: Any) -> Strategy:
    readers = _readers()
    name = type(oracle).__name__
    if name in readers and type(oracle) in _classes(name):
        return readers[name](oracle)
    known = ", ".join(sorted(readers))
    hint = (
        " An oracle of your own decides what is tried, which here an Algorithm does: keep it in a "
        "keras_tuner.Tuner."
        if isinstance(oracle, keras_tuner.Oracle)
        else ""
    )
    raise InvalidInput(
        f"oracle must be one of {known} (of kerashpo.oracles or keras_tuner.oracles).{hint} "
        f"Received: {oracle!r}."
    )


def _readers() -> dict[str, Callable[[Any], Strategy]]:
    """Returns by an oracle's name the function that reads its strategy."""
    names = {algorithm_entry(name).oracle: name for name in algorithm_names()}
    full = {oracle: partial(_algorithm, name) for oracle, name in names.items() if oracle}
    rungs = {"HyperbandOracle": _hyperband, "ASHAOracle": _asha}
    return {**full, **rungs, "SearchOracle": _search}


def _classes(name: str) -> tuple[type, ...]:
    """Returns our oracle of a name, and KerasTuner's if there is one."""
    found = (getattr(module, name, None) for module in (oracles, keras_tuner.oracles))
    return tuple(cls for cls in found if cls is not None)


def _algorithm(name: str, oracle: Any) -> Strategy:
    given = getattr(oracle, "_options", None)
    if given is None:  # KerasTuner's own: its attributes under the names of our options
        known = list(inspect.signature(algorithm_class(name)).parameters)[2:]
        given = {option: getattr(oracle, option) for option in known if hasattr(oracle, option)}
    return Strategy(name, dict(given))


def _search(oracle: Any) -> Strategy:
    return Strategy(oracle._algorithm, dict(oracle._options))


def _hyperband(oracle: Any) -> Strategy:
    endless = oracle.hyperband_iterations in (None, float("inf"))
    options = {
        "factor": oracle.factor,
        "iterations": None if endless else int(oracle.hyperband_iterations),
    }
    schedule = Schedule("hyperband", options, oracle.max_epochs)
    return Strategy(getattr(oracle, "_algorithm", "random"), {}, schedule)


def _asha(oracle: Any) -> Strategy:
    options = {"factor": oracle.factor, "min_epochs": oracle.min_epochs}
    return Strategy(oracle._algorithm, {}, Schedule("asha", options, oracle.max_epochs))
