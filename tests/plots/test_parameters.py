"""Figures of parameters: slices, contours, parallel coordinates, the Pareto front."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from kerashpo.analysis.design_matrix import design_matrix
from kerashpo.analysis.forest import StudyForest
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.rng import stream
from kerashpo.plots.accessor import Plots
from kerashpo.plots.parallel import ABSENT, lines_of
from kerashpo.plots.style import colour, frame, framed, literal, shades, short
from kerashpo.plots.ticks import ticks
from kerashpo.space import Space, choice, integer, loguniform, when

SPACE = Space(
    {"rate": loguniform(1e-4, 1e-1), "o$p$": choice(["sgd", "adam"]), "units": integer(1, 64)},
    when("o$p$", "sgd", {"momentum": choice([(1, 2), (3, 4)])}),
)


@pytest.fixture(autouse=True)
def _agg() -> Iterator[None]:
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def study(trials: int, space: Space = SPACE) -> Plots:
    history = History([StudyCreated(space.to_json(), (("acc", "max"),), 0)])
    for number in range(trials):
        config = space.sample(stream(0, "plots", number))
        last = 3 if number % 2 else 1
        history.apply(JobStarted(Start(number, config, last)))
        for epoch in range(1, last + 1):
            metrics = {"acc": 0.5 + config["units"] / 200 + epoch / 20, "loss": 1.0 / epoch}
            history.apply(Reported(Report(number, 0, epoch, metrics, float(epoch))))
        history.apply(Ended(number, Status.COMPLETED if number % 2 else Status.STOPPED, ""))
    return Plots(history, lambda: space)


@pytest.mark.parametrize("trials", [0, 1, 40, 600])
def test_every_size_is_drawn(trials):
    plots = study(trials)
    for ax in (plots.slices()[0], plots.contours("rate", "units"), plots.parallel()):
        ax.figure.canvas.draw()
        assert bool(ax.texts) or ax.get_xlabel()


def test_without_trials_one_panel_says_so():
    (first,) = study(0).slices()
    others = first.figure.axes[1:]
    assert first.texts[0].get_text() == "no trial has a score yet"
    assert len(others) == 3 and not any(ax.axison for ax in others)


def test_a_panel_for_each_parameter():
    panels = study(40).slices()
    assert [ax.get_xlabel() for ax in panels] == ["rate", r"o\$p\$", "units", "momentum"]
    assert panels[0].get_ylabel() == "acc"
    (legend,) = panels[0].figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["stopped before", "trained fully", "expected"]


def test_chosen_parameters_on_given_axes():
    _, mine = plt.subplots(1, 2)
    drawn = study(40).slices(["units", "rate"], list(mine))
    assert drawn == list(mine) and mine[0].get_xlabel() == "units"


def test_the_expected_line_rises_with_what_matters():
    (ax,) = study(200).slices(["units"])
    (line,) = (one for one in ax.lines if one.get_label() == "expected")
    assert line.get_ydata()[-1] - line.get_ydata()[0] > 0.2


def test_lines_end_with_the_best_on_top_and_go_below_where_absent():
    plots = study(20)
    matrix = design_matrix(plots._history, SPACE)
    heights, (low, high) = lines_of(matrix, [3])
    assert heights[-1, 1] == 1.0 and heights[0, 1] == 0.0
    assert (low, high) == (matrix.scores.min(), matrix.scores.max())
    absent = np.isnan(matrix.rows[:, 3]).sum()
    assert 0 < absent == (heights[:, 0] == ABSENT).sum()


def test_an_unknown_parameter_is_refused():
    for draw in (
        lambda p: p.slices(["unit"]),
        lambda p: p.contours("unit", "rate"),
        lambda p: p.parallel(["unit"]),
    ):
        with pytest.raises(InvalidInput, match="no tuned parameter 'unit'. Did you mean 'units'"):
            draw(study(3))


def test_many_parameters_are_cut_to_the_most_important():
    wide = Space({f"p{i}": loguniform(1e-4, 1e-1) for i in range(11)} | {"units": integer(1, 64)})
    labels = [t.get_text() for t in study(60, wide).parallel().get_xticklabels()]
    assert len(labels) == 9 and "units" in labels and labels[-1] == "acc"
    assert len(study(60, wide).slices()) == 9


def test_the_front_of_two_metrics():
    ax = study(40).pareto("loss", "acc")
    assert ax.get_xlabel() == "loss (less is better)" and ax.get_ylabel() == "acc\n(more is better)"
    assert study(40).pareto().get_xlabel() == "seconds of training (less is better)"


def test_contours_write_the_values_of_their_parameters():
    ax = study(40).contours("rate", "o$p$")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.0001", "0.00316", "0.1"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["sgd", "adam"]


def test_values_without_a_json_form_are_written_as_they_print():
    matrix = design_matrix(study(3)._history, SPACE)
    assert [text for _, text in ticks(matrix.domains[3])] == ["(1, 2)", "(3, 4)"]
    (many,) = Space({"shape": choice([(n, n) for n in range(12)])}).params
    assert [text for _, text in ticks(many.domain)][::4] == ["(0, 0)", "(11, 11)"]


def test_labels_go_through_the_readers_language():
    plots = study(40)(lang="es")
    drawn = [plots.history(), plots.gantt(), plots.rungs(), plots.pareto(), plots.importances()]
    assert [ax.get_xlabel() for ax in drawn] == [
        "ensayo",
        *["segundos de búsqueda"] * 2,
        "segundos de entrenamiento (menos es mejor)",
        "parte de la varianza de la puntuación (%)",
    ]
    assert drawn[0].figure.get_suptitle() == "Puntuación de cada ensayo"


def test_numbers_have_the_readers_decimal_mark():
    plots = study(40)("es")
    for ax in (plots.history(), plots.pareto(), plots.contours("rate", "units")):
        ax.figure.canvas.draw()
        labels = [text.get_text() for text in (*ax.get_xticklabels(), *ax.get_yticklabels())]
        assert any("," in label for label in labels) and not any("." in one for one in labels)
    colours = ax.figure.axes[1]
    assert any("," in label.get_text() for label in colours.get_yticklabels())


def test_a_diverged_training_does_not_flatten_the_figure():
    values = np.append(np.linspace(0.1, 0.9, 50), 1e9)
    assert framed(values) == (0.1, 0.9)
    _, ax = plt.subplots()
    frame(ax, values)
    assert ax.get_ylim()[1] < 1 and ax.texts[0].get_text() == "1 value outside"
    frame(ax, np.append(values, [1e9, 2e9]))
    assert ax.texts[1].get_text() == "3 values outside"


def test_a_note_never_lies_on_the_curves():
    _, ax = plt.subplots()
    frame(ax, np.append(np.linspace(0.1, 0.9, 50), 1e9))
    ax.figure.canvas.draw()
    assert ax.texts[0].get_window_extent().y0 >= ax.get_window_extent().y1
    assert framed(np.array([0.5] * 20 + [9.0])) == (0.5, 9.0)
    assert framed(np.append(np.linspace(0.1, 0.9, 50), [-70.0] * 10)) == (0.1, 0.9), (
        "a sixth diverged"
    )


def test_names_are_no_formulas():
    assert literal(r"$\frac$") == r"\$\frac\$"
    assert short("x" * 30) == "x" * 13 + "…" and short(0.123456) == "0.123"
    assert [short(value) for value in (1000.0, 12345.6, 1e5, 1e-5)] == [
        "1000",
        "12346",
        "1e+05",
        "1e-05",
    ]


def test_a_forest_is_grown_again_when_the_study_has_grown():
    history = study(30)._history
    forest = StudyForest(history, lambda: SPACE)
    first = forest.get()
    assert forest.get()[1] is first[1]
    history.apply(JobStarted(Start(30, SPACE.default(), 1)))
    history.apply(Reported(Report(30, 0, 1, {"acc": 0.1}, 1.0)))
    assert len(forest.get()[0].scores) == len(first[0].scores) + 1


def test_only_a_new_figure_has_a_title():
    plots = study(40)
    _, mine = plt.subplots()
    assert plots.parallel().figure.get_suptitle() == "Parallel coordinates"
    assert plots.slices()[0].figure.get_suptitle() == "Score against each parameter"
    assert plots.parallel(ax=mine).figure.get_suptitle() == ""


def test_a_legend_stands_beside_the_axes_where_there_is_room():
    made = study(40).history()
    _, mine = plt.subplots()
    study(40).history(ax=mine)
    for ax, outside in ((made, True), (mine, False)):
        ax.figure.canvas.draw()
        box = ax.get_legend().get_window_extent()
        assert (box.x0 >= ax.get_window_extent().x1 - 1) == outside


def contrast(one, other) -> float:
    """The contrast of two colours by the WCAG's formula."""
    light = []
    for shade in (one, other):
        linear = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(shade)
        ]
        light.append(float(np.dot([0.2126, 0.7152, 0.0722], linear)))
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_rungs_are_distinguished_on_every_page(style):
    with plt.style.context(style):
        page = mpl.rcParams["axes.facecolor"]
        ramps = [shades(count) for count in (2, 3, 4, 5)]
        assert all(contrast(shade, page) > 1.4 for ramp in ramps for shade in ramp)
        steps = [np.abs(a - b)[:3].sum() for ramp in ramps for a, b in pairwise(ramp)]
        assert min(steps) > 0.24
        assert all(contrast(colour(index), page) > 2.2 for index in range(7))


def test_a_figure_without_a_background_is_legible_on_both_pages():
    with plt.style.context({"axes.facecolor": "none"}):
        every = [*(colour(index) for index in range(7)), *shades(4)]
    for page in ("#ffffff", "#181818"):
        assert all(contrast(shade, page) > 1.4 for shade in every)
    assert contrast(every[0], "#ffffff") > 3 < contrast(every[0], "#181818")
