"""Scripts written for KerasTuner, with the import alone changed, and warnings being errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
#: `more` holds further ones, which `python -m experiments.dropin.run` runs beside KerasTuner.
SCRIPTS = sorted(path.stem for path in (HERE / "scripts").glob("*.py"))


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Any]:
    """What came of each script; one process runs them all, for TensorFlow starts slowly."""
    root = str(HERE.parents[1])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / "run_scripts.py")],
        env={**os.environ, "PYTHONPATH": root, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    results = [json.loads(part) for part in done.stdout.split("\x1e")[1:]]
    return {result["script"]: result for result in results}


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_runs_without_a_warning_of_ours(script, outcomes):
    assert outcomes[script]["error"] is None
    meant = "errors.FailedTrialError" if script == "failed_trials" else None
    assert [
        text for text in outcomes[script]["failures"] if meant is None or meant not in text
    ] == []
    assert "Error" not in outcomes[script]["printed"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_import_alone_is_ours(script):
    text = (HERE / "scripts" / f"{script}.py").read_text()
    assert text.count("kerashpo") == 1
    assert "import kerashpo as kt  # was: import keras_tuner as kt" in text


def test_executions_of_a_trial_are_kept_apart(outcomes):
    found = outcomes["getting_started"]
    assert (found["trials"], found["runs"], found["epochs"]) == (3, [2, 2, 2], [2, 2, 2])


def test_values_of_a_scope_are_absent_outside_it(outcomes):
    for config in outcomes["conditional_scopes"]["configs"]:
        assert ("filters" in config) == (config["model_type"] == "cnn")
        assert ("layers" in config) == (config["model_type"] == "mlp")
        assert "head/rate" in config


def test_fit_of_ones_own_is_paused_and_tuned(outcomes):
    found = outcomes["hypermodel_fit"]
    assert {*found["epochs"]} == {1, 3}
    assert all({"batch_size", "shuffle", "units"} <= {*config} for config in found["configs"])
    assert {*found["reasons"]} == {"the hypermodel overrides fit"}


def test_a_loop_of_ones_own_is_scored_by_what_it_returns(outcomes):
    assert outcomes["custom_loop"]["epochs"] == [2, 2]
    assert all(0 < score < 2 for score in outcomes["custom_loop"]["scores"])


def test_run_trial_sets_the_batch_size_and_the_epochs(outcomes):
    found = outcomes["training_loop"]
    assert found["epochs"] == [config["epochs"] for config in found["configs"]]
    assert {config["batch_size"] for config in found["configs"]} <= {16, 32}


def test_a_strategy_builds_with_another_optimizer(outcomes):
    assert outcomes["distribution"]["epochs"] == [2, 1] or outcomes["distribution"]["epochs"] == [
        1,
        2,
    ]


def test_the_tailored_space_alone_is_searched(outcomes):
    configs = outcomes["tailored_space"]["configs"]
    assert {config["num_layers"] for config in configs} == {1}
    assert len({config["learning_rate"] for config in configs}) == 3


def test_folds_are_runs(outcomes):
    assert outcomes["sklearn_tuner"]["runs"] == [3, 3, 3, 3]


def test_configurations_that_build_model_refuses_fail_and_the_others_do_not(outcomes):
    found = outcomes["failed_trials"]
    refused = [6 * config["units"] + 1 > 100 for config in found["configs"]]
    assert [status == "FAILED" for status in found["statuses"]] == refused
    assert {*refused} == {True, False}


def test_two_goes_of_fit_are_the_epochs_of_one_trial(outcomes):
    assert outcomes["two_phases"]["epochs"] == [4, 4]


def test_the_budget_of_hyperband_can_be_read_to_train_the_winner_again(outcomes):
    assert int(outcomes["hyperband_refit"]["printed"].split()[2]) in (1, 3)
