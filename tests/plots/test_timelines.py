from itertools import pairwise

import matplotlib
import pytest

from kerashpo.core.events import JobStarted, Noted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Resume, Start
from kerashpo.plots.gantt import Span, draw_gantt, lanes, lanes_by_node, spans
from kerashpo.plots.rungs import climbs, draw_rungs, rung_counts
from kerashpo.problems.power_law import PowerLaw
from kerashpo.tuners.simulate import simulate

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def history():
    return simulate(PowerLaw(9), tuner="asha", max_trials=18, workers=3, seed=0).history


def empty_history():
    return History([StudyCreated({"params": []}, (("value", "min"),), 0)])


def test_segments_contain_every_epoch_once(history):
    found = spans(history)
    assert sum(span.last - span.first + 1 for span in found) == history.epochs
    assert sum(span.end - span.begin for span in found) == pytest.approx(history.epochs)


def test_a_promoted_trial_is_trained_in_several_segments(history):
    longest = max(history.trials.values(), key=lambda trial: trial.epochs)
    own = [span for span in spans(history) if span.trial == longest.number]
    assert own[0].first == 1
    assert own[-1].last == 9
    assert all(a.last + 1 == b.first for a, b in pairwise(own))


def spans_of(*parts):
    """A trial of jobs to epoch 4 and 6; each part is an event, or (time, run, epoch, seconds)."""
    history = empty_history()
    for part in parts:
        if isinstance(part, tuple):
            at, run, epoch, seconds = part
            part = Reported(Report(0, run, epoch, {"value": 1.0}, seconds), at=at)
        history.apply(part)
    return spans(history)


def test_epochs_that_arrive_several_at_once_are_one_bar():
    # Two batches of two epochs, each epoch a second, and half a second between the batches.
    batches = [(2.0, 0, 1, 1.0), (2.0, 0, 2, 2.0), (4.5, 0, 3, 3.0), (4.5, 0, 4, 4.0)]
    assert spans_of(JobStarted(Start(0, {}, 4)), *batches) == [Span(0, 0.0, 4.5, 1, 4)]


def test_each_job_is_a_bar():
    first, second = (2.0, 0, 1, 2.0), (5.0, 0, 2, 3.0)
    found = spans_of(JobStarted(Start(0, {}, 1)), first, JobStarted(Resume(0, 2), at=3.0), second)
    assert found == [Span(0, 0.0, 2.0, 1, 1), Span(0, 4.0, 5.0, 2, 2)]


def test_several_runs_of_a_job_are_one_bar():
    runs = [(1.0, 0, 1, 1.0), (2.0, 0, 2, 2.0), (3.5, 1, 1, 1.5), (5.0, 1, 2, 3.0)]
    assert spans_of(JobStarted(Start(0, {}, 2)), *runs) == [Span(0, 0.0, 5.0, 1, 2)]


def test_a_bar_ends_where_its_worker_was_lost():
    lost = Noted(0, {"worker_lost": "was killed by signal 9"}, at=6.0)
    found = spans_of(JobStarted(Start(0, {}, 4)), (1.0, 0, 1, 1.0), lost, (9.0, 0, 2, 2.0))
    assert found == [Span(0, 0.0, 1.0, 1, 1), Span(0, 8.0, 9.0, 2, 2)]


def test_there_are_as_many_lanes_as_workers_and_none_overlap(history):
    found = spans(history)
    rows = lanes(found)
    assert set(rows) == {0, 1, 2}
    for lane in set(rows):
        own = [span for span, row in zip(found, rows) if row == lane]
        assert all(a.end <= b.begin + 1e-6 for a, b in pairwise(own))


def test_the_lowest_free_lane_is_taken():
    segments = [Span(0, 0, 3, 1, 1), Span(1, 0, 1, 1, 1), Span(2, 1, 2, 1, 1), Span(3, 2, 4, 1, 1)]
    assert lanes(segments) == [0, 1, 1, 1]


def test_rungs_count_who_came_there(history):
    counts = rung_counts(history)
    assert counts[1] == 18
    assert list(counts) == [1, 3, 9]
    assert counts[3] >= counts[9] >= 1
    assert len(climbs(history)) == 18


def test_figures_show_what_was_counted(history):
    axes = draw_gantt(history)
    assert sum(len(bars.get_paths()) for bars in axes.collections) == len(spans(history))
    ticks = [label.get_text() for label in draw_rungs(history).get_yticklabels()]
    assert ticks[0] == "1 (18)"
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("draw", [draw_gantt, draw_rungs])
def test_nothing_to_draw_is_said_on_the_figure(draw):
    (text,) = draw(empty_history()).texts
    assert text.get_text() == "no epoch was trained yet"
    matplotlib.pyplot.close("all")


def test_lanes_of_a_machine_lie_side_by_side():
    segments = [Span(0, 0, 2, 1, 1, "b"), Span(1, 0, 2, 1, 1, "a"), Span(2, 1, 3, 1, 1, "b")]
    assert lanes_by_node(segments) == ([1, 0, 2], ["a 1", "b 1", "b 2"])
    assert lanes_by_node([Span(0, 0, 2, 1, 1), Span(1, 1, 2, 1, 1)]) == ([0, 1], ["1", "2"])
