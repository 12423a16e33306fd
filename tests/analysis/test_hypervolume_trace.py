"""The hypervolume of a study, trial by trial."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

from kerashpo.core.errors import InvalidInput
from kerashpo.space import Space, uniform
from kerashpo.study.results import Results
from tests.analysis.test_pareto import study

# Accuracy is maximised, loss minimised; the third number is seconds.
ROWS = [(0.5, 0.5, 1.0), (0.9, 0.9, 1.0), (0.4, 0.6, 1.0), (0.8, 0.2, 1.0)]
SPACE = Space({"x": uniform(0.0, 1.0)})


def results(rows=ROWS, **options):
    return Results(study(rows, **options), SPACE)


def test_it_is_the_area_between_the_front_and_the_reference():
    found = results().hypervolume({"acc": 0.0, "loss": 1.0})
    assert found["trial"].tolist() == [0, 1, 2, 3]
    expected = [0.25, 0.25 + 0.04, 0.29, 0.64 + 0.01]
    assert found["hypervolume"].tolist() == pytest.approx(expected)


def test_the_worst_values_are_the_usual_reference():
    found = results().hypervolume()["hypervolume"]
    assert found.tolist() == pytest.approx([0.1 * 0.4, 0.04, 0.04, 0.4 * 0.7])


def test_failed_trials_do_not_count():
    found = results(failed={3}).hypervolume({"acc": 0.0, "loss": 1.0})
    assert found["trial"].tolist() == [0, 1, 2]


def test_it_is_drawn():
    ax = results().plot.hypervolume({"acc": 0.0, "loss": 1.0})
    assert ax.get_lines()[0].get_ydata().tolist()[-1] == pytest.approx(0.65)
    assert results().plot("es").hypervolume().get_ylabel() == "hipervolumen"
    plt.close("all")


def test_a_reference_of_other_objectives_and_a_single_objective_are_refused():
    with pytest.raises(InvalidInput, match="a value for each objective .acc, loss."):
        results().hypervolume({"acc": 0.0})
    with pytest.raises(InvalidInput, match="The study has one: acc"):
        results(objectives=(("acc", "max"),)).hypervolume()
