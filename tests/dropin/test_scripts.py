"""Scripts written for KerasTuner, with the import alone changed, and warnings being errors."""

from __future__ import annotations

import contextlib
import io
import runpy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kerashpo.core.records import Status
from kerashpo.core.trial import Trial

HERE = Path(__file__).parent
#: `more` holds further ones, which `python -m experiments.dropin.run` runs beside KerasTuner.
SCRIPTS = sorted(path.stem for path in (HERE / "scripts").glob("*.py"))
#: Other tests cover these too: scopes, layers, strings, training of the user's own.
SLOW = frozenset(
    "composed_hypermodels custom_train_step distribution hyperband_refit hypermodel_fit "
    "kfold_tuner lstm_text training_loop two_phases".split()
)
slow = pytest.mark.slow


@dataclass(frozen=True)
class Ran:
    """What a script printed and left."""

    printed: str
    names: dict[str, Any]

    @property
    def trials(self) -> list[Trial]:
        """The trials of its tuner."""
        return [*self.names["tuner"].results.history.trials.values()]

    @property
    def configs(self) -> list[dict[str, Any]]:
        return [dict(trial.config) for trial in self.trials]

    @property
    def epochs(self) -> list[int]:
        return [trial.epoch for trial in self.trials]

    @property
    def failures(self) -> list[str]:
        """The tracebacks of every tuner's failed trials."""
        made = [one for one in self.names.values() if not isinstance(one, type)]
        tuners = [one for one in made if hasattr(one, "results")]
        trials = [t for one in tuners for t in one.results.history.trials.values()]
        return [trial.failure.traceback for trial in trials if trial.failure is not None]


class Scripts(dict[str, Ran]):
    """Runs each script once, when a test first asks for it, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, script: str) -> Ran:
        place, printed = self._folder / script, io.StringIO()
        place.mkdir()
        with contextlib.chdir(place), contextlib.redirect_stdout(printed):
            names = runpy.run_path(str(HERE / "scripts" / f"{script}.py"))
        self[script] = Ran(printed.getvalue(), names)
        return self[script]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    return Scripts(tmp_path_factory.mktemp("scripts"))


@pytest.mark.parametrize(
    "script", [pytest.param(one, marks=slow) if one in SLOW else one for one in SCRIPTS]
)
def test_it_runs_without_a_warning_of_ours(script, ran):
    meant = "errors.FailedTrialError" if script == "failed_trials" else None
    found = ran[script]
    assert [text for text in found.failures if meant is None or meant not in text] == []
    assert "Error" not in found.printed


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_import_alone_is_ours(script):
    text = (HERE / "scripts" / f"{script}.py").read_text()
    assert text.count("kerashpo") == 1
    assert "import kerashpo as kt  # was: import keras_tuner as kt" in text


def test_executions_of_a_trial_are_kept_apart(ran):
    found = ran["getting_started"]
    assert [len(trial.reports) for trial in found.trials] == [2, 2, 2] == found.epochs


def test_values_of_a_scope_are_absent_outside_it(ran):
    for config in ran["conditional_scopes"].configs:
        assert ("filters" in config) == (config["model_type"] == "cnn")
        assert ("layers" in config) == (config["model_type"] == "mlp")
        assert "head/rate" in config


@slow
def test_fit_of_ones_own_is_paused_and_tuned(ran):
    found = ran["hypermodel_fit"]
    assert {*found.epochs} == {1, 3}
    assert all({"batch_size", "shuffle", "units"} <= {*config} for config in found.configs)
    reasons = {trial.facts["training_reason"] for trial in found.trials}
    assert all("HyperModel.fit calls model.fit: arrays" in reason for reason in reasons)


def test_a_loop_of_ones_own_is_scored_by_what_it_returns(ran):
    assert ran["custom_loop"].epochs == [2, 2]
    assert all(0 < trial.score < 2 for trial in ran["custom_loop"].trials)


@slow
def test_run_trial_sets_the_batch_size_and_the_epochs(ran):
    found = ran["training_loop"]
    assert found.epochs == [config["epochs"] for config in found.configs]
    assert {config["batch_size"] for config in found.configs} <= {16, 32}


@slow
def test_a_strategy_builds_with_another_optimizer(ran):
    assert sorted(ran["distribution"].epochs) == [1, 2]


def test_the_tailored_space_alone_is_searched(ran):
    configs = ran["tailored_space"].configs
    assert {config["num_layers"] for config in configs} == {1}
    assert len({config["learning_rate"] for config in configs}) == 3


def test_folds_are_runs(ran):
    assert [len(trial.reports) for trial in ran["sklearn_tuner"].trials] == [3, 3, 3, 3]


def test_configurations_that_build_model_refuses_fail_and_the_others_do_not(ran):
    found = ran["failed_trials"]
    refused = [6 * config["units"] + 1 > 100 for config in found.configs]
    assert [trial.status is Status.FAILED for trial in found.trials] == refused
    assert {*refused} == {True, False}


@slow
def test_two_goes_of_fit_are_the_epochs_of_one_trial(ran):
    assert ran["two_phases"].epochs == [4, 4]


@slow
def test_the_budget_of_hyperband_can_be_read_to_train_the_winner_again(ran):
    assert int(ran["hyperband_refit"].printed.split()[2]) in (1, 3)
