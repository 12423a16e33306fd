"""The length of a tuner's search: its plan, the epochs of its trials, and its limits."""

from __future__ import annotations

import math

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.core.records import Plan, Rung
from kerashpo.space.space import Space
from kerashpo.training.folds import EPOCHS
from kerashpo.tuners.strategy import Schedule
from kerashpo.tuners.tuner_options import TunerOptions


def trial_epochs(epochs: int | None, fit_hp: Space) -> int | None:
    """Returns the most epochs of a trial that `search` or `fit_hp` set, None if neither does.

    Args:
        epochs: the argument of `search`.
        fit_hp: the arguments of `fit` that are tuned.

    Raises:
        InvalidInput: if both set them.
    """
    tuned = tuned_epochs(fit_hp)
    if epochs is not None and tuned is not None:
        raise InvalidInput(
            f"epochs are tuned by fit_hp, so search(epochs={epochs}) cannot set them too: "
            "leave out epochs in search."
        )
    return epochs or tuned


def tuned_epochs(fit_hp: Space) -> int | None:
    """Returns the most epochs that `fit_hp` allows, None if it does not tune them."""
    tuned = [p.domain for p in fit_hp.params if p.name == EPOCHS]
    return max((int(d.realise(d.at(1.0))) for d in tuned), default=None)


def plan_of_unknown_length(trials: float) -> Plan:
    """Returns the plan for a number of trials whose epochs are only passed to `search`."""
    note = "each trial trains for the epochs passed to search(epochs=...)"
    return Plan(((Rung(int(trials), 0),),), int(trials), None, (note,))


def seconds_per_epoch(history: History | None) -> float | None:
    """Returns the mean training time of an epoch, None if none was trained."""
    if history is None or not history.epochs:
        return None
    return sum(trial.seconds for trial in history.trials.values()) / history.epochs


def epochs_left(plan: Plan, history: History) -> float:
    """Returns how many planned epochs are not trained yet, inf if none are planned."""
    return math.inf if plan.epochs is None else max(0, plan.epochs - history.epochs)


def trials_left(plan: Plan, history: History, endless: bool = False) -> float:
    """Returns how many trials may still be trained, inf if unknown.

    Args:
        plan: what the scheduler will do.
        history: what has been done.
        endless: whether trials that have ended may be trained again, as in a final round.
    """
    if plan.trials is None or endless:
        return math.inf
    ended = sum(trial.status.ended for trial in history.trials.values())
    return max(plan.trials, len(history.trials)) - ended


def require_bound(options: TunerOptions, schedule: Schedule, size: float) -> None:
    """Raises InvalidInput if nothing would ever end the search.

    Args:
        options: the limits of the search.
        schedule: the schedule, which may end the search.
        size: how many configurations the space has.
    """
    bounds = (
        options.max_trials,
        options.max_epochs_total,
        options.max_minutes,
        options.max_energy_wh,
    )
    if size < math.inf or any(bound is not None for bound in bounds):
        return
    if not schedule.make().endless:
        return
    which = " and hyperband_iterations=None repeats its brackets"
    raise InvalidInput(
        "Nothing limits the search: the space is infinite"
        f"{which if schedule.name == 'hyperband' else ''}. Pass max_trials, max_epochs_total "
        "or max_minutes."
    )


def unused_epochs(tuner: str, schedule: Schedule, epochs: int | None) -> tuple[str, ...]:
    """Returns a note if `search` was passed epochs that the schedule does not use."""
    planned = schedule.max_epochs
    if planned is None or epochs in (None, planned):
        return ()
    return (
        f"{tuner} plans the epochs itself: max_epochs={planned} counts, "
        f"search(epochs={epochs}) does not",
    )
