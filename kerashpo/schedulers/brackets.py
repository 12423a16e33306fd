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

    Computed with integers: ``math.log(243, 3)`` is 4.999 and ``math.log(1000, 10)`` is 2.999.
    """
    k = 0
    while min_epochs * factor ** (k + 1) <= max_epochs:
        k += 1
    return k


def halving_bracket(trials: int, max_epochs: int, factor: int, rungs: int) -> Bracket:
    """Returns a bracket of `rungs` rungs whose last one trains `max_epochs` epochs.

    Rung i of n holds floor(trials / factor**i) configurations (at least one), trained
    through round(max_epochs / factor**(n - 1 - i)) epochs; rungs of equal epochs are merged.
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
        halving_bracket(math.ceil((top + 1) * factor**s / (s + 1)), max_epochs, factor, rungs=s + 1)
        for s in range(top, -1, -1)
    )


def shrink(bracket: Bracket, trials: int) -> Bracket:
    """Returns the bracket for fewer configurations than planned; the last rung is kept."""
    planned = bracket[0].trials
    if trials >= planned:
        return bracket
    return tuple(Rung(max(1, rung.trials * trials // planned), rung.epochs) for rung in bracket)


def fit(brackets: tuple[Bracket, ...], limit: float) -> tuple[Bracket, ...]:
    """Returns the brackets that `limit` configurations can fill; the last one is shrunk."""
    fitted: list[Bracket] = []
    for bracket in brackets:
        if limit < 1:
            break
        fitted.append(shrink(bracket, int(min(limit, bracket[0].trials))))
        limit -= bracket[0].trials
    return tuple(fitted)


def epochs_of(bracket: Bracket) -> int:
    """Returns the epochs that a bracket trains if promoted trials resume."""
    before = (0, *(rung.epochs for rung in bracket))
    return sum(rung.trials * (rung.epochs - done) for rung, done in zip(bracket, before))


def brackets_plan(
    brackets: tuple[Bracket, ...], limit: float, budget: float, endless: bool
) -> Plan:
    """Returns the plan of consecutive brackets within the bounds.

    Args:
        brackets: the brackets of one iteration.
        limit: the most configurations.
        budget: the most epochs.
        endless: whether iterations are repeated until a bound is met.
    """
    bounded = min(limit, budget) < math.inf
    if endless and bounded:
        brackets = _repeated(brackets, limit, budget)
    plan = plan_of(fit(brackets, limit))
    if endless and not bounded:
        note = "These brackets are repeated until the space is exhausted."
        return Plan(plan.brackets, None, None, (note,))
    return within(plan, budget)


def _repeated(brackets: tuple[Bracket, ...], limit: float, budget: float) -> tuple[Bracket, ...]:
    taken: list[Bracket] = []
    while limit > 0 and budget > 0:
        taken.append(brackets[len(taken) % len(brackets)])
        limit -= taken[-1][0].trials
        budget -= epochs_of(taken[-1])
    return tuple(taken)


def within(plan: Plan, budget: float) -> Plan:
    """Returns a plan truncated at `budget` epochs, with a warning if no trial can be finished."""
    if plan.epochs is not None and plan.epochs <= budget:
        return plan
    notes = plan.notes
    needed = _first_finish(plan.brackets[0]) if plan.brackets else 0
    if budget < needed:
        warning = (
            f"The budget of {int(budget)} epochs cannot reach the last rung of "
            f"{plan.brackets[0][-1].epochs} epochs: that takes {needed}. Raise the budget, lower "
            "max_epochs, or raise min_epochs."
        )
        notes = (*notes, warning)
    return Plan(plan.brackets, plan.trials, int(budget), notes)


def _first_finish(bracket: Bracket) -> int:
    """Returns how many epochs pass until one trial has completed the last rung."""
    return epochs_of((*bracket[:-1], Rung(1, bracket[-1].epochs)))


def plan_of(brackets: tuple[Bracket, ...], notes: tuple[str, ...] = ()) -> Plan:
    """Returns the plan that trains the given brackets."""
    trials = sum(bracket[0].trials for bracket in brackets)
    return Plan(brackets, trials, sum(epochs_of(bracket) for bracket in brackets), notes)


def asha_levels(max_epochs: int, factor: int, min_epochs: int = 1) -> tuple[int, ...]:
    """Returns the epochs of ASHA's rungs: min_epochs * factor**k below `max_epochs`, then that.

    Source: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht and Talwalkar, "A
    System for Massively Parallel Hyperparameter Tuning", MLSys 2020, Algorithm 2. Computed
    with integers, so that the top rung of 243 by 3 or 1000 by 10 is not lost.
    """
    below = exponent(max_epochs, factor, min_epochs) + 1
    levels = [min_epochs * factor**k for k in range(below)]
    return tuple(levels if levels[-1] == max_epochs else [*levels, max_epochs])


def asha_bracket(levels: tuple[int, ...], factor: int, trials: int) -> Bracket:
    """Returns the rungs that `trials` configurations usually fill under ASHA.

    Each rung holds floor(n / factor) of the one before; the last holds at least one trial,
    since a search promotes its best when it ends.
    """
    return tuple(Rung(max(1, trials // factor**k), epochs) for k, epochs in enumerate(levels))


def asha_plan(levels: tuple[int, ...], factor: int, limit: float, budget: float) -> Plan:
    """Returns ASHA's plan for at most `limit` configurations and `budget` epochs.

    `Plan.epochs` is the worst case: every arrival brings at most one trial into the top of
    its rung, so that n members promote at most n - factor + 1.
    """
    if limit == math.inf and budget == math.inf:
        return Plan((), None, None)
    trials = _affordable(levels, factor, limit, budget)
    if trials < 1:
        return Plan((), 0, 0)
    bracket = asha_bracket(levels, factor, trials)
    usual, most = epochs_of(bracket), _most_epochs(levels, factor, limit)
    usually = (
        f"About {usual} epochs are usual; at most {int(min(most, budget))}, if each trial is "
        "better than those before it."
    )
    notes = (usually,) if min(most, budget) > usual else ()
    known = trials if limit < math.inf else None
    plan = within(Plan((bracket,), known, usual, notes), budget)
    return Plan(plan.brackets, plan.trials, int(min(most, budget)), plan.notes)


def _affordable(levels: tuple[int, ...], factor: int, limit: float, budget: float) -> int:
    """Returns how many configurations `budget` epochs usually suffice for, at most `limit`."""
    if budget == math.inf:
        return int(limit)
    low, high = 0, int(min(limit, budget // levels[0]))
    while low < high:
        middle = (low + high + 1) // 2
        fits = epochs_of(asha_bracket(levels, factor, middle)) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    return max(low, 1)


def _most_epochs(levels: tuple[int, ...], factor: int, limit: float) -> float:
    if limit == math.inf:
        return math.inf
    total, members, done = 0, int(limit), 0
    for epochs in levels:
        total += members * (epochs - done)
        members, done = max(members - factor + 1, 1), epochs
    return total
