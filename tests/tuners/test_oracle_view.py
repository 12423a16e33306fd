"""The view of the trials that KerasTuner's users know as `tuner.oracle`."""

from __future__ import annotations

import pytest

from kerashpo.core.events import Assigned, JobStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Start
from kerashpo.space import Space, integer
from kerashpo.tuners.oracle_view import OracleView
from kerashpo.tuners.tuner_options import TunerOptions

SPACE = Space({"n": integer(1, 9)})


@pytest.mark.parametrize(
    "workers, expected",
    [
        ({}, {"tuner0": "0", "tuner1": "1", "tuner2": "2"}),
        ({0: 1, 1: 0}, {"tuner1": "0", "tuner0": "1", "tuner2": "2"}),
        ({2: 0}, {"tuner1": "0", "tuner2": "1", "tuner0": "2"}),
    ],
)
def test_every_running_trial_is_ongoing(workers, expected):
    history = History([StudyCreated(SPACE.to_json(), (("val_loss", "min"),), 0)])
    for trial in range(3):
        history.apply(JobStarted(Start(trial, {"n": trial + 1}, 1)))
    for trial, worker in workers.items():
        history.apply(Assigned(trial, worker))
    view = OracleView(lambda: history, lambda: SPACE, history.objectives, TunerOptions())
    assert {who: trial.trial_id for who, trial in view.ongoing_trials.items()} == expected
