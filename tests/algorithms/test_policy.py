"""The learned search policy: what it sees, what it prefers, and other weights."""

from __future__ import annotations

import json

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.algorithms.policy import (
    FEATURES,
    Network,
    draw_candidates,
    features,
    normal_scores,
)
from kerashpo.core.errors import InvalidInput
from kerashpo.space import Space, choice, uniform
from kerashpo.space.cube import Cube

SPACE = Space({"x": uniform(-5.0, 5.0), "y": uniform(-5.0, 5.0), "z": choice(["a", "b", "c"])})


def sphere(config):
    return (config["x"] - 1.0) ** 2 + (config["y"] + 2.0) ** 2 + 4.0 * (config["z"] != "b")


def search(fn=sphere, algorithm="policy", trials=30, seed=0, **options):
    return kt.optimize(
        fn, SPACE, algorithm=algorithm, max_trials=trials, seed=seed, verbose=0, **options
    )


def test_it_finds_better_values_than_random_search():
    found = [search(seed=seed).best.score for seed in range(5)]
    drawn = [search(algorithm="random", seed=seed).best.score for seed in range(5)]
    assert np.mean(np.log10(found)) < np.mean(np.log10(drawn)) - 0.3


def test_only_the_order_of_costs_counts():
    plain = [trial.config for trial in search().history.trials.values()]
    bent = search(lambda config: 1e6 * np.exp(sphere(config) / 9.0) - 7.0)
    assert [trial.config for trial in bent.history.trials.values()] == plain


def test_normal_scores_are_negative_for_good_trials_and_zero_for_pending_ones():
    scores = normal_scores(np.array([3.0, np.nan, 1.0, np.inf, 2.0]))
    assert scores[2] < scores[4] < scores[0] < scores[3]
    assert scores[1] == 0.0
    assert scores[2] == pytest.approx(-scores[3])


def test_a_candidate_at_a_trial_has_no_distance_and_that_trial_s_score():
    cube, rng = Cube(SPACE), np.random.default_rng(0)
    rows = cube.snap(rng.random((6, cube.dim)), rng)
    costs = np.arange(6.0)
    seen = features(cube, rows, rows, costs)
    assert seen.shape == (6, 2 * FEATURES)
    assert np.allclose(seen[:, 4], 0.0)
    assert np.allclose(seen[:, 6], normal_scores(costs))
    assert seen[0, 5] == 0.0
    assert np.allclose(seen[:, FEATURES:], seen[:, :FEATURES] * np.log(6) / np.log(100))


def test_candidates_lie_in_the_space_and_some_are_near_the_best():
    cube, rng = Cube(SPACE), np.random.default_rng(0)
    best = cube.snap(np.array([[0.6, 0.3, 0.5]]), rng)
    offered = draw_candidates(cube, best, rng)
    assert np.array_equal(offered, cube.snap(offered, rng))
    near = np.abs(offered - best)[:, :2].max(axis=1) < 0.1
    assert near[128:].sum() > 20 > near[:128].sum()


def written(tmp_path, content):
    path = tmp_path / "weights.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_other_weights_make_another_search(tmp_path):
    # The distance to the nearest trial alone: what is far from everything is preferred.
    weights = [[1.0 if place == 4 else 0.0] for place in range(2 * FEATURES)]
    path = written(tmp_path, {"layers": [{"weights": weights, "bias": [0.0]}]})
    far, near = search(seed=1, weights=path), search(seed=1)
    ours, plain = (
        sum(trial.score < 1.0 for trial in found.history.trials.values()) for found in (far, near)
    )
    assert ours < plain / 2


def test_a_hidden_layer_is_applied():
    rng = np.random.default_rng(0)
    layers = ((rng.normal(size=(16, 3)), rng.normal(size=3)), (rng.normal(size=(3, 1)), np.ones(1)))
    x = rng.normal(size=(5, 16))
    hidden = np.tanh(x @ layers[0][0] + layers[0][1])
    assert np.allclose(Network(layers).scores(x), (hidden @ layers[1][0])[:, 0] + 1.0)


@pytest.mark.parametrize(
    "content",
    ["no json", "[]", {"layers": []}, {"layers": [{"weights": [[1.0]], "bias": [0.0]}]}, {}],
)
def test_a_file_without_a_network_is_refused(tmp_path, content):
    with pytest.raises(InvalidInput, match="weights"):
        search(weights=written(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="weights must be the path of a JSON file"):
        search(weights=str(tmp_path / "none.json"))
