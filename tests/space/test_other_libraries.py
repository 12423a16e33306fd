"""Spaces from and to Optuna, ConfigSpace and Hyperopt."""

from __future__ import annotations

import builtins
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo import space as s
from kerashpo.core.errors import InvalidInput, InvalidSpace, MissingExtra
from kerashpo.space import Space
from kerashpo.space.domains import Boolean, Choice, Float, Integer
from kerashpo.space.params import Param

SAID = [
    Float(0.0, 1.0),
    Float(1e-4, 1.0, None, "log"),
    Float(0.0, 0.5, 0.1),
    Integer(1, 4),
    Integer(1, 64, None, "log"),
    Integer(0, 100, 10),
    Choice(("a", "b", 3)),
    Boolean(),
]


@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=6))
def test_optuna_and_back(domains):
    space = Space.of(Param(f"p{i}", domain) for i, domain in enumerate(domains))
    assert s.from_optuna(s.to_optuna(space)) == space


def test_the_distributions_of_a_study_are_joined():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))

    def fn(trial):
        trial.suggest_categorical("kind", ["x", "y"])
        return trial.suggest_float("rate", 1e-3 / (trial.number + 1), 1.0, log=True)

    study.optimize(fn, 2)
    assert s.from_optuna(study) == Space(
        {"kind": s.choice(["x", "y"]), "rate": s.loguniform(5e-4, 1.0)}
    )


def study_of(fn, trials):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(fn, trials)
    return study


def defined_by_run(trial):
    if trial.suggest_categorical("kind", ["forest", "svm", "line"]) == "svm":
        if trial.suggest_categorical("kernel", ["poly", "rbf"]) == "poly":
            trial.suggest_int("degree", 2, 4)
        trial.suggest_float("c", 0.1, 1.0)
    for layer in range(trial.suggest_int("layers", 1, 3)):
        trial.suggest_int(f"units{layer}", 4, 8)
    return 0.0


def test_conditions_that_explain_every_trial_of_a_study_are_taken_over():
    expected = Space(
        {
            "kind": s.choice(["forest", "svm", "line"]),
            "layers": s.integer(1, 3),
            "units0": s.integer(4, 8),
            **s.when("kind", "svm", {"kernel": s.choice(["poly", "rbf"]), "c": s.uniform(0.1, 1)}),
            **s.when("kernel", "poly", {"degree": s.integer(2, 4)}),
            **s.when("layers", [2, 3], {"units1": s.integer(4, 8)}),
            **s.when("layers", 3, {"units2": s.integer(4, 8)}),
        }
    )
    found = s.from_optuna(study_of(defined_by_run, 60))
    assert set(found.params) == set(expected.params)


def by_two_parents(trial):
    a, b = (trial.suggest_categorical(name, [True, False]) for name in "ab")
    return trial.suggest_float("x", 0, 1) if a and b else 0.0


def by_either_of_two(trial):
    a = trial.suggest_categorical("a", [True, False])
    trial.suggest_int("b", a, a)
    return trial.suggest_float("x", 0, 1) if a else 0.0


def by_a_number(trial):
    trial.suggest_categorical("a", [True, False])
    return trial.suggest_float("x", 0, 1) if trial.suggest_float("y", 0, 1) > 0.5 else 0.0


def by_what_few_saw(trial):
    return trial.suggest_float("x", 0, 1) if trial.suggest_int("a", 1, 9) == 9 else 0.0


def from_the_third_on(trial):
    trial.suggest_categorical("a", [True, False])
    return trial.suggest_float("x", 0, 1) if trial.number > 2 else 0.0


@pytest.mark.parametrize(
    "fn", [by_two_parents, by_either_of_two, by_a_number, by_what_few_saw, from_the_third_on]
)
def test_a_condition_that_is_in_doubt_is_a_warning_that_names_the_parameter(fn):
    study = study_of(fn, 20)
    having = sum("x" in trial.params for trial in study.trials)
    with pytest.warns(UserWarning, match=rf"have 'x' \({having} of 20\), and no condition"):
        space = s.from_optuna(study)
    assert not any(param.conditions for param in space.params)


def test_trials_that_did_not_end_say_nothing_about_conditions():
    import optuna

    def fn(trial):
        trial.suggest_float("x", 0, 1)
        if trial.number % 2:
            raise optuna.TrialPruned
        return trial.suggest_float("y", 0, 1)

    assert not any(param.conditions for param in s.from_optuna(study_of(fn, 12)).params)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (Space({"a": s.boolean(), **s.when("a", True, {"b": s.boolean()})}), "'b' exists only"),
        (Space({"a": s.reverse_log(0.1, 1)}), "'a': Optuna has no counterpart"),
        (Space({"a": s.choice([len, max])}), "'a': Optuna has no counterpart"),
    ],
)
def test_what_optuna_cannot_say_is_named(space, message):
    with pytest.raises(InvalidSpace, match=message):
        s.to_optuna(space)


@pytest.mark.parametrize("given", [{"a": 3}, 3])
def test_what_is_not_of_optunas_is_refused(given):
    with pytest.raises(InvalidInput, match="from_optuna.*Received"):
        s.from_optuna(given)


@pytest.mark.parametrize("name", ["hyperopt", "optuna", "configspace"])
def test_an_absent_library_names_its_extra(name, monkeypatch):
    real = builtins.__import__

    def absent(wanted, *rest):
        if wanted.partition(".")[0].lower() == name:
            raise ImportError(wanted)
        return real(wanted, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtra, match=rf"kerashpo\[{name}\]"):
        getattr(s, f"from_{name}")({})


@pytest.mark.extras
def test_configspace_and_back():
    pytest.importorskip("ConfigSpace")
    space = Space(
        {
            "rate": s.loguniform(1e-4, 1e-1, default=0.01),
            "layers": s.integer(1, 4, default=2),
            "kind": s.choice(["sgd", "adam"], default="sgd"),
            "size": s.choice([8, 16], ordered=True, default=8),
            "loss": "mse",
            **s.when("kind", "sgd", {"momentum": s.uniform(0, 1, default=0.5)}),
            **s.when("layers", (3, 4), {"units": s.integer(1, 9, default=5)}),
        },
        s.when("kind", "sgd", s.when("layers", 4, {"last": s.boolean()})),
    )
    assert s.from_configspace(s.to_configspace(space)).to_dict() == space.to_dict()


@pytest.mark.extras
def test_configspaces_comparisons_become_values():
    cs = pytest.importorskip("ConfigSpace")
    theirs = cs.ConfigurationSpace({"n": (1, 5), "a": (0.0, 1.0), "b": ["x", "y"]})
    theirs.add(cs.GreaterThanCondition(theirs["a"], theirs["n"], 3))
    theirs.add(cs.NotEqualsCondition(theirs["b"], theirs["n"], 2))
    when = {p.name: p.conditions for p in s.from_configspace(theirs).params}
    assert when["a"][0].values == (4, 5) and when["b"][0].values == (1, 3, 4, 5)
    theirs.add(cs.ForbiddenEqualsClause(theirs["n"], 4))
    with pytest.raises(InvalidSpace, match="Forbidden clauses"):
        s.from_configspace(theirs)


@pytest.mark.extras
@pytest.mark.parametrize(("low", "high", "step"), [(0, 10, 3), (1, 10, 3), (1, 9, 2), (0, 1, 0.1)])
def test_hyperopts_rounded_ranges_have_its_values(low, high, step):
    hp = pytest.importorskip("hyperopt").hp
    from hyperopt.pyll.stochastic import sample

    space, rng = s.from_hyperopt(hp.quniform("x", low, high, step)), np.random.default_rng(0)
    theirs = {
        round(float(sample(hp.quniform("x", low, high, step), rng=rng)), 9) for _ in range(3000)
    }
    assert {round(config["x"], 9) for config in space.configs()} == theirs


@pytest.mark.extras
def test_hyperopts_computed_values_are_refused():
    hp = pytest.importorskip("hyperopt").hp
    for expression in ({"x": 10 * hp.uniform("x", 0, 1)}, [10 ** hp.uniform("x", -4, 0)]):
        with pytest.raises(InvalidSpace, match="'x': the expression computes another value"):
            s.from_hyperopt(expression)
    from hyperopt.pyll import scope

    with pytest.raises(InvalidSpace, match="'x'"):
        s.from_hyperopt(scope.int(hp.quniform("x", 0, 4, 0.5)))
    assert s.from_hyperopt({"x": hp.uniform("x", 0, 1), "rows": 2 * 3}).names == ("x",)


@pytest.mark.extras
def test_hyperopts_expressions():
    hp = pytest.importorskip("hyperopt").hp
    found = s.from_hyperopt(
        {
            "rate": hp.loguniform("rate", -3, 0),
            "deep": {"drop": hp.quniform("drop", 0, 1, 0.25), "n": hp.uniformint("n", 2, 9)},
            "act": hp.choice("act", ["relu", "tanh"]),
            "clf": hp.choice("clf", [{"C": hp.uniform("C", 0, 2)}, {"k": hp.randint("k", 1, 4)}]),
        }
    )
    assert {p.name: p.domain for p in found.params} == {
        "rate": Float(math.exp(-3), 1.0, None, "log"),
        "drop": Float(0.0, 1.0, 0.25),
        "n": Integer(2, 9),
        "act": Choice(("relu", "tanh")),
        "clf": Choice((0, 1)),
        "C": Float(0.0, 2.0),
        "k": Integer(1, 3),
    }
    assert set(found.complete({"clf": 1})) == {"rate", "drop", "n", "act", "clf", "k"}
    with pytest.raises(InvalidSpace, match="'w': hp.normal .* no bounds"):
        s.from_hyperopt(hp.normal("w", 0, 1))
    with pytest.raises(InvalidSpace, match="'p': a choice here has no weights"):
        s.from_hyperopt(hp.pchoice("p", [(0.2, 1), (0.8, 2)]))
