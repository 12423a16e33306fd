"""An exported study is what Optuna reads back: values, conditions, curves, states."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from kerashpo import cli
from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.core.events import Ended, JobStarted, Reported, SessionStarted, StudyCreated
from kerashpo.core.records import Failure, Plan, Report, Start, Status
from kerashpo.core.rng import stream
from kerashpo.export.optuna import distribution, export_study, translate, values
from kerashpo.space import (
    Space,
    boolean,
    choice,
    fixed,
    integer,
    loguniform,
    reverse_log,
    uniform,
    when,
)
from kerashpo.store.journal import JournalStore
from kerashpo.store.open import LOG_NAME
from kerashpo.study.study import open_study

SPACE = Space(
    {
        "rate": loguniform(1e-4, 1e-1),
        "keep": reverse_log(0.1, 0.9),
        "drop": uniform(0.0, 0.55, step=0.1),
        "units": integer(32, 100, step=16),
        "batch": integer(8, 128, log=True),
        "shape": choice([(1, 2), (3,)]),
        "flag": boolean(),
        "always": fixed("x"),
        "kind": choice(["sgd", "adam"]),
    },
    when("kind", "sgd", {"momentum": uniform(0.0, 0.9), "size": choice([1, 2])}),
    when("kind", "adam", {"size": choice([2, 3])}),
)
STATUSES = [Status.COMPLETED, Status.STOPPED, Status.FAILED, Status.COMPLETED, None]


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "search")


def write(
    folder,
    objectives=(("val_loss", "min"),),
    trials=12,
    score=lambda n, e: n + 1 / e,
    more=lambda n: {},
):
    folder.mkdir()
    store = JournalStore(folder / LOG_NAME)
    settings, environment = {"tuner": "Hyperband"}, {"python": "3.11"}
    store.append(StudyCreated(SPACE.to_json(), objectives, 7, settings, environment))
    plan = Plan((), trials, None).to_json()
    store.append(SessionStarted(1_760_000_000.0, plan=plan))
    for number in range(trials):
        at = float(number)
        config = SPACE.sample(stream(0, "export", number))
        store.append(JobStarted(Start(number, config, 2), at=at))
        for epoch in (1, 2):
            metrics = {"val_loss": score(number, epoch), "acc": 0.5 * epoch, **more(number)}
            store.append(Reported(Report(number, 0, epoch, metrics, float(epoch)), at=at))
        status = STATUSES[number % len(STATUSES)]
        if status is not None:
            failure = Failure("fit", "broke") if status is Status.FAILED else None
            store.append(Ended(number, status, "", failure, at=at + 0.5))
    store.close()
    return folder


def opened(file):
    return optuna.load_study(study_name=None, storage=f"sqlite:///{file}")


def test_every_trial_is_read_back(folder):
    study = opened(export_study("optuna", folder))
    assert study.study_name == "search" and study.direction.name == "MINIMIZE"
    wanted = {None: "RUNNING", Status.COMPLETED: "COMPLETE", Status.STOPPED: "PRUNED",
              Status.FAILED: "FAIL"}  # fmt: skip
    assert [t.state.name for t in study.trials] == [wanted[STATUSES[n % 5]] for n in range(12)]
    first = study.trials[0]
    assert first.value == 0.5 and first.intermediate_values == {1: 1.0, 2: 0.5}
    assert first.user_attrs["metrics"] == {"val_loss": 0.5, "acc": 1.0}
    assert first.user_attrs["best_epoch"] == 2
    assert study.trials[2].user_attrs["error"] == "fit: broke"
    assert study.best_trial.number == 0
    assert (first.datetime_complete - first.datetime_start).total_seconds() == 0.5
    assert first.datetime_start.isoformat() == "2025-10-09T08:53:20"
    assert study.user_attrs["kerashpo seed"] == 7
    assert study.user_attrs["kerashpo planned trials"] == 12


def test_values_and_conditions_are_kept(folder):
    for number, trial in enumerate(opened(export_study("optuna", folder)).trials):
        config = dict(SPACE.sample(stream(0, "export", number)))
        config["shape"] = ["(1, 2)", "(3,)"][config["shape"]]
        assert trial.params == pytest.approx(config)
        assert ("momentum" in trial.params) == (trial.params["kind"] == "sgd")


@pytest.mark.parametrize(
    ("domain", "wanted"),
    [
        (loguniform(1e-4, 1e-1), FloatDistribution(1e-4, 1e-1, log=True)),
        (uniform(0.0, 0.5, step=0.1), FloatDistribution(0.0, 0.5, step=0.1)),
        (reverse_log(0.1, 0.9), FloatDistribution(0.1, 0.9)),
        (integer(32, 100, step=16), IntDistribution(32, 96, step=16)),
        (integer(8, 128, log=True), IntDistribution(8, 128, log=True)),
        (integer(1, 64, step=2, log=True), IntDistribution(1, 64, log=True)),
        (choice(["a", None, 1.5]), CategoricalDistribution(("a", None, 1.5))),
        (boolean(), CategoricalDistribution((False, True))),
        (fixed(3), CategoricalDistribution((3,))),
    ],
)
def test_domains_become_distributions(domain, wanted):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert distribution(domain) == wanted


def test_one_name_for_different_kinds_gets_its_conditions():
    space = Space(
        {"kind": choice(["a", "b"])},
        when("kind", "a", {"size": uniform(0.0, 1.0)}),
        when("kind", "b", {"size": choice(["s", "l"])}),
    )
    translated = translate(space)
    assert [one.name for one in translated] == ["kind", "size (kind=a)", "size (kind=b)"]
    assert set(values(translated, {"kind": "b", "size": "l"})) == {"kind", "size (kind=b)"}


def test_optunas_own_plots_open_it(folder):
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("Agg")
    study = opened(export_study("optuna", folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        from optuna.visualization import matplotlib as plots

        assert plots.plot_optimization_history(study).has_data()
        assert plots.plot_intermediate_values(study).has_data()
        assert len(plots.plot_slice(study, params=["rate", "kind"])) == 2
    plt.close("all")


def test_several_objectives(tmp_path):
    folder = write(tmp_path / "two", (("val_loss", "min"), ("acc", "max")), trials=4)
    study = opened(export_study("optuna", folder))
    assert [way.name for way in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert study.trials[0].values == [0.5, 1.0] and not study.trials[0].intermediate_values


def test_a_completed_trial_of_nan_has_failed_for_optuna(tmp_path):
    folder = write(tmp_path / "nan", trials=1, score=lambda n, e: math.nan)
    assert opened(export_study("optuna", folder)).trials[0].state is TrialState.FAIL


def test_the_command_line(folder, tmp_path, capsys):
    assert cli.main(["export", str(folder), "--to", "optuna"]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "optuna.sqlite3")
    assert cli.main(["export", str(folder), "--to", "optuna"]) == 2
    assert "exists already" in capsys.readouterr().err
    out = str(tmp_path / "new" / "o.db")
    assert cli.main(["export", str(folder), "--to", "optuna", "--out", out]) == 0
    assert len(opened(out).trials) == 12


def test_an_unknown_library(folder):
    with pytest.raises(InvalidInput, match="Unknown library 'optunna'. Did you mean 'optuna'"):
        export_study("optunna", folder)


@pytest.mark.parametrize("direction", ["min", "max"])
def test_of_trials_that_tie_the_best_one_is_ours(direction, tmp_path):
    # Trials 0, 3 and 5 share the best score; trial 3 has the lowest loss.
    def loss(number, epoch):
        return {3: 0.1}.get(number, 0.9)

    tied = [0.5 if number in (0, 3, 5) else (0.7 if direction == "min" else 0.2) for number in
            range(8)]  # fmt: skip
    folder = write(
        tmp_path / "ties",
        (("val_acc", direction),),
        8,
        loss,
        lambda number: {"val_acc": tied[number]},
    )
    best = open_study(folder).results.best
    study = opened(export_study("optuna", folder))
    assert best.trial == 3 == study.best_trial.number
    assert study.best_params == study.trials[3].params
    assert study.best_value == pytest.approx(0.5, abs=1e-15)
    assert study.trials[3].user_attrs["score"] == best.score == 0.5
    assert [study.trials[n].value for n in (0, 5)] == [0.5, 0.5]


def test_a_best_trial_that_was_stopped_is_complete_for_optuna(tmp_path):
    folder = write(tmp_path / "stopped", trials=4, score=lambda n, e: 0.0 if n == 1 else 1.0)
    study = opened(export_study("optuna", folder))
    assert study.best_trial.number == 1
    assert study.trials[1].user_attrs["status"] == "STOPPED"


def test_a_missing_optuna_is_reported_by_the_command(folder):
    code = (
        "import sys; sys.modules['optuna'] = None; from kerashpo import cli; "
        f"sys.exit(cli.main(['export', {str(folder)!r}, '--to', 'optuna']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and 'pip install "kerashpo[optuna]"' in done.stderr


def test_without_optuna_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr("kerashpo.core.requirements.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "kerashpo\[optuna\]"'):
        export_study("optuna", folder)
    assert not (folder / "optuna.sqlite3").exists()
