"""Epochs and promotions of the oracles that plan them."""

from __future__ import annotations

import keras_tuner
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.oracles import ASHAOracle, HyperbandOracle
from kerashpo.schedulers.hyperband import Hyperband
from tests.helpers.oracle_driver import drive, end, place, space

SCORE = keras_tuner.Objective("score", "max")


def epochs(values):
    return values["tuner/epochs"] - values["tuner/initial_epoch"]


def test_hyperband_trains_what_the_paper_plans(tmp_path):
    oracle = HyperbandOracle(SCORE, 50, 3, hyperparameters=space(continuous=True), seed=0)
    proposed = drive(place(oracle, tmp_path))
    assert sum(map(epochs, proposed)) == Hyperband(50, 3).plan().epochs == 673


def test_a_promotion_continues_from_the_best(tmp_path):
    oracle = HyperbandOracle(SCORE, 9, 3, hyperparameters=space(continuous=True), seed=0)
    place(oracle, tmp_path)
    scores = {}
    for score in [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.5, 0.6]:
        trial = oracle.create_trial("a")
        assert trial.hyperparameters.values["tuner/epochs"] == 1
        scores[score] = trial
        end(oracle, trial, score)
    promoted = oracle.create_trial("a").hyperparameters.values
    parent = scores[0.9].hyperparameters.values
    assert promoted == {
        **parent,
        "tuner/trial_id": scores[0.9].trial_id,
        "tuner/epochs": 3,
        "tuner/initial_epoch": 1,
        "tuner/round": 1,
    }


def test_a_failure_does_not_block_a_rung(tmp_path):
    oracle = HyperbandOracle(SCORE, 9, 3, hyperparameters=space(continuous=True), seed=0)
    place(oracle, tmp_path)
    reached = []
    for number in range(100):
        trial = oracle.create_trial("a")
        if trial.status == "STOPPED":
            break
        bad = number in (0, 4)
        end(oracle, trial, None if bad else 0.5, "FAILED" if bad else "COMPLETED")
        reached.append(trial.hyperparameters.values["tuner/epochs"])
    assert reached.count(3) == 3 + 5 and reached.count(9) == 1 + 1 + 3


def test_asha_promotes_before_its_rung_is_full(tmp_path):
    oracle = ASHAOracle(SCORE, 9, 9, 3, hyperparameters=space(continuous=True), seed=0)
    proposed = drive(place(oracle, tmp_path))
    begun = [one for one in proposed if "tuner/trial_id" not in one]
    assert len(begun) == 9
    assert proposed[3]["tuner/epochs"] == 3
    assert max(one["tuner/epochs"] for one in proposed) == 9


def test_asha_needs_a_bound(tmp_path):
    oracle = ASHAOracle(SCORE, None, hyperparameters=space(continuous=True))
    with pytest.raises(InvalidInput, match="Pass max_trials"):
        place(oracle, tmp_path).create_trial("a")
    finite = place(ASHAOracle(SCORE, None, 3, hyperparameters=space()), tmp_path / "finite")
    assert len([one for one in drive(finite) if "tuner/trial_id" not in one]) == 18


@pytest.mark.parametrize("cls", [HyperbandOracle, ASHAOracle])
@pytest.mark.parametrize(
    "given, message",
    [
        ({"factor": 1}, "factor needs to be a whole number larger than 1"),
        ({"max_epochs": 0}, "max_epochs must be"),
    ],
)
def test_invalid_shapes(cls, given, message):
    with pytest.raises(InvalidInput, match=message):
        cls(SCORE, **given)
