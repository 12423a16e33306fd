"""Grid search in a space that grows while KerasTuner's trials discover it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from kerashpo.core.records import Config, Scalar
from kerashpo.oracles.base import FixedOracle, OracleOptions, with_shared_options
from kerashpo.space.domains import Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.training.keras_tuner_params import to_space

_SAMPLES = 10


def grid_values(domain: Domain) -> list[Scalar]:
    """Returns the grid values of a parameter in their order.

    The default comes first, since a parameter discovered late had it in earlier trials. A
    continuous range has its default and ten values, as in KerasTuner's grid.
    """
    if domain.levels:
        values = list(domain.listed())
    else:
        values = [domain.at((index + 0.5) / _SAMPLES) for index in range(_SAMPLES)]
    return [domain.default, *(value for value in values if value != domain.default)]


def successor(space: Space, values: Mapping[str, Any]) -> Config | None:
    """Returns the next configuration of the grid, the last parameter fastest; None at the end.

    Args:
        space: the space as it is known now.
        values: those of a trial; missing ones are at their default.
    """
    active = _active(space, values)
    for index in range(len(active) - 1, -1, -1):
        param = active[index]
        steps = grid_values(param.domain)
        place = _place(param, values)
        if place + 1 < len(steps):
            kept = {p.name: grid_value(p, values) for p in active[:index]}
            return _complete(space, {**kept, param.name: steps[place + 1]})
    return None


def position(space: Space, values: Mapping[str, Any]) -> tuple[int, ...]:
    """Returns a sort key: the position of a configuration in the grid."""
    places = {id(param): _place(param, values) for param in _active(space, values)}
    return tuple(places.get(id(param), 0) for param in space.params)


def grid_value(param: Param, values: Mapping[str, Any]) -> Scalar:
    """Returns the grid value that a trial has for a parameter."""
    return grid_values(param.domain)[_place(param, values)]


def _place(param: Param, values: Mapping[str, Any]) -> int:
    steps = grid_values(param.domain)
    value = values.get(param.name, param.domain.default)
    same = (i for i, step in enumerate(steps) if _equal(step, value))
    return next(same, 0)


def _equal(step: Scalar, value: Any) -> bool:
    return isinstance(step, bool) == isinstance(value, bool) and bool(step == value)


def _active(space: Space, values: Mapping[str, Any]) -> list[Param]:
    found: list[Param] = []
    known: dict[str, Scalar] = {}
    for param in space.params:
        if param.active(known):
            known[param.name] = grid_value(param, values)
            found.append(param)
    return found


def _complete(space: Space, values: Mapping[str, Scalar]) -> Config:
    config: dict[str, Scalar] = {}
    for param in space.params:
        if param.active(config):
            config[param.name] = values.get(param.name, param.domain.default)
    return config


class GridSearchOracle(FixedOracle):
    """Grid search: every configuration of a finite space, in order, each once.

    When a trial ends, its successor in the grid is tried unless a later configuration was.
    A parameter that the hypermodel defines only under some values of another one is therefore
    not combined with the other values. A parameter without a step has its default and ten
    values.

    Args:
        objective: see `FixedOracle`.
        max_trials: the most trials; None for the whole grid.
        **shared: see `FixedOracle`; by position too, as in KerasTuner.
    """

    @with_shared_options
    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        **shared: Unpack[OracleOptions],
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            **shared,
        )
        self._taken = 0

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, see `keras_tuner.Oracle.populate_space`."""
        space = to_space(self.hyperparameters)
        assert space is not None
        if not self.trials:
            return {"status": "RUNNING", "values": dict(space.default())}
        turns = self._turns()
        while self._taken < len(turns):
            values = self._values(turns[self._taken])
            self._taken += 1
            found = successor(space, values)
            if found is not None and self._is_new(space, values, found):
                return {"status": "RUNNING", "values": dict(found)}
        return {"status": "IDLE" if self.ongoing_trials else "STOPPED"}

    def get_state(self) -> dict[str, Any]:
        """Returns the state that a reload needs besides the trials."""
        return {**super().get_state(), "turns_taken": self._taken}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores the state returned by `get_state`."""
        super().set_state(state)
        self._taken = int(state["turns_taken"])

    def _turns(self) -> list[str]:
        """Returns the trials whose successors are tried: the first, then each one as it ends.

        The first is included before it ends, so that a second worker need not wait.
        """
        marks = self._ordered()
        return [*(t for _, t in marks[:1]), *(t for kind, t in marks if kind == "end")]

    def _is_new(self, space: Space, values: Mapping[str, Any], found: Config) -> bool:
        """Whether a successor comes before every trial that is later than its predecessor."""
        here, there = position(space, values), position(space, found)
        places = (position(space, self._values(trial_id)) for trial_id in self.trials)
        return all(there < place for place in places if place > here)

    def _values(self, trial_id: str) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self.trials[trial_id].hyperparameters.values
        return values
