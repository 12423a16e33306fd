"""From and to Optuna's distributions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kerashpo.core.errors import InvalidInput, InvalidSpace, MissingExtra
from kerashpo.space.domains import Boolean, Choice, Domain, Float, Integer
from kerashpo.space.joining import joined
from kerashpo.space.params import Condition, Param

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_LEAST_TRIALS = 4
"""Complete trials with a parameter, and without it, from which a condition is inferred."""
_MOST_LISTED = 1000
_TO_THE_CALLER = 4
_ABSENT = "needs optuna: python -m pip install 'kerashpo[optuna]'."


def params_of(source: Any) -> list[Param]:
    """Returns the parameters of Optuna distributions by name, or of those in a study's trials.

    Optuna records no conditions. A parameter that only some complete trials of a study have gets
    one if their values leave no doubt (see `_condition`); otherwise it is tuned in all, with a
    warning that names it.

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
    if isinstance(source, Mapping):
        return [Param(name, domain) for name, domain in found.items()]
    complete = [trial.params for trial in source.trials if trial.state.name == "COMPLETE"]
    return _conditional(found, complete)


def _conditional(found: Mapping[str, Domain], trials: Sequence[Mapping[str, Any]]) -> list[Param]:
    """Returns the parameters of complete trials, with the conditions that follow from these."""
    params, lost = [], []
    for index, (name, domain) in enumerate(found.items()):
        having = sum(name in trial for trial in trials)
        conditions: tuple[Condition, ...] = ()
        if having < len(trials):
            before = dict(list(found.items())[:index])
            conditions = _condition(name, before, trials)
            if not conditions:
                lost.append(f"{name!r} ({having} of {len(trials)})")
        params.append(Param(name, domain, conditions))
    if lost:
        warnings.warn(
            f"from_optuna: only some complete trials have {', '.join(lost)}, and no condition "
            "follows from the others' values without doubt, so every configuration has them. "
            "Where they exist under a condition, declare them with kerashpo.space.when.",
            stacklevel=_TO_THE_CALLER,
        )
    return params


def _condition(
    name: str, before: Mapping[str, Domain], trials: Sequence[Mapping[str, Any]]
) -> tuple[Condition, ...]:
    """Returns the one condition of a parameter that explains every trial, or none.

    Its parent is an earlier parameter with finitely many values, all of which were seen; those
    of the trials with and without `name` are disjoint. Where two parents would do, or fewer
    than four trials speak for either side, there is doubt.
    """
    inside = [trial for trial in trials if name in trial]
    outside = [trial for trial in trials if name not in trial]
    if min(len(inside), len(outside)) < _LEAST_TRIALS:
        return ()
    explain = []
    for parent, domain in before.items():
        if not 0 < domain.levels <= _MOST_LISTED or not all(parent in t for t in inside):
            continue
        with_it = {trial[parent] for trial in inside}
        without = {trial[parent] for trial in outside if parent in trial}
        listed = list(domain.listed())
        if without and not with_it & without and with_it | without == set(listed):
            values = tuple(value for value in listed if value in with_it)
            explain.append(Condition(parent, values))
    return tuple(explain) if len(explain) == 1 else ()


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
