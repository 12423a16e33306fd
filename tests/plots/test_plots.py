"""Figures: drawn on real Axes, for studies of every size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from kerashpo.analysis.anytime import Trace
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.plots.accessor import Plots
from kerashpo.plots.anytime import draw_anytime
from kerashpo.plots.optimization_history import scores
from kerashpo.plots.style import COLOURS, colour
from kerashpo.space import Space, uniform

SPACE = Space({"x": uniform(0.0, 1.0)})
FIGURES = (
    "history", "curves", "anytime", "importances", "parallel", "pareto", "gantt", "rungs",
    "lineage",
)  # fmt: skip
SCORED = ("history", "curves", "anytime")


@pytest.fixture(autouse=True)
def _agg() -> Iterator[None]:
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def study(trials: int, epochs: int = 3, value: float | None = None) -> History:
    history = History([StudyCreated(SPACE.to_json(), (("acc", "max"),), 0)])
    for number in range(trials):
        history.apply(JobStarted(Start(number, {"x": 0.5}, epochs), at=float(number)))
        for epoch in range(1, epochs + 1):
            score = value if value is not None else ((number * 7) % 11 + epoch) / 20
            at = number + epoch / (epochs + 1)
            history.apply(Reported(Report(number, 0, epoch, {"acc": score}, float(epoch)), at=at))
        history.apply(Ended(number, Status.COMPLETED, "completed", at=number + 1.0))
    return history


def plots(history: History) -> Plots:
    return Plots(history, lambda: SPACE)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("trials", [0, 1, 2, 600])
def test_studies_of_every_size(figure, trials):
    ax = getattr(plots(study(trials)), figure)()
    assert isinstance(ax, Axes)
    ax.figure.canvas.draw()
    if trials == 0:
        assert len(ax.texts) == 1
    elif figure in SCORED:
        assert ax.get_xlabel() and ax.get_ylabel() == "acc"


@pytest.mark.parametrize("figure", FIGURES)
def test_a_study_of_nan_alone(figure):
    ax = getattr(plots(study(2, value=float("nan"))), figure)()
    ax.figure.canvas.draw()
    # It says on the figure that there is nothing, or has axes that say what is missing.
    assert ax.texts or ax.get_xlabel()


@pytest.mark.parametrize("figure", FIGURES)
def test_the_given_axes_are_drawn_on(figure):
    _, mine = plt.subplots()
    assert getattr(plots(study(3)), figure)(ax=mine) is mine
    # Three trials are too few for importances, which is written on the figure.
    assert mine.has_data() or "importances need" in mine.texts[0].get_text()


def test_scores_are_those_of_the_best_epochs():
    numbers, found = scores(study(3, epochs=2))
    assert numbers.tolist() == [0, 1, 2]
    assert found == pytest.approx([2 / 20, 9 / 20, 5 / 20])


def test_the_staircase_ends_at_the_best():
    history = study(5)
    ax = plots(history).history()
    (stairs,) = (line for line in ax.lines if line.get_label() == "best so far")
    assert stairs.get_ydata()[-1] == history.best.score
    assert np.all(np.diff(stairs.get_ydata()) >= 0)


def test_the_best_curve_stands_out():
    history = study(5)
    ax = plots(history).curves()
    (best,) = (line for line in ax.lines if not line.get_label().startswith("_"))
    assert best.get_label() == f"trial {history.best.number} (best)"
    (others,) = ax.collections
    assert len(others.get_segments()) == 4


def test_a_metric_that_nobody_logged():
    ax = plots(study(2)).curves("f1")
    assert ax.texts[0].get_text() == "no epoch has logged f1"


def test_several_seeds_are_drawn_with_their_mean():
    one = Trace(np.array([1.0, 2.0]), np.array([0.2, 0.4]), 3.0)
    two = Trace(np.array([1.5]), np.array([0.6]), 2.0)
    nothing = Trace(np.zeros(0), np.zeros(0), 1.0)
    ax = draw_anytime({"a": [one, two], "b": [one], "c": [nothing]}, "seconds", "acc")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["a", "b"]
    (mean,) = (line for line in ax.lines if line.get_label() == "a")
    assert mean.get_xdata()[0] == 1.5 and mean.get_xdata()[-1] == 3.0
    assert mean.get_ydata()[0] == pytest.approx(0.4) and mean.get_ydata()[-1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("begin", "end", "ticks"),
    [
        (20.0, 60.0, None),
        (1.0, 12.0, ["1", "2", "5", "10"]),
        (0.5, 90.0, ["1", "3", "10", "30", "100"]),
        (0.05, 900.0, ["0.1", "1", "10", "100", "1000"]),
    ],
)
def test_amounts_are_plain_numbers_that_do_not_overlap(begin, end, ticks):
    found = Trace(np.array([begin, end / 2]), np.array([0.2, 0.4]), end)
    _, ax = plt.subplots(figsize=(2.6, 3.0))
    draw_anytime({"a": [found]}, "seconds", "acc", ax)
    ax.figure.canvas.draw()
    assert (ax.get_xscale() == "log") == (ticks is not None)
    low, high = ax.get_xlim()
    labels = [t for t in ax.get_xticklabels(which="both") if low <= t.get_position()[0] <= high]
    boxes = [label.get_window_extent() for label in labels if label.get_text()]
    assert len(boxes) >= 3 and all(a.x1 < b.x0 for a, b in pairwise(boxes))
    if ticks is not None:
        assert [label.get_text() for label in labels] == ticks


def test_one_trial_is_one_score_at_a_whole_number():
    ax = plots(study(1)).history()
    (stairs,) = (line for line in ax.lines if line.get_label() == "best so far")
    assert set(stairs.get_ydata()) == {study(1).best.score}
    ax.figure.canvas.draw()
    assert {label.get_text() for label in ax.get_xticklabels()} <= {"−1", "0", "1"}


def test_a_single_epoch_is_a_point():
    (line,) = plots(study(1, epochs=1)).anytime("epochs").lines
    assert line.get_marker() == "o"


def test_colours_repeat_after_the_last():
    assert colour(0) == colour(len(COLOURS)) != colour(1)
