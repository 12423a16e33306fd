"""Earlier studies as the sources of a warm start: configurations and their objective values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

import numpy as np

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.pareto import from_knee
from kerashpo.core.records import Config, Objective, Status
from kerashpo.core.trial import Trial
from kerashpo.space.cube import Matrix
from kerashpo.space.space import Space

Pairs: TypeAlias = "Sequence[tuple[Mapping[str, Any], float]]"
Values: TypeAlias = "float | tuple[float | None, ...]"
"""One objective value; of several objectives one each, None for those a study does not have."""


@final
@dataclass(frozen=True, slots=True)
class EarlierStudy:
    """The finished trials of one earlier study.

    Attributes:
        pairs: configurations and objective values, in the directions of the new objectives.
        name: how it is called in messages.
        features: features of its data, None where they are not known.
    """

    pairs: tuple[tuple[Config, Values], ...]
    name: str = ""
    features: Mapping[str, float] | None = None

    def get_config(self) -> dict[str, Any]:
        """Returns what a resumed study compares; not the name, since a folder may be moved."""
        return {"pairs": [[dict(config), _plain(value)] for config, value in self.pairs]}

    def column(self, position: int) -> Matrix | None:
        """Returns the values (n,) of one objective; None where this study does not have it."""
        found = [v[position] if isinstance(v, tuple) else v for _, v in self.pairs]
        return None if None in found else np.array(found, dtype=float)

    def of(self, position: int) -> EarlierStudy | None:
        """Returns this study with the values of one objective; None where it has none."""
        values = self.column(position)
        if values is None:
            return None
        pairs = tuple((config, float(v)) for (config, _), v in zip(self.pairs, values))
        return replace(self, pairs=pairs)

    def starts(self, objectives: Sequence[Objective]) -> list[Config]:
        """Returns the configuration with the lowest cost.

        With several objectives these are the knee of the Pareto front, see `from_knee`, and
        then its ends: the lowest cost of each objective that this study has.
        """
        signs = [1.0 if one.direction == "min" else -1.0 for one in objectives]
        columns = [(sign, self.column(k)) for k, sign in enumerate(signs)]
        costs = np.column_stack([sign * c for sign, c in columns if c is not None])
        if costs.shape[1] == 1:
            return [self.pairs[int(np.argmin(costs))][0]]
        order = from_knee(costs)
        ends = [order[np.argmin(costs[order, k])] for k in range(costs.shape[1])]
        return [self.pairs[i][0] for i in dict.fromkeys([order[0], *ends])]


def read_sources(
    given: History | EarlierStudy | Pairs | Iterable[EarlierStudy], space: Space
) -> tuple[EarlierStudy, ...]:
    """Returns the sources of a warm start, completed to configurations of a space.

    Args:
        given: a history, pairs of configuration and value (one study), or several sources.
        space: the search space.

    Raises:
        InvalidSpace: if a configuration is not of this space.
    """
    if isinstance(given, History):
        done = (t for t in given.trials.values() if t.status is Status.COMPLETED)
        rows = [(t.config, _values(t, given)) for t in done]
        given = EarlierStudy(tuple((c, values) for c, values in rows if values is not None))
    if isinstance(given, EarlierStudy):
        given = (given,)
    listed: list[Any] = list(given)
    if not all(isinstance(one, EarlierStudy) for one in listed):
        listed = [EarlierStudy(tuple(listed))]
    found = (_finite(one, space) for one in listed)
    return tuple(one for one in found if one.pairs)


def _values(trial: Trial, history: History) -> Values | None:
    """Returns a trial's value, or those of all objectives that rank."""
    if not history.several:
        return trial.score
    return tuple(trial.values.get(one.name) for one in history.objectives)


def _plain(value: Values) -> float | list[float | None]:
    """Returns a value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def _finite(source: EarlierStudy, space: Space) -> EarlierStudy:
    """Returns the study without the configurations that lack a value which others have."""
    rows = [(c, v if isinstance(v, tuple) else (v,)) for c, v in source.pairs]
    had = [any(v is not None for v in column) for column in zip(*(v for _, v in rows))]
    pairs = tuple(
        (space.complete(config), given)
        for (config, given), (_, values) in zip(source.pairs, rows)
        if any(had) and all(v is not None and np.isfinite(v) for v, h in zip(values, had) if h)
    )
    return replace(source, pairs=tuple((c, _floats(v)) for c, v in pairs))


def _floats(given: Values) -> Values:
    if isinstance(given, tuple):
        return tuple(None if v is None else float(v) for v in given)
    return float(given)


def best_first(sources: Sequence[EarlierStudy], objectives: Sequence[Objective]) -> list[Config]:
    """Returns the best configuration of each source, in their order.

    With several objectives the knee of each front, and after these the fronts' ends.

    Args:
        sources: the earlier studies.
        objectives: those that rank.

    Raises:
        InvalidInput: if a source does not have one value for each objective.
    """
    for source in sources:
        check_values(source, objectives)
    found = [source.starts(objectives) for source in sources]
    return [*(knee for knee, *_ in found), *(end for _, *ends in found for end in ends)]


def check_values(source: EarlierStudy, objectives: Sequence[Objective]) -> None:
    """Raises InvalidInput for values that are not one for each objective."""
    for _, value in source.pairs:
        count = len(value) if isinstance(value, tuple) else 1
        if count != len(objectives):
            names = ", ".join(one.name for one in objectives)
            raise InvalidInput(
                f"An earlier study must have one value for each objective ({names}), None where "
                f"it does not know it. Received: {value!r}."
            )
