"""The tables of successive halving and Hyperband, as pure functions.

Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: A Novel
Bandit-Based Approach to Hyperparameter Optimization", JMLR 18 (2018), Algorithm 1.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from kerashpo.core.records import Plan, Rung

Bracket: TypeAlias = tuple[Rung, ...]


def exponent(max_epochs: int, factor: int, min_epochs: int = 1) -> int:
    """Returns the largest k with ``min_epochs * factor**k <= max_epochs``.

    By integers: ``math.log(243, 3)`` is 4.999 and ``math.log(1000, 10)`` is 2.999.
    """
    k = 0
    while min_epochs * factor ** (k + 1) <= max_epochs:
        k += 1
    return k


def halving_bracket(trials: int, max_epochs: int, factor: int, rungs: int) -> Bracket:
    """Returns a bracket of `rungs` rungs whose last one trains `max_epochs` epochs.

    Rung i of n holds floor(trials / factor**i) configurations (at least one), trained
    through round(max_epochs / factor**(n - 1 - i)) epochs; rungs of equal epochs are one.
    """
    table: list[Rung] = []
    for i in range(rungs):
        epochs = max(1, round(max_epochs / factor ** (rungs - 1 - i)))
        size = max(1, trials // factor**i)
        if table and table[-1].epochs == epochs:
            continue
        table.append(Rung(size, epochs))
    return tuple(table)


def hyperband_brackets(max_epochs: int, factor: int, min_epochs: int = 1) -> tuple[Bracket, ...]:
    """Returns the brackets of one Hyperband iteration, the most aggressive first."""
    top = exponent(max_epochs, factor, min_epochs)
    return tuple(
        halving_bracket(
            math.ceil((top + 1) * factor**s / (s + 1)), max_epochs, factor, rungs=s + 1
        )
        for s in range(top, -1, -1)
    )


def shrink(bracket: Bracket, trials: int) -> Bracket:
    """Returns the bracket for fewer configurations than planned; its last rung stays."""
    planned = bracket[0].trials
    if trials >= planned:
        return bracket
    return tuple(Rung(max(1, rung.trials * trials // planned), rung.epochs) for rung in bracket)


def fit(brackets: tuple[Bracket, ...], limit: float) -> tuple[Bracket, ...]:
    """Returns the brackets that `limit` configurations can fill, the last one shrunk."""
    fitted: list[Bracket] = []
    for bracket in brackets:
        if limit < 1:
            break
        fitted.append(shrink(bracket, int(min(limit, bracket[0].trials))))
        limit -= bracket[0].trials
    return tuple(fitted)


def epochs_of(bracket: Bracket) -> int:
    """Returns the epochs that a bracket trains when promoted trials resume."""
    before = (0, *(rung.epochs for rung in bracket))
    return sum(rung.trials * (rung.epochs - done) for rung, done in zip(bracket, before))


def plan_of(brackets: tuple[Bracket, ...], notes: tuple[str, ...] = ()) -> Plan:
    """Returns the plan that trains the given brackets."""
    trials = sum(bracket[0].trials for bracket in brackets)
    return Plan(brackets, trials, sum(epochs_of(bracket) for bracket in brackets), notes)
