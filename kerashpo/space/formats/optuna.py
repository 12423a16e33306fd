"""From and to Optuna's distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kerashpo.core.errors import InvalidInput, InvalidSpace, MissingExtra
from kerashpo.space.domains import Boolean, Choice, Domain, Float, Integer
from kerashpo.space.joining import joined
from kerashpo.space.params import Param

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_ABSENT = "needs optuna: python -m pip install 'kerashpo[optuna]'."


def params_of(source: Any) -> list[Param]:
    """Returns the parameters of Optuna distributions by name, or of those in a study's trials.

    Optuna knows no conditions: a parameter that only some trials have is tuned in all.

    Raises:
        MissingExtra: if optuna is not installed.
        InvalidInput: if it is neither.
        InvalidSpace: if a study holds two kinds of distribution under one name.
    """
    try:
        from optuna.distributions import BaseDistribution
    except ImportError:
        raise MissingExtra(f"from_optuna {_ABSENT}") from None
    several = [source] if isinstance(source, Mapping) else _of_trials(source)
    found: dict[str, Domain] = {}
    for distributions in several:
        for name, one in distributions.items():
            if not isinstance(one, BaseDistribution):
                raise InvalidInput(
                    f"from_optuna: {name!r} must be a distribution of Optuna's. Received: {one!r}."
                )
            domain = _domain(one)
            known = found.get(name, domain)
            if type(known) is not type(domain):
                raise InvalidSpace(f"Parameter {name!r} has two kinds of distribution.")
            found[name] = joined(known, domain)
    return [Param(name, domain) for name, domain in found.items()]


def _of_trials(study: Any) -> Sequence[Mapping[str, Any]]:
    if not hasattr(study, "trials"):
        raise InvalidInput(
            "from_optuna takes a dict of distributions, or an optuna.Study. "
            f"Received: {type(study).__name__}."
        )
    return [trial.distributions for trial in study.trials]


def _domain(one: Any) -> Domain:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(one, CategoricalDistribution):
        flags = set(one.choices) == {False, True} and all(isinstance(c, bool) for c in one.choices)
        return Boolean() if flags else Choice(tuple(one.choices))
    if isinstance(one, IntDistribution):
        step = None if one.step == 1 else one.step
        return Integer(one.low, one.high, step, "log" if one.log else "linear")
    return Float(one.low, one.high, one.step, "log" if one.log else "linear")


def distributions_of(params: Sequence[Param]) -> dict[str, BaseDistribution]:
    """Returns Optuna's distributions by name.

    Raises:
        MissingExtra: if optuna is not installed.
        InvalidSpace: for a conditional parameter, a logarithmic step, a reversed logarithm, or
            choices that Optuna cannot store.
    """
    try:
        from optuna.distributions import CategoricalDistribution
    except ImportError:
        raise MissingExtra(f"to_optuna {_ABSENT}") from None
    from optuna.distributions import FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for param in params:
        name, domain = param.name, param.domain
        if param.conditions:
            raise InvalidSpace(
                f"Parameter {name!r} exists only where {param.conditions[0].parent!r} has certain "
                "values, which Optuna's distributions cannot say."
            )
        match domain:
            case Float(low, _, step, "linear" | "log" as scale) if scale == "linear" or not step:
                found[name] = FloatDistribution(low, domain.at(1.0), log=scale == "log", step=step)
            case Integer(low, _, step, "linear" | "log" as scale) if scale == "linear" or not step:
                whole = int(step or 1)
                found[name] = IntDistribution(low, domain.at(1.0), log=scale == "log", step=whole)
            case Choice() if domain.scalar:
                found[name] = CategoricalDistribution(domain.values)
            case Boolean():
                found[name] = CategoricalDistribution((False, True))
            case _ if domain.levels == 1:
                found[name] = CategoricalDistribution((domain.default,))
            case _:
                raise InvalidSpace(f"Parameter {name!r}: Optuna has no counterpart of {domain!r}.")
    return found
