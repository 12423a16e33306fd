"""The algorithms by name, with the tuner and oracle that each has."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kerashpo.algorithms.base import Algorithm
from kerashpo.algorithms.earlier_studies import read_sources
from kerashpo.algorithms.wrappers import BestFirst, Enqueued, Projected
from kerashpo.core.errors import InvalidInput, nearest, unknown
from kerashpo.core.requirements import packages_required
from kerashpo.space.space import Space


@dataclass(frozen=True, slots=True)
class AlgorithmEntry:
    """One algorithm of the registry.

    Attributes:
        place: module and class in `kerashpo.algorithms`, ``"random:RandomSearch"``.
        tuner: the tuner in `kerashpo` that fully trains each of its proposals, if any.
        oracle: its class in `kerashpo.oracles`, if any.
        reads_scores: whether its proposals depend on the scores of trials; if not, several
            workers give the same trials whoever reports first.
        several: whether it searches for a Pareto front where several objectives rank; if not, a
            search with several is refused.
    """

    place: str
    tuner: str = ""
    oracle: str = ""
    reads_scores: bool = True
    several: bool = False

    def load(self) -> Callable[..., Algorithm]:
        """Imports and returns the class; some import scipy's optimisers."""
        module, _, attribute = self.place.partition(":")
        with packages_required():
            found: Callable[..., Algorithm] = getattr(
                import_module(f"kerashpo.algorithms.{module}"), attribute
            )
        return found


_ENTRIES: dict[str, AlgorithmEntry] = {
    "random": AlgorithmEntry(
        "random:RandomSearch", "RandomSearch", "RandomSearchOracle", False, True
    ),
    "grid": AlgorithmEntry("grid:GridSearch", "GridSearch", "GridSearchOracle", False, True),
    "sobol": AlgorithmEntry("sobol:SobolSearch", reads_scores=False, several=True),
    "bayesian": AlgorithmEntry(
        "bayesian:BayesianOptimization",
        "BayesianOptimization",
        "BayesianOptimizationOracle",
        several=True,
    ),
    "auto": AlgorithmEntry("automatic_choice:AutomaticChoice", several=True),
    "tpe": AlgorithmEntry("tpe:TPE", several=True),
    "cmaes": AlgorithmEntry("cmaes:CMAES"),
    "de": AlgorithmEntry("de:DifferentialEvolution"),
    "nsga2": AlgorithmEntry("nsga2:NSGA2", "NSGA2", several=True),
    "pso": AlgorithmEntry("pso:ParticleSwarm"),
    "policy": AlgorithmEntry("policy:SearchPolicy"),
}


def algorithm_names() -> tuple[str, ...]:
    """Returns the names that `make_algorithm` takes."""
    return tuple(_ENTRIES)


def algorithm_entry(name: str) -> AlgorithmEntry:
    """Returns the registry entry of a name.

    Raises:
        InvalidInput: if there is nothing, with the nearest match.
    """
    if name not in _ENTRIES:
        raise unknown("algorithm", name, _ENTRIES)
    return _ENTRIES[name]


def algorithm_class(name: str) -> Callable[..., Algorithm]:
    """Returns the class behind a name.

    Raises:
        InvalidInput: if there is none, with the nearest match.
    """
    return algorithm_entry(name).load()


def algorithm_options(name: str) -> list[str]:
    """Returns the names of an algorithm's own keyword arguments.

    Raises:
        InvalidInput: for an unknown name.
    """
    parameters = inspect.signature(algorithm_class(name)).parameters
    return [one for one in parameters if one not in ("space", "seed")]


def make_algorithm(
    name: str, space: Space, seed: int, options: Mapping[str, Any] | None = None
) -> Algorithm:
    """Returns the algorithm of that name for a space.

    Args:
        name: one of `algorithm_names`.
        space: the search space.
        seed: the study's seed.
        options: further keyword arguments of its constructor; every algorithm takes
            ``enqueue``, configurations to try first, and ``warm_start``, earlier studies.

    Raises:
        InvalidInput: for an unknown name or option.
    """
    cls = algorithm_class(name)
    known = algorithm_options(name)
    if "enqueue" in (options or {}) and "enqueue" not in known:
        rest = dict(options or {})
        queue = rest.pop("enqueue")
        return Enqueued(make_algorithm(name, space, seed, rest), queue)
    if "warm_start" in (options or {}) and "warm_start" not in known:
        rest = dict(options or {})
        sources = read_sources(rest.pop("warm_start"), space)
        return BestFirst(make_algorithm(name, space, seed, rest), sources)
    for option in options or {}:
        if option not in known:
            raise InvalidInput(
                f"The algorithm {name!r} has no option {option!r}.{nearest(option, known)} "
                f"Known: {', '.join(known) or 'none'}."
            )
    made = cls(space, seed, **(options or {}))
    return made if space.projection is None else Projected(made)
