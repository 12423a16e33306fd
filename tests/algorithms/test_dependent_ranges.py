"""Ranges that depend on other values: proposals, repeats and the end of the search."""

from __future__ import annotations

import numpy as np
import pytest

from kerashpo.algorithms.dedup import HistoryCursor, TriedConfigs, draw_new
from kerashpo.algorithms.observations import Observations
from kerashpo.algorithms.registry import algorithm_names, make_algorithm
from kerashpo.algorithms.wrappers import Projected
from kerashpo.core.events import Configured, Ended, JobStarted, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.records import Exhausted, Start, Status
from kerashpo.core.rng import stream
from kerashpo.space import Cube, Space, boolean, uniform
from kerashpo.space.space import key
from kerashpo.testing.algorithm_driver import AlgorithmDriver
from kerashpo.testing.cases import TRIANGLE

WIDE = Space.of(TRIANGLE.params)


def drive(name, space=TRIANGLE, **options):
    return AlgorithmDriver(lambda space, seed: make_algorithm(name, space, seed, options), space)


@pytest.mark.parametrize("name", algorithm_names())
def test_every_algorithm_of_the_registry_moves_its_proposals(name):
    assert isinstance(make_algorithm(name, TRIANGLE, 0), Projected)
    assert not isinstance(make_algorithm(name, WIDE, 0), Projected)


def test_grid_search_keeps_its_order():
    found = [(c["a"], c["b"]) for c in drive("grid").advance(10)]
    assert found == [(a, b) for a in range(1, 5) for b in range(1, a + 1)]


@pytest.mark.parametrize("name", ["random", "bayesian"])
def test_enqueued_values_are_trained_once_as_what_they_become(name):
    found = drive(name, enqueue=[{"a": 1, "b": 4}, {"a": 1, "b": 3}, {"a": 3, "b": 2}]).advance(3)
    assert [(c["a"], c["b"]) for c in found[:2]] == [(1, 1), (3, 2)]
    assert len({key(config) for config in found}) == 3


def test_random_search_draws_what_may_occur_evenly():
    """Draws outside are rejected: moved to the edge they would pile up there."""
    split = Space({"high": boolean(), "x": uniform(0.0, 2.0)}).with_projection(
        lambda c: {**c, "x": max(c["x"], 1.0) if c["high"] else min(c["x"], 1.0)}
    )
    found = drive("random", split).advance(300)
    shares = [np.mean([c["x"] < 0.5 for c in found if not c["high"]])]
    shares.append(np.mean([c["x"] > 1.5 for c in found if c["high"]]))
    assert shares == pytest.approx([0.5, 0.5], abs=0.12)
    assert sum(c["x"] == 1.0 for c in found) <= 2


def test_where_every_draw_is_moved_the_nearest_one_is_taken():
    one = Space({"x": uniform(0.0, 1.0)}).with_projection(lambda c: {"x": 0.25})
    assert draw_new(one, set(), stream(0, "test")) == {"x": 0.25}
    assert isinstance(draw_new(one, {key({"x": 0.25})}, stream(0, "test")), Exhausted)


def started(*configs):
    history = History([StudyCreated(WIDE.to_json(), (("value", "min"),), 0)])
    for number, config in enumerate(configs):
        history.apply(JobStarted(Start(number, config, 1)))
    return history


def test_what_was_proposed_and_trained_otherwise_is_not_proposed_again():
    """Discovery may not see a dependence: it shows when the model is built."""
    history = started({"a": 1, "b": 4})
    tried, observations = TriedConfigs(), Observations(Cube(WIDE))
    assert tried.keys(history) == {key({"a": 1, "b": 4})}
    observations.update(history)
    history.apply(Configured(0, {"b": 1}))
    both = {key({"a": 1, "b": 4}), key({"a": 1, "b": 1})}
    assert tried.keys(history) == TriedConfigs().keys(history) == both
    observations.update(history)
    fresh = Observations(Cube(WIDE))
    fresh.update(history)
    assert observations.configs == fresh.configs == both
    assert observations.taken == fresh.taken and len(fresh.taken) == 2
    assert observations.read(history).pending.tolist() == fresh.read(history).pending.tolist()


def test_a_parameter_that_a_trial_grew_by_is_no_second_configuration():
    history = started({"a": 1})
    history.apply(Configured(0, {"b": 2}))
    assert TriedConfigs().keys(history) == {key({"a": 1, "b": 2})}


def test_a_cursor_reads_again_what_has_changed():
    history, cursor = started({"a": 1, "b": 1}, {"a": 2, "b": 1}), HistoryCursor()
    assert [cursor.advance(history), cursor.advance(history)] == [0, 2]
    history.apply(Ended(0, Status.FAILED, "failed"))
    history.apply(JobStarted(Start(2, {"a": 3, "b": 1}, 1)))
    assert cursor.advance(history) == 2
    history.apply(Configured(1, {"b": 2}))
    assert [cursor.advance(history), cursor.advance(history)] == [0, 3]
    assert cursor.advance(started({"a": 1, "b": 1})) == 0


def test_a_grid_with_an_unknown_dependence_ends():
    """Each proposal is moved by the model alone, after it was proposed."""
    algorithm, history = make_algorithm("grid", WIDE, 0), started()
    for trial in range(20):
        config = algorithm.ask(trial, history)
        if isinstance(config, Exhausted):
            break
        history.apply(JobStarted(Start(trial, config, 1)))
        moved = TRIANGLE.project(config)
        if moved != config:
            history.apply(Configured(trial, {"b": moved["b"]}))
        history.apply(Ended(trial, Status.COMPLETED, "completed"))
    assert len(history.trials) == 16
