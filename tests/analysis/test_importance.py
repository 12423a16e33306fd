"""Importances, against functions whose variance is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kerashpo.analysis.design_matrix import design_matrix
from kerashpo.analysis.forest import Boxes, grow
from kerashpo.analysis.importance import importances, shares
from kerashpo.core.errors import InvalidInput
from kerashpo.core.events import Ended, JobStarted, Reported, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Report, Start, Status
from kerashpo.core.rng import stream
from kerashpo.space import Space, choice, uniform, when

CUBE = Space({name: uniform(0.0, 1.0) for name in "abc"})


def study(space, score, trials=400, epochs=lambda number: 1, direction="min"):
    history = History([StudyCreated(space.to_json(), (("s", direction),), 0)])
    for number in range(trials):
        config, last = space.sample(stream(0, "test", number)), epochs(number)
        history.apply(JobStarted(Start(number, config, last)))
        value = score(config, last)
        history.apply(Reported(Report(number, 0, last, {"s": value}, 1.0)))
        history.apply(Ended(number, Status.COMPLETED, ""))
    return history


def found(space, score, **settings):
    return {s.names: s for s in importances(study(space, score, **settings), space)}


def test_boxes_have_the_moments_of_their_function():
    # 0 for a < 1/4, 4 beyond where b < 1/2, 8 where b is above.
    tree = Boxes(
        np.array([[0.0, 0.0], [0.25, 0.0], [0.25, 0.5]]),
        np.array([[0.25, 1.0], [1.0, 0.5], [1.0, 1.0]]),
        np.array([0.0, 4.0, 8.0]),
    )
    assert tree.mean == pytest.approx(4.5)
    assert tree.variance == pytest.approx(0.375 * 16 + 0.375 * 64 - 4.5**2)
    at = np.array([0.1, 0.25, 1.0])
    assert tree.marginal([0], [at]).tolist() == [0.0, 6.0, 6.0]
    assert tree.marginal([1], [at]).tolist() == [3.0, 3.0, 6.0]
    assert tree.marginal([0, 1], [at, at])[1].tolist() == [4.0, 4.0, 8.0]
    assert tree.cuts(0).tolist() == [0.0, 0.25, 1.0]


def test_a_sum_is_split_as_its_variances_are():
    # Var(3a) : Var(b) : Var(c) = 9 : 1 : 0
    shares = found(CUBE, lambda v, e: 3 * v["a"] + v["b"])
    assert shares["a",].mean == pytest.approx(0.9, abs=0.05)
    assert shares["b",].mean == pytest.approx(0.1, abs=0.05)
    assert shares["c",].mean < 0.02
    assert all(s.mean < 0.02 for names, s in shares.items() if len(names) == 2)


def test_a_product_without_main_effects_belongs_to_the_pair():
    shares = found(CUBE, lambda v, e: (v["a"] > 0.5) ^ (v["b"] > 0.5), trials=600)
    assert shares["a", "b"].mean > 0.8
    assert shares["a",].mean < 0.1 and shares["b",].mean < 0.1


def test_ishigami_without_its_interaction():
    # f = sin(x) + 7 sin(y)^2 on [-pi, pi]: variances 1/2 and 49/8.
    def f(v, epoch):
        x, y = (math.pi * (2 * v[name] - 1) for name in "ab")
        return math.sin(x) + 7 * math.sin(y) ** 2

    shares = found(CUBE, f, trials=800)
    whole = 0.5 + 49 / 8
    assert shares["a",].mean == pytest.approx(0.5 / whole, abs=0.05)
    assert shares["b",].mean == pytest.approx(49 / 8 / whole, abs=0.1)


def test_the_direction_does_not_matter():
    up = found(CUBE, lambda v, e: -3 * v["a"] - v["b"], direction="max")
    down = found(CUBE, lambda v, e: 3 * v["a"] + v["b"])
    assert up["a",].mean == pytest.approx(down["a",].mean, abs=1e-9)


def test_a_child_matters_where_it_is_active_alone():
    space = Space({"kind": choice(["x", "y"])}, when("kind", "x", {"child": uniform(0.0, 1.0)}))
    # f = child where kind is x, 1/2 elsewhere: the main effect is child/2 + 1/4 with variance
    # 1/48, the variance in all 1/24: one half is the child's, the other half the pair's.
    shares = found(space, lambda v, e: v.get("child", 0.5), trials=800)
    assert shares["child",].mean == pytest.approx(0.5, abs=0.08)
    assert shares["kind", "child"].mean == pytest.approx(0.5, abs=0.08)
    assert shares["kind",].mean < 0.03


def test_epochs_are_not_taken_for_a_parameter():
    # Trials with a large c are trained longer, and longer training scores better; c is nothing.
    space = Space({"a": uniform(0.0, 1.0), "c": uniform(0.0, 1.0)})
    shares = found(space, lambda v, e: v["a"] - 2 * math.log(e), epochs=lambda n: 1 + 8 * (n % 3))
    assert shares["a",].mean > 0.85


def test_one_diverged_training_does_not_explain_everything():
    shares = found(CUBE, lambda v, e: 1e9 if v["c"] > 0.995 else v["a"])
    assert shares["a",].mean > 0.8


@pytest.mark.parametrize("epochs", [lambda number: 1, lambda number: 1 + number % 3])
def test_chance_explains_nothing(epochs):
    noise = iter(np.random.default_rng(1).normal(size=300))
    shares = found(CUBE, lambda v, e: next(noise) + 10 * e, trials=300, epochs=epochs)
    assert sum(share.mean for share in shares.values()) < 0.03


def test_half_of_the_variance_is_chance():
    noise = iter(np.random.default_rng(1).normal(size=600))
    shares = found(CUBE, lambda v, e: math.sqrt(12) * v["a"] + next(noise), trials=600)
    assert shares["a",].mean == pytest.approx(0.5, abs=0.12)


def test_uncertainty_shrinks_with_more_trials():
    few, many = (found(CUBE, lambda v, e: v["a"] + v["b"], trials=n) for n in (20, 500))
    assert many["a",].deviation < few["a",].deviation


@pytest.mark.parametrize("trials", [0, 1, 9])
def test_too_few_trials_say_nothing(trials):
    assert importances(study(CUBE, lambda v, e: v["a"], trials), CUBE) == []


def test_equal_scores_say_nothing():
    assert importances(study(CUBE, lambda v, e: 1.0, 30), CUBE) == []


def test_the_same_study_gives_the_same_numbers():
    known = design_matrix(study(CUBE, lambda v, e: v["a"], 40), CUBE)
    assert shares(grow(known), known.names) == shares(grow(known), known.names)


def test_a_name_with_two_meanings_has_two_columns():
    space = Space(
        {"kind": choice(["x", "y"])},
        when("kind", "x", {"size": uniform(0.0, 1.0)}),
        when("kind", "y", {"size": uniform(5.0, 9.0)}),
    )
    known = design_matrix(study(space, lambda v, e: v["size"], 20), space)
    assert known.names == ("kind", "size (kind=x)", "size (kind=y)")
    assert (np.isnan(known.rows[:, 1]) != np.isnan(known.rows[:, 2])).all()


def test_an_unknown_parameter():
    known = design_matrix(study(CUBE, lambda v, e: v["a"], 3), CUBE)
    with pytest.raises(InvalidInput, match="There is no tuned parameter 'd'"):
        known.column("d")


def test_trials_of_one_configuration_say_nothing():
    history = study(CUBE, lambda v, e: float(e), 0)
    for number in range(20):
        history.apply(JobStarted(Start(number, {"a": 0.5, "b": 0.5, "c": 0.5}, 1)))
        history.apply(Reported(Report(number, 0, 1, {"s": float(number)}, 1.0)))
    assert importances(history, CUBE) == []
