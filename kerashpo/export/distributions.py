"""Our domains as Optuna's distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from kerashpo.core.records import Config
from kerashpo.space.domains import Choice, Domain, Float, Integer
from kerashpo.space.params import Param
from kerashpo.space.space import Space


@final
@dataclass(frozen=True, slots=True)
class Translated:
    """One of our parameters, as Optuna knows it.

    Attributes:
        param: ours.
        name: Optuna's.
        distribution: Optuna's.
    """

    param: Param
    name: str
    distribution: BaseDistribution

    def value(self, stored: Any) -> Any:
        """Returns a stored value as one of the distribution's."""
        domain = self.param.domain
        told = domain.realise(stored) if isinstance(domain, Choice) else stored
        return plain(told) if isinstance(self.distribution, CategoricalDistribution) else told


def translate(space: Space) -> list[Translated]:
    """Returns every parameter of a space.

    Optuna wants one kind of distribution, and equal choices, under one name. A name that is
    declared several times under different conditions keeps its name where that holds (the
    choices are united); otherwise its conditions become part of it.
    """
    groups: dict[str, list[Param]] = {}
    for param in space.params:
        groups.setdefault(param.name, []).append(param)
    found = {id(one.param): one for group in groups.values() for one in _group(group)}
    return [found[id(param)] for param in space.params]


def values(translated: Iterable[Translated], config: Config) -> Mapping[str, tuple[Any, Any]]:
    """Returns value and distribution, by Optuna's name, of the parameters that a trial has."""
    return {
        one.name: (one.value(config[one.param.name]), one.distribution)
        for one in translated
        if one.param.name in config and one.param.active(config)
    }


def plain(value: Any) -> Any:
    """Returns what Optuna may store of a choice: it itself, or how it prints."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)


def _group(params: list[Param]) -> list[Translated]:
    made = [distribution(param.domain) for param in params]
    if len({type(one) for one in made}) == 1:
        if not isinstance(made[0], CategoricalDistribution):
            return [Translated(p, p.name, one) for p, one in zip(params, made)]
        union = CategoricalDistribution(
            tuple(_distinct(choice for one in made for choice in one.choices))
        )
        return [Translated(param, param.name, union) for param in params]
    return [Translated(p, f"{p.name} ({_where(p)})", one) for p, one in zip(params, made)]


def distribution(domain: Domain) -> BaseDistribution:
    """Returns the distribution of a domain.

    A logarithmic step and a reversed logarithm have no counterpart: the range is kept.
    """
    match domain:
        case Float(low, high, step, scale):
            if scale == "linear" and step is not None:
                high = domain.at(1.0)
            kept = step if scale == "linear" and high > low else None
            return FloatDistribution(low, high, log=scale == "log", step=kept)
        case Integer(low, high, step, scale):
            whole = int(step or 1) if scale == "linear" else 1
            top = low + (high - low) // whole * whole
            return IntDistribution(low, top, log=scale == "log", step=whole)
        case Choice():
            return CategoricalDistribution(tuple(plain(value) for value in domain.values))
        case _:
            return CategoricalDistribution(tuple(plain(value) for value in domain.listed()))


def _distinct(choices: Iterable[Any]) -> list[Any]:
    kept: dict[tuple[type, Any], Any] = {}
    for choice in choices:
        kept.setdefault((type(choice), choice), choice)
    return list(kept.values())


def _where(param: Param) -> str:
    return ", ".join(f"{c.parent}={'|'.join(map(str, c.values))}" for c in param.conditions)
