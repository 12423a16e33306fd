"""Energy of the best model's predictions, recorded at the end of a search that tracks energy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerashpo.core.errors import KerashpoError
from kerashpo.core.records import Scalar
from kerashpo.objectives import TrainingEnergy
from kerashpo.study.open import Opened
from kerashpo.training.energy import UsageClock
from kerashpo.tuners.goal import Goal

FACT = "prediction_energy"
"""The name under which a trial's facts hold the watt-hours of a thousand predictions."""


def note_prediction_energy(goal: Goal, opened: Opened, load: Callable[[int], Any]) -> None:
    """Records what a thousand predictions of the best trial's model use, in watt-hours.

    Only where energy is an objective, a limit or a bound; of one row at a time, compiled as for
    latency. A model whose weights were not kept, or that cannot be measured, has no such fact.

    Args:
        goal: what the search measures.
        opened: the study, whose store is open.
        load: returns a trial's model by its number.
    """
    history, derived = opened.history, goal.derived
    energy = next((one.of for one in derived.measured if one.name == "energy"), None)
    best = history.best
    if not isinstance(energy, TrainingEnergy) or best is None or FACT in best.facts:
        return
    from kerashpo.model_cost import repeated_predictions

    meter = derived.meter()
    try:
        repeat = repeated_predictions(load(best.number))
        clock = UsageClock(meter=meter)
        count = repeat()
        usage = clock.read().times(1000 / count)
    except KerashpoError:
        return
    finally:
        if meter:
            meter.close()
    facts: dict[str, Scalar] = {FACT: energy(usage), f"{FACT}_source": energy.source(usage)}
    opened.note(best.number, facts)
