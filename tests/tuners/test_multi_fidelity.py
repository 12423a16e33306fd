"""ASHA, and Hyperband with other algorithms, on real training."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from tests.helpers.small_models import LABELS, ROWS, build_few, place


@pytest.mark.parametrize("variant", ["promotion", "stopping"])
def test_asha_trains_somebody_to_the_end(variant, tmp_path):
    tuner = kt.ASHA(
        build_few,
        **place(tmp_path) | {"max_trials": 4, "max_epochs": 4, "factor": 2},
        variant=variant,
    )
    tuner.search(ROWS, LABELS, validation_split=0.25, verbose=0)
    trials = tuner.results.trials()
    assert trials.epochs.max() == 4
    assert set(trials.status) <= {"COMPLETED", "STOPPED"}
    assert tuner.results.epochs <= tuner.plan().epochs


def test_a_model_proposes_inside_the_brackets(tmp_path):
    given = place(tmp_path) | {"max_epochs": 3, "algorithm": "bayesian"}
    tuner = kt.Hyperband(build_few, **given, algorithm_options={"num_initial_points": 2})
    tuner.search(ROWS, LABELS, validation_split=0.25, verbose=0)
    assert tuner.results.epochs == tuner.plan().epochs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_epochs": 0}, "max_epochs.*at least 1"),
        ({"variant": "promote"}, "Unknown variant 'promote'.*Did you mean 'promotion'"),
        ({"algorithm": "bayes"}, "Unknown algorithm 'bayes'.*Did you mean 'bayesian'"),
        ({"algorithm_options": {"acq": 1}}, "no option 'acq'"),
    ],
)
def test_bad_input(settings, message, tmp_path):
    given = place(tmp_path) | {"max_trials": 2} | settings
    with pytest.raises(InvalidInput, match=f"(?s){message}"):
        kt.ASHA(build_few, **given)


def test_epochs_given_to_search_are_answered(tmp_path, capsys):
    tuner = kt.Hyperband(build_few, **place(tmp_path) | {"max_epochs": 1})
    tuner.search(ROWS, LABELS, validation_split=0.25, epochs=5)
    assert "max_epochs=1 counts, search(epochs=5) does not" in capsys.readouterr().out
