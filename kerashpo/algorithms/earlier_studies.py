"""Earlier studies as the sources of a warm start: configurations and their objective values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np

from kerashpo.core.history import History
from kerashpo.core.records import Config, Objective, Status
from kerashpo.space.space import Space

Pairs: TypeAlias = "Sequence[tuple[Mapping[str, Any], float]]"


@final
@dataclass(frozen=True, slots=True)
class EarlierStudy:
    """The finished trials of one earlier study.

    Attributes:
        pairs: configurations and objective values, in the direction of the new objective.
        name: how it is called in messages.
        features: features of its data, None where they are not known.
    """

    pairs: tuple[tuple[Config, float], ...]
    name: str = ""
    features: Mapping[str, float] | None = None

    def get_config(self) -> dict[str, Any]:
        """Returns what a resumed study compares; not the name, since a folder may be moved."""
        return {"pairs": [[dict(config), value] for config, value in self.pairs]}

    def best(self, objective: Objective) -> Config:
        """Returns the configuration with the lowest cost."""
        return min(self.pairs, key=lambda pair: objective.cost(pair[1]))[0]


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
        given = EarlierStudy(tuple((t.config, t.score) for t in done if t.score is not None))
    if isinstance(given, EarlierStudy):
        given = (given,)
    listed: list[Any] = list(given)
    if not all(isinstance(one, EarlierStudy) for one in listed):
        listed = [EarlierStudy(tuple(listed))]
    found = (_finite(one, space) for one in listed)
    return tuple(one for one in found if one.pairs)


def _finite(source: EarlierStudy, space: Space) -> EarlierStudy:
    pairs = [(c, float(v)) for c, v in source.pairs if v is not None and np.isfinite(v)]
    return EarlierStudy(
        tuple((space.complete(c), v) for c, v in pairs), source.name, source.features
    )


def best_first(sources: Iterable[EarlierStudy], objective: Objective) -> list[Config]:
    """Returns the best configuration of each source, in their order."""
    return [source.best(objective) for source in sources]
