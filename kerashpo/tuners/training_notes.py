"""Notes of a plan: which models train in compiled epochs, and why others do not."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kerashpo.core.errors import InvalidInput
from kerashpo.core.history import History
from kerashpo.space.space import Space
from kerashpo.training.hypermodel import ModelBuilder
from kerashpo.training.loops.base import find_model_obstacle


def fit_notes(obstacle: str | None, fast: Any) -> tuple[str, ...]:
    """Returns a note if `model.fit` trains the default model though ``fast="auto"``.

    Args:
        obstacle: why its epochs cannot be compiled, None if they can.
        fast: the tuner's option.
    """
    return () if obstacle is None or fast != "auto" else (f"training by model.fit, as {obstacle}",)


def notes_before(builder: ModelBuilder, space: Space, fast: Any) -> tuple[str, ...]:
    """Returns `fit_notes` of a model alone, before the data and callbacks are known.

    Args:
        builder: builds the model.
        space: its defaults are taken.
        fast: the tuner's option.
    """
    if builder.form != "compiled" or fast != "auto":
        return ()
    try:
        model, _ = builder.make(space.default(), space, 0, 0)
    except InvalidInput:  # the study was opened without its build_model
        return ()
    return fit_notes(find_model_obstacle(model), fast)


def notes_after(history: History) -> tuple[str, ...]:
    """Returns a note for each way in which the trials of a history were trained."""
    ways = Counter(
        (str(facts["training"]), str(facts.get("training_reason", "")))
        for trial in history.trials.values()
        if "training" in (facts := trial.facts)
    )
    counts = Counter[str]()
    for (kind, reason), count in ways.items():
        counts[_WAYS.get(kind, "by model.fit, as {reason}").format(reason=reason)] += count
    return tuple(f"trained {way}: {_trials(count)}" for way, count in counts.most_common())


_WAYS = {"compiled": "in compiled epochs", "population": "together as one program"}


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"
