"""Ranges that depend on other values, as the trials so far have declared them.

The code of `run_trial` or `HyperModel.fit` cannot be called without training, so what it declares
is known only from trials. Which parameter is declared next, and its range, follow from the values
of those declared before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, final

from kerashpo.core.records import Config, Scalar
from kerashpo.space.joining import joined
from kerashpo.space.params import Param
from kerashpo.space.projection import nearest_value
from kerashpo.space.space import Space

_Declared: TypeAlias = "Sequence[Mapping[str, Any]]"
_Before: TypeAlias = "tuple[tuple[str, Scalar], ...]"


@final
class ObservedRanges:
    """The declarations of trials, by the values declared before.

    Args:
        trials: for each trial the definitions of its parameters (`Param.to_json`) in the order
            of their declaration, and its configuration.
    """

    def __init__(self, trials: Iterable[tuple[_Declared, Config]]) -> None:
        self._next: dict[_Before, Param] = {}
        for declared, config in trials:
            before: _Before = ()
            for param in map(Param.from_json, declared):
                if param.name in config and param.name not in dict(before):
                    self._next[before] = param
                    before = (*before, (param.name, config[param.name]))

    def project(self, config: Config, space: Space) -> Config:
        """Returns the configuration that is trained for a proposed one, as far as it is known.

        Args:
            config: a proposed configuration.
            space: the search space.
        """
        values = dict(config)
        before: _Before = ()
        while (param := self._next.get(before)) is not None and param.name in values:
            values[param.name] = nearest_value(param.domain, values[param.name])
            before = (*before, (param.name, values[param.name]))
        if values == config:
            return config
        return {
            param.name: values.get(param.name, param.domain.default)
            for param in space.params
            if param.active(values)
        }


def depend(space: Mapping[str, Any], trials: Iterable[_Declared]) -> bool:
    """Whether a trial declared another range than that of the space, see `wider`.

    Args:
        space: the search space, `Space.to_json`.
        trials: for each trial the definitions of its parameters, `Param.to_json`.
    """
    known: dict[str, set[str]] = {}
    for param in space["params"]:
        known.setdefault(param["name"], set()).add(_domain(param))
    return any(
        param["name"] in known and _domain(param) not in known[param["name"]]
        for declared in trials
        for param in declared
    )


def _domain(param: Mapping[str, Any]) -> str:
    return json.dumps({k: v for k, v in param.items() if k not in ("name", "when")}, sort_keys=True)


def wider(space: Mapping[str, Any], params: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns the parameters that a space does not contain, or contains with fewer values.

    Args:
        space: the search space, `Space.to_json`.
        params: definitions, `Param.to_json`. A range is joined with the one that is known; a
            parameter with several definitions, under different conditions, keeps them.
    """
    known: dict[str, list[Param]] = {}
    for param in Space.from_json(space).params:
        known.setdefault(param.name, []).append(param)
    found: dict[str, dict[str, Any]] = {}
    for param in map(Param.from_json, params):
        before = known.get(param.name, [])
        if len(before) > 1:
            continue
        for one in before:
            param = Param(param.name, joined(one.domain, param.domain), one.conditions)
        if [param] != before:
            known[param.name] = [param]
            found[param.name] = param.to_json()
    return list(found.values())
