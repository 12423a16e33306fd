"""The objective values of earlier studies, in the terms of a new search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from kerashpo.algorithms.earlier_studies import Values
from kerashpo.core.errors import InvalidInput
from kerashpo.core.records import Objective
from kerashpo.space.space import Space


@final
@dataclass(frozen=True, slots=True)
class Mapped:
    """An earlier study and the declared differences of its space.

    Attributes:
        study: a study, its results, its folder or a folder of several.
        rename: by an earlier name the name in the new space.
        values: values of parameters that the earlier study did not have.
        drop: earlier parameters that the new space does not have.
        objective: the earlier objective, where it is another one than the new search's; of
            several objectives a mapping from the new names to the earlier ones.
    """

    study: Any
    rename: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    drop: Sequence[str] = ()
    objective: str | Mapping[str, str] | None = None

    def expected(self, objective: Objective) -> str:
        """Returns the earlier name of an objective of the new search."""
        if isinstance(self.objective, Mapping):
            return self.objective.get(objective.name, objective.name)
        return objective.name if self.objective is None else self.objective

    def declares(self, objective: Objective) -> bool:
        """Whether the user said which earlier objective this one is."""
        given = self.objective
        return objective.name in given if isinstance(given, Mapping) else given is not None


@final
@dataclass(frozen=True, slots=True)
class Trials:
    """The finished trials of one study.

    Attributes:
        name: how it is called in messages.
        pairs: configurations, and the values of the objectives by their names; one number
            where the study does not record what it is.
        space: its space, where it recorded it.
        objectives: its objectives, where it recorded them.
        features: those of its data, where they were noted.
    """

    name: str
    pairs: Sequence[tuple[Mapping[str, Any], float | Mapping[str, float]]]
    space: Space | None = None
    objectives: tuple[Objective, ...] = ()
    features: Mapping[str, float] | None = None


class Unfit(InvalidInput):
    """A study does not fit the new search, and no mapping says how."""


def values_of(
    trials: Trials, entry: Mapped, objectives: Sequence[Objective]
) -> list[Values | None]:
    """Returns the values of each trial, in the directions of the new search.

    With several objectives a study counts for those that it has: the others are None. A trial
    without any is None.

    Args:
        trials: the earlier trials.
        entry: what the user declared of them.
        objectives: those that rank in the new search.

    Raises:
        Unfit: if the study has none of them, or has one in another direction.
    """
    _check_declared(entry, objectives)
    scores = [score for _, score in trials.pairs if isinstance(score, Mapping)]
    plain = [float(score) for _, score in trials.pairs if not isinstance(score, Mapping)]
    if plain and scores:
        raise Unfit(f"{trials.name} mixes single scores and mappings of scores.")
    if plain and len(objectives) > 1:
        listed = ", ".join(one.name for one in objectives)
        example = "{" + ", ".join(f"{one.name!r}: ..." for one in objectives) + "}"
        raise Unfit(
            f"{trials.name} holds one value a configuration and does not say of which objective; "
            f"this search has several ({listed}). Pass pairs of values and a mapping {example}."
        )
    if not scores:
        return [score if math.isfinite(score) else None for score in plain]
    signs = [_sign(trials.objectives, scores, trials.name, entry, one) for one in objectives]
    if not any(signs):
        raise Unfit(_without(trials.objectives, scores, trials.name, entry, objectives))
    names = [entry.expected(one) for one in objectives]
    return [_row(score, names, signs) for score in scores]


def _check_declared(entry: Mapped, objectives: Sequence[Objective]) -> None:
    """Raises InvalidInput for a declared objective that does not say which of several it is."""
    given, names = entry.objective, [one.name for one in objectives]
    single = isinstance(given, str) and len(names) == 1
    if given is None or single or (isinstance(given, Mapping) and set(given) <= set(names)):
        return
    example = "{" + ", ".join(f"{name!r}: 'earlier name'" for name in names) + "}"
    raise InvalidInput(
        f"warm_start: 'objective' must be the name of the earlier study's objective, or a mapping "
        f"from objectives of this search to earlier ones, e.g. {example}. Received: {given!r}."
    )


def _row(score: Mapping[str, float], names: Sequence[str], signs: Sequence[float]) -> Values | None:
    found = [
        sign * float(score[name]) if sign and math.isfinite(score.get(name, math.nan)) else None
        for name, sign in zip(names, signs)
    ]
    if all(value is None for value in found):
        return None
    return found[0] if len(found) == 1 else tuple(found)


def _sign(
    theirs: Sequence[Objective],
    scores: Sequence[Mapping[str, float]],
    name: str,
    entry: Mapped,
    objective: Objective,
) -> float:
    """Returns -1 where the study's values have the other direction, 0 where it has none."""
    expected = entry.expected(objective)
    if not theirs and any(expected in score for score in scores):
        return 1.0
    found = next((one for one in theirs if one.name == expected), None)
    if found is not None and found.direction == objective.direction:
        return 1.0
    if found is not None and entry.declares(objective):
        return -1.0
    if found is not None or entry.declares(objective):
        raise Unfit(_without(theirs, scores, name, entry, [objective]))
    return 0.0


def _without(
    theirs: Sequence[Objective],
    scores: Sequence[Mapping[str, float]],
    name: str,
    entry: Mapped,
    objectives: Sequence[Objective],
) -> str:
    """Returns the message that a study has none of some objectives."""
    names = [one.name for one in theirs] or list(dict.fromkeys(n for row in scores for n in row))
    had = ", ".join([f"{one.name} ({one.direction})" for one in theirs] or names)
    ours = " and ".join(f"{entry.expected(one)} ({one.direction})" for one in objectives)
    declared = repr(names[0] if len(objectives) == 1 else {objectives[0].name: names[0]})
    return (
        f"{name} searched for {had}, not for {ours}. If its order of configurations counts here, "
        f"say so: {{'study': ..., 'objective': {declared}}}."
    )
