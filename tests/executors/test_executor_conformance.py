"""Every executor of the package keeps what executors promise."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.executors.auto import AutoExecutor
from kerashpo.executors.serial import SerialExecutor
from kerashpo.executors.simulated import SimulatedExecutor
from kerashpo.testing.curve_runner import InterleavedExecutor, wave
from kerashpo.testing.executors import (
    CASES,
    CHECKS,
    drops_the_queued_task_of_a_stopped_trial,
)

SLOW = "processes that wait"
"""The same processes, whose answers come in the order of the plan."""
EVERY_DAY = {"continues_with_the_next_epoch", "obeys_decisions", "continues_the_parent_of_a_fork"}


def both(name, check):
    """Returns the arguments of a test, marked if it is a further variant."""
    variant = name == SLOW and check.__name__ not in EVERY_DAY
    marks = [pytest.mark.slow] if variant else []
    return pytest.param(name, check, marks=marks, id=f"{name}-{check.__name__}")


@pytest.mark.parametrize(("name", "check"), [both(name, one) for name in CASES for one in CHECKS])
def test_executor(name, check):
    check(CASES[name])


OTHERS = {
    "simulated": lambda runner, blobs: SimulatedExecutor(
        lambda config, epoch: (wave(config, epoch), float(epoch)), "value", dict, 2
    ),
    "interleaved": lambda runner, blobs: InterleavedExecutor(wave, 3, np.random.default_rng(0)),
    "auto": lambda runner, blobs: AutoExecutor(
        SerialExecutor(runner(), 1, blobs), lambda: None, 1, 1.0, lambda: 0.0
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_stopped_trial_does_not_begin_in_any_other_executor(name):
    drops_the_queued_task_of_a_stopped_trial(OTHERS[name])
