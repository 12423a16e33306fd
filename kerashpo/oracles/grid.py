"""Grid search in a space that KerasTuner's trials may still be discovering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerashpo.core.records import Config, Scalar
from kerashpo.oracles.base import FixedOracle
from kerashpo.space.domains import Domain
from kerashpo.space.params import Param
from kerashpo.space.space import Space
from kerashpo.training.hyperparameters import to_space

_SAMPLES = 10


def marks(domain: Domain) -> list[Scalar]:
    """Returns the values of one parameter in the order of the walk.

    The default comes first, since a parameter that appears late had it before. A continuum
    is its default and ten values, as in KerasTuner's grid.
    """
    if domain.levels:
        values = list(domain.listed())
    else:
        values = [domain.at((index + 0.5) / _SAMPLES) for index in range(_SAMPLES)]
    return [domain.default, *(value for value in values if value != domain.default)]


def successor(space: Space, values: Mapping[str, Any]) -> Config | None:
    """Returns the next configuration after one, the last parameter fastest; None at the end.

    Args:
        space: as it is known now.
        values: of a trial; what they lack is at its default.
    """
    active = _active(space, values)
    for index in range(len(active) - 1, -1, -1):
        param = active[index]
        steps = marks(param.domain)
        place = _place(param, values)
        if place + 1 < len(steps):
            kept = {p.name: mark_at(p, values) for p in active[:index]}
            return _complete(space, {**kept, param.name: steps[place + 1]})
    return None


def position(space: Space, values: Mapping[str, Any]) -> tuple[int, ...]:
    """Returns a sort key: where the walk meets a configuration."""
    places = {id(param): _place(param, values) for param in _active(space, values)}
    return tuple(places.get(id(param), 0) for param in space.params)


def mark_at(param: Param, values: Mapping[str, Any]) -> Scalar:
    """Returns a parameter's value as one of its marks."""
    return marks(param.domain)[_place(param, values)]


def _place(param: Param, values: Mapping[str, Any]) -> int:
    steps = marks(param.domain)
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
            known[param.name] = mark_at(param, values)
            found.append(param)
    return found


def _complete(space: Space, values: Mapping[str, Scalar]) -> Config:
    config: dict[str, Scalar] = {}
    for param in space.params:
        if param.active(config):
            config[param.name] = values.get(param.name, param.domain.default)
    return config


class GridSearchOracle(FixedOracle):
    """Every configuration of a finite space, in order, none twice.

    A trial that ends has its turn: what follows it is tried unless a later trial has been.
    So a parameter that appears under some values only is not crossed with the others. A
    parameter without a step counts with its default and ten values.

    Args:
        objective: see `FixedOracle`.
        max_trials: trials at most; None for all.
        seed: see `FixedOracle`.
        hyperparameters: see `FixedOracle`.
        allow_new_entries: see `FixedOracle`.
        tune_new_entries: see `FixedOracle`.
        max_retries_per_trial: see `FixedOracle`.
        max_consecutive_failed_trials: see `FixedOracle`.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: Any = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int | None = 3,
    ) -> None:
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
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
        """Returns what a reload needs besides the trials."""
        return {**super().get_state(), "turns_taken": self._taken}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes over what `get_state` returned."""
        super().set_state(state)
        self._taken = int(state["turns_taken"])

    def _turns(self) -> list[str]:
        """Returns whose successors are to be tried: the first trial, then each as it ends.

        The first has a turn before it ends, so that a second worker need not wait.
        """
        marks = self._ordered()
        return [*(t for _, t in marks[:1]), *(t for kind, t in marks if kind == "end")]

    def _is_new(self, space: Space, values: Mapping[str, Any], found: Config) -> bool:
        """Whether a successor comes before every trial that is later than its origin."""
        here, there = position(space, values), position(space, found)
        places = (position(space, self._values(trial_id)) for trial_id in self.trials)
        return all(there < place for place in places if place > here)

    def _values(self, trial_id: str) -> Mapping[str, Any]:
        values: Mapping[str, Any] = self.trials[trial_id].hyperparameters.values
        return values
