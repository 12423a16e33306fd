"""Figures of several objectives: limits, uncertainty, the knee, parallel coordinates."""

from __future__ import annotations

import matplotlib

matplotlib.use("agg")

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.analysis.pareto import tradeoff

SPACE = kt.Space({"x": kt.space.uniform(0, 1), "y": kt.space.uniform(0, 1)})
NAMES = ("error", "latency", "size")


def fn(config):
    x, y = config["x"], config["y"]
    return {"error": x + y, "latency": 2 - x + y, "latency_spread": 0.2, "size": 1 + y - x / 2}


@pytest.fixture(scope="module")
def results():
    objective = [kt.Objective(name, "min") for name in NAMES]
    return kt.optimize(
        fn,
        SPACE,
        objective=objective,
        limits={"latency": 2.0},
        algorithm="random",
        max_trials=20,
        seed=0,
        verbose=0,
    )


def test_the_figure_shows_limits_infeasible_trials_the_knee_and_uncertainty(results):
    ax = results.plot.pareto()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"exceeds a limit", "knee"} <= {*labels}
    (limit,) = (line for line in ax.lines if line.get_linestyle() == "--")
    assert [*limit.get_xdata()] == [2.0, 2.0]
    crosses = next(c for c in ax.collections if c.get_label() == "exceeds a limit").get_offsets()
    beyond = [t for t in results.history.trials.values() if not t.feasible]
    assert len(crosses) == len(beyond) > 0
    ring = next(c for c in ax.collections if c.get_label() == "knee").get_offsets()[0]
    best = results.best.metrics
    assert [*ring] == pytest.approx([best["latency"], best["error"]])


def test_uncertainty_is_half_the_spread_of_a_repeated_measurement(results):
    found = tradeoff(results.history)
    assert np.allclose(found.deviations[:, 1], 0.1)
    assert np.isnan(found.deviations[:, [0, 2]]).all()
    assert found.bounds == (None, 2.0, None)


def test_parallel_coordinates_have_a_line_for_each_feasible_trial_with_the_best_on_top(results):
    ax = results.plot.objectives()
    lines = [path.vertices for lines in ax.collections for path in lines.get_paths()]
    assert len(lines) == sum(t.feasible for t in results.history.trials.values())
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [*NAMES]
    front = results.pareto()
    lowest = [*next(c for c in ax.collections if c.get_label() == "Pareto front").get_paths()]
    assert max(path.vertices[0, 1] for path in lowest) == pytest.approx(1.0)
    assert len(lowest) == len(front)


def test_nothing_to_draw_yet():
    empty = kt.optimize(
        lambda config: {**fn(config), "latency": 9.0},
        SPACE,
        objective=[kt.Objective(name, "min") for name in NAMES],
        limits={"latency": 2.0},
        algorithm="random",
        max_trials=2,
        seed=0,
        verbose=0,
    )
    assert empty.plot.objectives().texts
    assert empty.plot.pareto().get_legend() is not None
