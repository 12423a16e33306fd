"""The surrogate's figures: numbers first."""

import math
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from kerashpo.algorithms.bayesian import BayesianOptimization
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.plots.accessor import Plots
from kerashpo.plots.surrogate import draw_plane, draw_slice, plane_of, slice_of
from kerashpo.space import Space, choice, loguniform, uniform

matplotlib.use("Agg")
SPACE = Space(
    {"lr": loguniform(1e-4, 1e-1), "drop": uniform(0, 1), "act": choice(["relu", "tanh"])}
)


def accuracy(config):
    rate = math.log10(config["lr"])
    return 0.9 - 0.1 * (rate + 2.5) ** 2 - (0.05 if config["act"] == "tanh" else 0.0)


@pytest.fixture(scope="module")
def study():
    history = History([StudyCreated(SPACE.to_json(), (("val_accuracy", "max"),), 0)])
    rng = np.random.default_rng(0)
    for trial in range(25):
        config = SPACE.sample(rng)
        history.apply(JobStarted(Start(trial, config, 1)))
        metrics = {"val_accuracy": accuracy(config)}
        history.apply(Reported(Report(trial, 0, 1, metrics, 0.0)))
        history.apply(Ended(trial, Status.COMPLETED, "completed"))
    return history


@pytest.fixture(scope="module")
def algorithm():
    return BayesianOptimization(SPACE, 0)


def test_a_slice_is_in_the_objectives_units_and_peaks_where_it_should(study, algorithm):
    found = slice_of(algorithm.surrogate(study), "lr", study.objective)
    top = int(np.argmax(found.mean))
    assert found.mean[top] == pytest.approx(0.9, abs=0.02)
    assert math.log10(found.values[top]) == pytest.approx(-2.5, abs=0.3)
    assert found.observed.shape == (25, 2)
    assert found.observed[:, 1].max() == pytest.approx(study.best.score)


def test_a_slice_along_a_choice_has_one_point_for_each_value(study, algorithm):
    found = slice_of(algorithm.surrogate(study), "act", study.objective)
    assert found.values == ("relu", "tanh")
    assert found.mean[0] - found.mean[1] == pytest.approx(0.05, abs=0.02)


def test_a_plane_agrees_with_the_slice_through_the_best(study, algorithm):
    surrogate = algorithm.surrogate(study)
    plane = plane_of(surrogate, "lr", "drop", study.objective)
    assert plane.mean.shape == plane.acquisition.shape == (41, 41)
    along = slice_of(surrogate, "lr", study.objective).mean[::3]
    gaps = np.abs(plane.mean - along).max(axis=1)
    assert gaps.min() < 0.02


def test_drawing(study, algorithm):
    surrogate = algorithm.surrogate(study)
    ax = draw_slice(slice_of(surrogate, "lr", study.objective), study.objective)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("lr", "val_accuracy")
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert (labels[0], labels[-1]) == ("0.0001", "0.1")
    ax = draw_plane(plane_of(surrogate, "lr", "drop", study.objective), study.objective)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("lr", "drop")
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert float(labels[0]) < 0.02 and float(labels[-1]) > 0.45
    assert "no trial" in draw_slice(None, study.objective).texts[0].get_text()


def test_a_trial_far_off_does_not_flatten_the_picture(study, algorithm):
    found = slice_of(algorithm.surrogate(study), "lr", study.objective)
    far = replace(found, observed=np.vstack([found.observed, [0.5, -1e6]]))
    ax = draw_slice(far, study.objective)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["expected", "trials", "1 farther off"]
    assert ax.get_ylim()[0] > -10.0


def test_the_menu_draws_both(study):
    plots = Plots(study, lambda: SPACE)
    assert plots.surrogate("lr").get_xlabel() == "lr"
    assert plots.surrogate("lr", "drop").get_ylabel().startswith("drop")


def test_its_labels_go_through_the_readers_language(study):
    plots = Plots(study, lambda: SPACE)("es")
    ax = plots.surrogate("lr")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:2] == ["esperado", "ensayos"]
    assert ax.figure.axes[1].get_ylabel() == "logaritmo de la mejora esperada"


def test_the_white_lines_of_a_plane_are_explained(study):
    ax = Plots(study, lambda: SPACE).surrogate("lr", "drop")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["log expected improvement (thicker is higher)", "trials"]


def test_names_and_values_are_written_as_they_are():
    space = Space({"$how$": choice([(1, 2), (3, 4)])})
    history = History([StudyCreated(space.to_json(), (("value", "min"),), 0)])
    for trial, which in enumerate((0, 1, 0)):
        history.apply(JobStarted(Start(trial, {"$how$": which}, 1)))
        history.apply(Reported(Report(trial, 0, 1, {"value": trial + 1.0}, 0.0)))
        history.apply(Ended(trial, Status.COMPLETED, "completed"))
    ax = Plots(history, lambda: space).surrogate("$how$")
    assert ax.get_xlabel() == r"\$how\$"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["(1, 2)", "(3, 4)"]


def test_an_unknown_parameter_names_the_nearest(study, algorithm):
    with pytest.raises(InvalidInput, match="Did you mean 'drop'"):
        slice_of(algorithm.surrogate(study), "dorp", study.objective)


def test_explain_says_what_matters_and_what_comes_next(study, algorithm):
    explained = algorithm.explain(study)
    assert explained.relevance["lr"] > explained.relevance["drop"]
    assert sum(explained.relevance.values()) == pytest.approx(1.0)
    assert explained.best.value == pytest.approx(study.best.score, abs=0.01)
    assert explained.next.config == algorithm.ask(25, study)
    assert isinstance(explained.exploring, bool)
    text = str(explained)
    assert text.startswith("relevance") and "lr" in text and "next" in text


def test_explain_has_nothing_to_say_before_the_first_value(algorithm):
    history = History([StudyCreated(SPACE.to_json(), (("val_accuracy", "max"),), 0)])
    assert algorithm.explain(history) is None
