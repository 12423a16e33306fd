"""Whether anything is left to train, without touching the log."""

from __future__ import annotations

from typing import Any

import pytest

from kerashpo.core.events import SessionEnded
from kerashpo.core.records import Budget
from kerashpo.schedulers.registry import make_scheduler
from kerashpo.space.constructors import uniform
from kerashpo.space.space import Space
from kerashpo.store.open import LOG_NAME
from kerashpo.study.loop import Limits
from kerashpo.study.open import read_log
from kerashpo.study.remaining import nothing_left
from kerashpo.study.run_study import SearchParts
from kerashpo.tuners.optimize import optimize

FINITE = Space({"x": uniform(0.0, 1.0, step=0.5)})
ENDLESS = Space({"x": uniform(0.0, 1.0)})


def parts(max_trials: int, **budget: Any) -> SearchParts:
    limits = Limits(Budget(max_trials, **budget))
    return SearchParts("random", make_scheduler("full", 1), {}, limits)


@pytest.mark.parametrize(
    ("space", "trials", "asked", "left"),
    [
        (ENDLESS, 2, parts(2), False),
        (ENDLESS, 2, parts(3), True),
        (ENDLESS, 2, parts(1), False),
        (FINITE, 9, parts(9), False),
        (FINITE, 2, parts(9), True),
        (ENDLESS, 2, parts(9, max_epochs_total=2), False),
    ],
)
def test_what_is_left(space, trials, asked, left, tmp_path):
    optimize(lambda c: c["x"], space, algorithm="random", max_trials=trials, seed=0,
             directory=tmp_path, verbose=0)  # fmt: skip
    before = (tmp_path / LOG_NAME).read_bytes()
    assert nothing_left(read_log(tmp_path).events, asked) is not left
    assert (tmp_path / LOG_NAME).read_bytes() == before


def test_a_trial_that_was_interrupted_is_left(tmp_path):
    optimize(lambda c: c["x"], ENDLESS, algorithm="random", max_trials=2, seed=0,
             directory=tmp_path, verbose=0)  # fmt: skip
    events = read_log(tmp_path).events
    ends = [i for i, event in enumerate(events) if type(event).__name__ == "Reported"]
    assert isinstance(events[-1], SessionEnded)
    assert nothing_left(events, parts(2)) and not nothing_left(events[: ends[-1]], parts(2))
