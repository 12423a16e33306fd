"""Several objectives: order, scale, shift and sign change nothing, and a kill does not either."""

from __future__ import annotations

import math

import pytest

import kerashpo as kt
from kerashpo.space import Space, choice, uniform

SPACE = Space({"x": uniform(0.0, 1.0), "y": uniform(0.0, 1.0), "kind": choice(["a", "b", "c"])})
ALGORITHMS = ("random", "sobol", "bayesian", "tpe", "nsga2")


def values(config):
    bonus = {"a": 0.0, "b": 0.25, "c": 0.5}[config["kind"]]
    return config["x"] + bonus, (1 - config["x"]) ** 2 + config["y"]


def search(
    algorithm, ways=("min", "min"), change=lambda one, two: (one, two), order=(0, 1), **more
):
    objective = [kt.Objective(f"f{i}", ways[i]) for i in order]

    def fn(config):
        return dict(zip(("f0", "f1"), change(*values(config))))

    options = {"max_trials": 16, "seed": 3, "verbose": 0, **more}
    return kt.optimize(fn, SPACE, objective=objective, algorithm=algorithm, **options)


def configs(results):
    return [dict(trial.config) for trial in results.history.trials.values()]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_maximising_the_negative_is_minimising(algorithm):
    plain = search(algorithm)
    turned = search(algorithm, ("max", "min"), lambda one, two: (-one, two))
    assert configs(turned) == configs(plain)
    assert turned.history.front() == plain.history.front()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_scale_and_shift_change_no_proposal(algorithm):
    """By powers of two, so that rounding is the same."""
    plain = search(algorithm)
    moved = search(algorithm, change=lambda one, two: (8.0 * one, two / 4.0))
    assert configs(moved) == configs(plain)
    assert moved.best.trial == plain.best.trial


@pytest.mark.parametrize("algorithm", ["random", "sobol", "tpe", "nsga2"])
def test_the_order_of_objectives_changes_nothing(algorithm):
    plain, turned = search(algorithm), search(algorithm, order=(1, 0))
    assert configs(turned) == configs(plain)
    assert turned.history.front() == plain.history.front()
    assert turned.best.trial == plain.best.trial


@pytest.mark.parametrize("algorithm", ["bayesian", "tpe", "nsga2"])
def test_one_objective_in_a_list_is_the_single_search(algorithm):
    def fn(config):
        return {"f0": values(config)[0]}

    shared = {"algorithm": algorithm, "max_trials": 12, "seed": 0, "verbose": 0}
    alone = kt.optimize(fn, SPACE, objective=kt.Objective("f0", "min"), **shared)
    listed = kt.optimize(fn, SPACE, objective=[kt.Objective("f0", "min")], **shared)
    assert configs(alone) == configs(listed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_that_is_cut_and_resumed_has_the_same_front(algorithm, tmp_path):
    whole = search(algorithm)
    place = {"directory": tmp_path / "study"}
    search(algorithm, max_trials=7, **place)
    log = tmp_path / "study" / "study.jsonl"
    text = log.read_bytes()
    log.write_bytes(text[: text.rindex(b"\n", 0, -1) - 40])  # as a kill leaves it
    again = search(algorithm, **place)
    assert configs(again) == configs(whole)
    assert again.pareto().equals(whole.pareto())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_failures_and_nan_in_one_objective_are_never_on_the_front(algorithm):
    def change(one, two):
        if two > 1.2:
            raise RuntimeError("diverged")
        return one, math.nan if one > 0.9 else two

    results = search(algorithm, change=change)
    failed = {t.number for t in results.history.trials.values() if t.failure is not None}
    assert failed
    assert not failed & {*results.pareto()["trial"]}
    assert len(results) == 16
