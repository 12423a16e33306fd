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


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
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
