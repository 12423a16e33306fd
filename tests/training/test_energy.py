"""Energy of training: counters, estimates, labels, and the bound of a search."""

from __future__ import annotations

import dataclasses
import time

import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.core.records import Objective
from kerashpo.objectives import TrainingEnergy
from kerashpo.training import carbon
from kerashpo.training.energy import Meter, Usage, UsageClock
from tests.helpers.small_models import DATA, build_few, place


def counters(folder, *microjoules):
    for number, value in enumerate(microjoules):
        package = folder / f"intel-rapl:{number}"
        package.mkdir(exist_ok=True)
        (package / "energy_uj").write_text(f"{value}\n")
        (package / "max_energy_range_uj").write_text("100000000\n")
    return folder


def test_the_counters_of_all_packages_are_added_and_may_begin_anew(tmp_path):
    clock = UsageClock(counters(tmp_path, 99_000_000, 5_000_000))
    counters(tmp_path, 2_000_000, 6_000_000)
    assert clock.read().joules == pytest.approx(3.0 + 1.0)


def test_without_counters_the_cpu_seconds_are_known(tmp_path):
    clock = UsageClock(tmp_path)
    sum(range(2_000_000))
    used = clock.read()
    assert used.joules is None
    assert used.cpu_seconds > 0.0
    assert (used + used).cpu_seconds == 2 * used.cpu_seconds
    assert (used + Usage(1.0, 2.0)).joules == 2.0


def test_energy_and_co2_follow_from_what_was_used():
    energy, co2 = kt.objectives.energy(watts=36.0).of, kt.objectives.co2(500.0, watts=36.0).of
    assert energy(Usage(100.0)) == pytest.approx(1.0)
    assert co2(Usage(100.0)) == pytest.approx(0.5)
    assert energy(Usage(100.0, 7200.0)) == pytest.approx(2.0)
    assert energy.source(Usage(1.0)) == "estimated: CPU seconds x 36 W"
    assert energy.source(Usage(1.0, 1.0)).startswith("measured: RAPL")


@pytest.mark.parametrize("make", [kt.objectives.energy, kt.objectives.co2])
def test_watts_are_positive(make):
    with pytest.raises(InvalidInput, match="watts must be"):
        make(watts=0)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    objective = ["val_loss", kt.objectives.energy(), kt.objectives.co2()]
    where = place(tmp_path_factory.mktemp("energy"), objective=objective)
    tuner = kt.Hyperband(build_few, max_epochs=4, **where)
    tuner.search(**DATA)
    return tuner


def test_energy_grows_over_the_epochs_and_the_pauses_of_a_trial(searched):
    promoted = 0
    for trial in searched.results.history.trials.values():
        reports = trial.reports[0]
        values = [reports[epoch].metrics["energy"] for epoch in sorted(reports)]
        assert values == sorted(values)
        assert values[0] > 0.0
        promoted += len(trial.targets) > 1
        assert reports[1].metrics["co2"] == pytest.approx(0.475 * values[0])
    assert promoted


def test_summary_and_report_say_what_was_used_and_how_it_is_known(searched, tmp_path, capsys):
    searched.results_summary()
    assert "Energy of the training: " in (text := capsys.readouterr().out)
    assert "estimated: CPU seconds x 10 W" in text or "measured: RAPL" in text
    page = searched.report(tmp_path / "report.md", "es").read_text("utf-8")
    assert "Energía del entrenamiento: " in page
    assert "Energía de 1000 predicciones del mejor modelo, de fila en fila: " in page
    assert "estimada: segundos de CPU x 10 W" in page or "medida: RAPL" in page


def test_a_bound_of_energy_ends_the_search_after_an_epoch_and_a_larger_one_goes_on(tmp_path):
    def tuner(most):
        return kt.GridSearch(build_few, max_energy_wh=most, **place(tmp_path))

    first = tuner(1e-9)
    first.search(**DATA, epochs=2)
    assert first.results.stopped == "max_energy_wh reached"
    assert first.results.epochs == 1
    more = tuner(1.0)
    more.search(**DATA, epochs=2)
    assert more.results.epochs == 12
    assert 0.0 < more.results.history.total("energy") < 1.0


class Own(kt.RandomSearch):
    def run_trial(self, trial, *args, **kwargs):
        return 0.5


def test_a_bound_that_nothing_would_count_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="use max_minutes instead"):
        Own(build_few, max_energy_wh=1.0, **place(tmp_path))
    with pytest.raises(InvalidInput, match="max_energy_wh must be"):
        kt.GridSearch(build_few, max_energy_wh=0, **place(tmp_path))


def test_predictions_are_measured_once_and_stored(searched):
    history = kt.open_study(searched.project_dir).history
    facts = history.best.facts
    assert 0.0 < facts["prediction_energy"] < 0.1 and history.finished
    assert facts["prediction_energy_source"] == facts["energy_source"]
    searched.search(**DATA)
    assert kt.open_study(searched.project_dir).history.best.facts == facts
    assert Usage(2.0, 3.0).times(10) == Usage(20.0, 30.0)


class Tracker(Meter):
    """A meter that counts a joule a reading, in place of codecarbon's."""

    how = "estimated: codecarbon 3.3.2, the whole machine"

    def __init__(self):
        self.joules, self.closed = 0.0, False

    def tracked(self):
        self.joules += 1.0
        return self.joules

    def close(self):
        self.closed = True


def test_a_further_meter_counts_where_it_is_asked_for(tmp_path, monkeypatch):
    meter = Tracker()
    used = UsageClock(tmp_path, meter).read()
    assert used.tracked == 1.0 and (used + used).tracked == 2.0 and (used + used).how == meter.how
    assert (Usage(1.0) + used).tracked == 1.0
    own, other = TrainingEnergy(10.0), TrainingEnergy(10.0, 0.5, "codecarbon")
    assert other(used) == pytest.approx(0.5 / 3600) and other.source(used) == meter.how
    assert own(used) == pytest.approx(used.cpu_seconds * 10.0 / 3600)
    assert other(Usage(100.0)) == pytest.approx(0.5 * 1000 / 3600)  # a checkpoint from before

    monkeypatch.setattr(carbon, "CarbonMeter", lambda: meter)
    objective = Objective("energy", "min", of=dataclasses.replace(other, factor=1.0))
    where = place(tmp_path, objective=["val_loss", objective])
    tuner = kt.RandomSearch(build_few, max_trials=2, **where)
    tuner.search(epochs=2, **DATA)
    found = tuner.results.history
    assert found.total("energy") == pytest.approx((meter.joules - 1) / 3600, rel=0.8)
    assert found.trials[0].facts["energy_source"] == meter.how and meter.closed
    assert "toda la máquina" in tuner.report(tmp_path / "r.md", "es").read_text("utf-8")


def test_a_source_that_is_not_there(monkeypatch):
    with pytest.raises(InvalidInput, match="'codecarbn'. Did you mean 'codecarbon'"):
        kt.objectives.energy(source="codecarbn")
    monkeypatch.setattr("kerashpo.core.requirements.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "kerashpo\[energy\]"'):
        kt.objectives.co2(source="codecarbon")


@pytest.mark.extras
def test_codecarbon_counts_offline_and_says_nothing(capfd):
    pytest.importorskip("codecarbon")
    meter = carbon.CarbonMeter()
    first = meter.tracked()
    sum(range(5_000_000))
    time.sleep(0.1)
    assert 0.0 < meter.tracked() - first < 1000.0
    assert "codecarbon" in meter.how and meter.how.startswith(("estimated", "measured"))
    meter.close()
    out, err = capfd.readouterr()
    assert not out and not err
