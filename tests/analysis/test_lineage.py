"""Lineages and schedules of population-based training, from curves."""

from __future__ import annotations

import pytest

from kerashpo.analysis.lineage import changing, line_of
from kerashpo.core.errors import InvalidInput, NoResult
from kerashpo.core.history import History
from kerashpo.schedulers.pbt import PBT
from kerashpo.space import Space, choice, uniform
from kerashpo.study.results import Results
from kerashpo.testing.curve_study import Search

SPACE = Space({"x": uniform(0.0, 1.0), "kind": choice(["a", "b"])})


@pytest.fixture(scope="module")
def history() -> History:
    """The best x is 0 at first and 1 at the end."""

    def curve(config, epoch):
        return abs(float(config["x"]) - epoch / 12) - 0.1 * epoch

    return Search(lambda: PBT(12, 8, 2, mutate=["x"]), curve, SPACE).history()


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
    history = History(Search(lambda: PBT(2), space=SPACE).run()[:1])
    assert len(Results(history).lineage()) == 0
    with pytest.raises(NoResult):
        Results(history).schedule()


def test_a_callback_needs_the_tuner(history):
    with pytest.raises(InvalidInput, match=r"replay_schedule\(\) needs the function"):
        Results(history).replay_schedule()
