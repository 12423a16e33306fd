"""Lineages and schedules of population-based training, from curves."""

from __future__ import annotations

import pytest

from kerashpo.analysis.lineage import changing, line_of
from kerashpo.core.errors import InvalidInput, NoResult
from kerashpo.core.history import History
from kerashpo.schedulers.pbt import PBT
from kerashpo.space import Space, choice, uniform
from kerashpo.study.results import Results
from kerashpo.testing.curve_study import CurveStudy

SPACE = Space({"x": uniform(0.0, 1.0), "kind": choice(["a", "b"])})


@pytest.fixture(scope="module")
def history() -> History:
    """The best x is 0 at first and 1 at the end."""

    def curve(config, epoch):
        return abs(float(config["x"]) - epoch / 12) - 0.1 * epoch

    return CurveStudy(lambda: PBT(12, 8, 2, mutate=["x"]), curve, SPACE).history()


def test_a_line_has_every_epoch_once_with_the_values_that_it_was_trained_with(history):
    line = line_of(history)
    assert line[-1].trial == history.best.number and len(line) > 2
    assert [stage.first for stage in line[1:]] == [stage.last + 1 for stage in line[:-1]]
    assert (line[0].first, line[-1].last) == (1, history.best.best_epoch)
    for stage, child in zip(line, line[1:]):
        assert history.trials[child.trial].parent == stage.trial
    assert changing(line) == ["x"]


def test_the_schedule_is_a_row_an_epoch_and_parameter(history):
    table = Results(history).schedule()
    assert list(table.columns) == ["epoch", "trial", "parameter", "value"]
    x = table[table.parameter == "x"]
    assert list(x.epoch) == list(range(1, history.best.best_epoch + 1))
    assert x.value.iloc[-1] > x.value.iloc[0]
    assert table[table.parameter == "kind"].value.nunique() == 1


def test_another_trials_schedule(history):
    table = Results(history).schedule(trial=0)
    assert set(table.trial) == {0}
    with pytest.raises(InvalidInput, match="no trial 999"):
        Results(history).schedule(trial=999)


def test_the_lineage_is_a_row_a_trial(history):
    table = Results(history).lineage().set_index("trial")
    assert len(table) == len(history.trials)
    assert table.parent.isna().sum() == 8
    assert list(table[table.in_best].index) == [stage.trial for stage in line_of(history)]
    for number, row in table.dropna(subset="parent").iterrows():
        assert history.trials[number].origin == (row.parent, row.forked_at)


def test_an_empty_study_has_a_lineage_and_no_schedule():
    history = History(CurveStudy(lambda: PBT(2), space=SPACE).run()[:1])
    assert len(Results(history).lineage()) == 0
    with pytest.raises(NoResult):
        Results(history).schedule()


def test_a_callback_needs_the_tuner(history):
    with pytest.raises(InvalidInput, match=r"replay_schedule\(\) needs the function"):
        Results(history).replay_schedule()


def test_figures_show_branches_and_steps(history):
    import matplotlib.pyplot as plt

    from kerashpo.plots.lineage import branch

    backend = plt.get_backend()
    plt.switch_backend("Agg")
    best = history.best
    points = branch(history, best.number)
    assert tuple(points[0]) == (
        best.forked_at,
        dict(history.trials[best.parent].curve())[best.forked_at],
    )
    assert len(points) == 1 + len(best.reports[0])
    plots = Results(history).plot
    ax = plots.lineage()
    assert len(ax.get_lines()) == len(history.trials)
    (panel,) = plots("es").schedule()
    assert panel.get_ylabel() == "x" and panel.get_xlabel() == "época"
    heights = [line.get_ydata()[0] for line in panel.get_lines() if len(set(line.get_ydata())) == 1]
    assert heights == [stage.config["x"] for stage in line_of(history)]
    plt.close("all")
    plt.switch_backend(backend)


@pytest.mark.parametrize("lang, words", [("en", "Lineage and schedule"), ("es", "Linaje y")])
def test_the_report_has_a_section(history, tmp_path, lang, words):
    page = Results(history).report(tmp_path / "r.html", lang).read_text()
    assert words in page and "replay_schedule" in page
