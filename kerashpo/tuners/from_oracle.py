"""The public `Tuner`: what KerasTuner's is, a tuner made from an oracle."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import keras_tuner

from kerashpo import oracles
from kerashpo.algorithms.registry import algorithm_class, algorithm_entry, algorithm_names
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Plan
from kerashpo.schedulers.base import Scheduler
from kerashpo.schedulers.registry import make_scheduler
from kerashpo.store.blobs import LOG_NAME
from kerashpo.tuners.base import Tuner as Base
from kerashpo.tuners.full import FullTuner
from kerashpo.tuners.options import TunerOptions, read_options


@dataclass(frozen=True, slots=True)
class OracleSpec:
    """What an oracle stands for here.

    Attributes:
        algorithm: where to look next.
        options: its arguments.
        scheduler: how long to train whom.
        shape: its arguments, `max_epochs` among them; empty for full training.
    """

    algorithm: str
    options: Mapping[str, Any] = field(default_factory=dict)
    scheduler: str = "full"
    shape: Mapping[str, Any] = field(default_factory=dict)


_SHARED = (
    "objective",
    "max_trials",
    "tune_new_entries",
    "allow_new_entries",
    "max_retries_per_trial",
    "max_consecutive_failed_trials",
)


class Tuner(FullTuner):
    """A search driven by an oracle, to be subclassed or used as it is.

    The oracle's arguments are read (KerasTuner's own oracles or those of
    `kerashpo.oracles`); the search is ours, so that trials pause, resume and are never tried twice.

    Args:
        oracle: says where to look, how long to train, and for what objective.
        hypermodel: see `kerashpo.tuners.base.Tuner`; None where `run_trial` is overridden and
            needs none.
        **options: those of every tuner that are not the oracle's.

    Raises:
        InvalidInput: for an oracle of another class, or an argument that cannot be meant.
    """

    def __init__(self, oracle: Any = None, hypermodel: Any = None, **options: Any) -> None:
        reading = read_oracle(oracle)
        given = {name: getattr(oracle, name) for name in _SHARED}
        # What an ASHA oracle counts as a trial is a configuration with its promotions.
        given["max_trials"] = getattr(oracle, "_configurations", None) or oracle.max_trials
        both = [name for name in (*given, "seed", "hyperparameters") if name in options]
        if both:
            raise InvalidInput(f"{both[0]} is the oracle's argument: pass it there alone.")
        given["hyperparameters"] = oracle.hyperparameters if oracle.hyperparameters.space else None
        shared = read_options(type(self), {**given, **options, "seed": None}, ("oracle",))
        shared = _seeded(shared, oracle.seed)
        self._reading = reading
        self._plans_epochs = bool(reading.shape)
        super().__init__(hypermodel, shared, reading.algorithm, reading.options)

    def search(self, *args: Any, **kwargs: Any) -> None:
        """Searches, see `kerashpo.tuners.base.Tuner.search`."""
        # Rungs bound themselves; full training must be bounded.
        search = Base.search if self._reading.shape else FullTuner.search
        search(self, *args, **kwargs)

    def _plan(self) -> Plan:
        return Base._plan(self) if self._reading.shape else super()._plan()

    def _scheduler(self, epochs: int | None) -> Scheduler:
        shape = dict(self._reading.shape)
        if not shape:
            return super()._scheduler(epochs)
        budget = self._options.max_epochs_total
        return make_scheduler(
            self._reading.scheduler,
            shape.pop("max_epochs"),
            shape,
            limit=self._limit,
            budget=float("inf") if budget is None else budget,
        )

    def _settings(self, epochs: int | None) -> dict[str, Any]:
        settings = super()._settings(epochs)
        if self._reading.shape:
            settings.pop("epochs")
        return {**settings, "scheduler": self._reading.scheduler, **self._reading.shape}


def read_oracle(oracle: Any) -> OracleSpec:
    """Returns what an oracle stands for.

    Raises:
        InvalidInput: for an oracle that decides by itself what is tried.
    """
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


def _seeded(options: TunerOptions, seed: int) -> TunerOptions:
    """Takes the oracle's seed; an oracle without one has drawn it, and a study keeps its own."""
    begun = not options.overwrite and (options.folder / LOG_NAME).exists()
    return options if begun else replace(options, seed=seed)


def _readers() -> dict[str, Callable[[Any], OracleSpec]]:
    """Returns by an oracle's name what reads it: an algorithm's under full training, or rungs."""
    names = {algorithm_entry(name).oracle: name for name in algorithm_names()}
    full = {oracle: partial(_algorithm, name) for oracle, name in names.items() if oracle}
    return {**full, "HyperbandOracle": _hyperband, "ASHAOracle": _asha}


def _classes(name: str) -> tuple[type, ...]:
    """Returns our oracle of a name, and KerasTuner's where there is one."""
    found = (getattr(module, name, None) for module in (oracles, keras_tuner.oracles))
    return tuple(cls for cls in found if cls is not None)


def _algorithm(name: str, oracle: Any) -> OracleSpec:
    given = getattr(oracle, "_options", None)
    if given is None:  # KerasTuner's own: its attributes under the names of our options
        known = list(inspect.signature(algorithm_class(name)).parameters)[2:]
        given = {option: getattr(oracle, option) for option in known if hasattr(oracle, option)}
    return OracleSpec(name, dict(given))


def _hyperband(oracle: Any) -> OracleSpec:
    endless = oracle.hyperband_iterations in (None, float("inf"))
    shape = {
        "max_epochs": oracle.max_epochs,
        "factor": oracle.factor,
        "iterations": None if endless else int(oracle.hyperband_iterations),
    }
    return OracleSpec(getattr(oracle, "_algorithm", "random"), {}, "hyperband", shape)


def _asha(oracle: Any) -> OracleSpec:
    shape = {name: getattr(oracle, name) for name in ("max_epochs", "factor", "min_epochs")}
    return OracleSpec(oracle._algorithm, {}, "asha", shape)
