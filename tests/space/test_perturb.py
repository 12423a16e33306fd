"""Perturbation: always inside the space, a step in the unit cube, neighbours where ordered."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerashpo.space import Space, boolean, choice, fixed, integer, loguniform, uniform, when
from kerashpo.space.domains import Integer
from kerashpo.testing.cases import CONDITIONAL, TRIANGLE
from tests.space.test_space_properties import SPACES, sample, seeds


def perturbations(space, config, n=200, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [space.perturb(config, rng, **options) for _ in range(n)]


@given(SPACES, seeds, st.sampled_from([0.0, 0.25, 1.0]))
def test_perturbed_values_lie_in_the_space(space, seed, resample):
    config, rng = sample(space, seed), np.random.default_rng(seed)
    for _ in range(3):
        config = space.perturb(config, rng, resample=resample)
        assert config in space


@given(SPACES, seeds)
def test_what_may_not_change_stays(space, seed):
    config = sample(space, seed)
    names = [name for name in config if name.endswith(("0", "2"))]
    found = space.perturb(config, np.random.default_rng(seed), names)
    kept = [name for name in config if name in found and name not in names]
    # A parameter of the same name under other conditions would be another one; there is none.
    assert all(found[name] == config[name] for name in kept)
    assert space.perturb(config, np.random.default_rng(seed), []) == config


def test_a_rate_takes_steps_in_its_logarithm():
    space = Space({"lr": loguniform(1e-4, 1.0)})
    found = perturbations(space, {"lr": 1e-2}, resample=0.0)
    steps = np.log10([float(c["lr"]) for c in found]) + 2
    assert abs(np.mean(steps)) < 0.1 and 0.3 < np.std(steps) < 0.5  # a tenth of four decades


def test_steps_are_reflected_at_the_bounds():
    space = Space({"x": uniform(0.0, 1.0)})
    for low in (0.0, 1.0):
        values = np.array([c["x"] for c in perturbations(space, {"x": low}, resample=0.0)])
        assert len(np.unique(values)) == len(values)  # clipped ones would pile up at the bound
        assert abs(values - low).max() < 0.5


@pytest.mark.parametrize(
    "domain, value, neighbours",
    [
        (choice([8, 16, 32, 64], ordered=True), 16, {8, 32}),
        (choice([8, 16, 32, 64], ordered=True), 8, {16}),
        (integer(1, 4), 4, {3}),
        (integer(2, 16, 2, log=True), 8, {4, 16}),
        (uniform(0.0, 0.5, 0.25), 0.25, {0.0, 0.5}),
    ],
)
def test_ordered_values_move_to_a_neighbour(domain, value, neighbours):
    found = perturbations(Space({"p": domain}), {"p": value}, resample=0.0)
    assert {c["p"] for c in found} == neighbours


def test_a_small_step_on_a_log_range_of_integers_moves_it():
    domain = integer(1, 1000, log=True)
    assert isinstance(domain, Integer)
    for value in (1, 2, 1000):
        found = Counter(
            c["p"] for c in perturbations(Space({"p": domain}), {"p": value}, resample=0)
        )
        assert value not in found
        assert min(found) >= 1 and max(found) <= 1000


def test_choices_without_order_change_only_when_resampled():
    space = Space({"kind": choice(["a", "b", "c"]), "on": boolean(), "loss": fixed("mse")})
    config = {"kind": "a", "on": True, "loss": "mse"}
    assert {str(c) for c in perturbations(space, config, resample=0.0)} == {str(config)}
    drawn = Counter(c["kind"] for c in perturbations(space, config, 900, resample=1.0))
    assert all(200 < drawn[kind] < 400 for kind in "abc")


def test_children_of_a_changed_parent_are_drawn_and_the_others_dropped():
    space = Space({"opt": choice(["sgd", "adam"]), **when("opt", "sgd", {"m": uniform(0, 0.9)})})
    config = {"opt": "adam"}
    found = perturbations(space, config, resample=1.0)
    momenta = {c["m"] for c in found if c["opt"] == "sgd"}
    assert len(momenta) > 50 and all(set(c) == {"opt"} for c in found if c["opt"] == "adam")
    back = perturbations(space, {"opt": "sgd", "m": 0.5}, names=["opt"], resample=1.0)
    assert all(c.get("m", 0.5) == 0.5 for c in back)


def test_dependent_ranges_are_kept():
    for config in perturbations(TRIANGLE, {"a": 2, "b": 2}):
        assert int(config["b"] or 0) <= int(config["a"] or 0)


def test_the_same_numbers_give_the_same_step():
    config = CONDITIONAL.default()
    assert perturbations(CONDITIONAL, config) == perturbations(CONDITIONAL, config)


def test_choices_without_an_order_have_a_probability_of_their_own():
    space = Space({"x": uniform(0.0, 1.0), "kind": choice(["a", "b", "c"])})
    start = {"x": 0.5, "kind": "a"}
    kept = perturbations(space, start, resample=1.0, resample_choices=0.0)
    assert {c["kind"] for c in kept} == {"a"} and max(c["x"] for c in kept) > 0.9
    drawn = perturbations(space, start, resample=0.0, resample_choices=1.0, step=0.01)
    assert {c["kind"] for c in drawn} == {"a", "b", "c"}
    assert max(abs(c["x"] - 0.5) for c in drawn) < 0.1
