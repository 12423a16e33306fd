"""Schedulers by name, and named tuners: pairs of a scheduler and an algorithm."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from kerashpo.algorithms.registry import algorithm_names
from kerashpo.core.errors import InvalidInput, nearest, unknown
from kerashpo.schedulers.base import Scheduler

_PLACES: dict[str, str] = {
    "full": "full_training:Full",
    "halving": "successive_halving:Halving",
    "hyperband": "hyperband:Hyperband",
    "asha": "asha:ASHA",
    "asha_stopping": "asha:StoppingASHA",
    "median": "median_stopping:MedianStopping",
    "pbt": "pbt:PBT",
}
_BOUNDS = ("limit", "budget")


@dataclass(frozen=True, slots=True)
class Pairing:
    """The scheduler and the algorithm of a tuner name.

    Attributes:
        scheduler: a name of `scheduler_names`.
        algorithm: a name of `kerashpo.algorithms.registry`.
        source: the paper.
        options: arguments of the scheduler that belong to the name.
        hints: arguments of the algorithm that belong to the name.
    """

    scheduler: str
    algorithm: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    hints: Mapping[str, Any] = field(default_factory=dict)


PAIRS: dict[str, Pairing] = {
    "full": Pairing("full", "random", "Bergstra and Bengio, JMLR 13 (2012): random search"),
    "halving": Pairing("halving", "random", "Jamieson and Talwalkar, AISTATS 2016"),
    "hyperband": Pairing("hyperband", "random", "Li et al., JMLR 18 (2018)"),
    "asha": Pairing("asha", "random", "Li et al., MLSys 2020: promotion variant"),
    "asha_stopping": Pairing("asha_stopping", "random", "Li et al., MLSys 2020: stopping variant"),
    "median": Pairing("median", "random", "Golovin et al., KDD 2017, section 3.2.2"),
    "pbt": Pairing("pbt", "random", "Jaderberg et al., arXiv 1711.09846 (2017)"),
    "bohb": Pairing(
        "hyperband",
        "bayesian",
        "Falkner, Klein and Hutter, ICML 2018: a model proposes in Hyperband's brackets "
        "(theirs is a kernel density estimate, ours a Gaussian process)",
    ),
    "dehb": Pairing(
        "hyperband",
        "de",
        "Awad, Mallik and Hutter, IJCAI 2021: differential evolution inside Hyperband's brackets, "
        "parents from lower rungs",
        hints={"parents": "rungs"},
    ),
    "mobster": Pairing(
        "asha",
        "bayesian",
        "Klein, Tiao, Lienart, Archambeau and Seeger, arXiv 2003.10865 (2020): a Gaussian "
        "process proposes under asynchronous halving",
    ),
    "recommended": Pairing(
        "asha",
        "bayesian",
        "experiments/schedulers: mobster's pair, the best at every budget that was measured",
    ),
}
"""Tuners by name. `recommended` is the one that our benchmarks recommend."""

_FULL = "an algorithm of the registry, each proposal trained fully"


def scheduler_names() -> tuple[str, ...]:
    """Returns the names that `make_scheduler` takes."""
    return tuple(_PLACES)


def tuner_names() -> tuple[str, ...]:
    """Returns the names that `tuner_pair` takes: pairs, and algorithms under full training."""
    return (*PAIRS, *(name for name in algorithm_names() if name not in PAIRS))


def tuner_pair(name: str) -> Pairing:
    """Returns the scheduler and algorithm of a tuner name.

    Raises:
        InvalidInput: if there is none, with the nearest match.
    """
    if name in PAIRS:
        return PAIRS[name]
    if name not in algorithm_names():
        raise unknown("tuner", name, tuner_names())
    return Pairing("full", name, _FULL)


def scheduler_class(name: str) -> type[Scheduler]:
    """Returns the class behind a name.

    Raises:
        InvalidInput: if there is none, with the nearest match.
    """
    if name not in _PLACES:
        raise unknown("scheduler", name, _PLACES)
    module, _, attribute = _PLACES[name].partition(":")
    found: type[Scheduler] = getattr(import_module(f"kerashpo.schedulers.{module}"), attribute)
    return found


def scheduler_options(name: str) -> tuple[str, ...]:
    """Returns the options of a scheduler that `make_scheduler` takes, besides the bounds."""
    parameters = inspect.signature(scheduler_class(name)).parameters
    return tuple(p for p in parameters if p not in ("max_epochs", *_BOUNDS))


def scheduler_of(settings: Mapping[str, Any]) -> Scheduler:
    """Returns the scheduler that a study's settings describe; full training by default.

    Args:
        settings: as recorded in the log: ``scheduler``, ``max_epochs`` (or ``epochs``) and the
            scheduler's options, among others.
    """
    name = settings.get("scheduler", "full")
    longest = settings.get("max_epochs") or settings.get("epochs") or 1
    options = {key: settings[key] for key in scheduler_options(name) if key in settings}
    return make_scheduler(name, longest, options)


def make_scheduler(
    name: str,
    max_epochs: int,
    options: Mapping[str, Any] | None = None,
    *,
    limit: float = float("inf"),
    budget: float = float("inf"),
) -> Scheduler:
    """Returns the scheduler of that name.

    Args:
        name: one of `scheduler_names`.
        max_epochs: the most epochs that one trial is trained.
        options: further keyword arguments of its constructor, e.g. ``factor``.
        limit: an upper bound of configurations, for the plan.
        budget: an upper bound of epochs, for the plan.

    Raises:
        InvalidInput: for an unknown name or option.
    """
    cls: Callable[..., Scheduler] = scheduler_class(name)
    known = scheduler_options(name)
    for option in options or {}:
        if option not in known:
            raise InvalidInput(
                f"The scheduler {name!r} has no option {option!r}.{nearest(option, known)} "
                f"Known: {', '.join(known) or 'none'}."
            )
    taken = inspect.signature(cls).parameters
    bounds = {key: value for key, value in (("limit", limit), ("budget", budget)) if key in taken}
    return cls(max_epochs, **(options or {}), **bounds)
