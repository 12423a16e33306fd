"""Interactive figures hold the numbers that matplotlib's figures show."""

from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, MissingExtra
from kerashpo.problems.power_law import PowerLaw

plotly = pytest.importorskip("plotly", reason="needs the extra [plotly]")
NAMES = [
    "history", "curves", "anytime", "importances", "parallel", "slices", "contours", "pareto",
    "objectives", "surrogate", "rungs", "lineage", "schedule", "gantt",
]  # fmt: skip


@pytest.fixture(scope="module")
def results():
    return kt.simulate(PowerLaw(9), tuner="hyperband", workers=2, seed=0)


@pytest.fixture(scope="module")
def drawn(results):
    first, second, *_ = results.space.names
    plots, given = results.plot(backend="plotly"), {"contours": (first, second)}
    given["surrogate"] = (first, second)
    before = plt.get_fignums()
    made = {name: getattr(plots, name)(*given.get(name, ())) for name in NAMES}
    assert plt.get_fignums() == before
    return made


def test_every_figure_has_an_interactive_one_with_its_title_that_is_valid_json(results, drawn):
    public = {name for name in dir(results.plot) if not name.startswith("_")}
    assert public - set(NAMES) == {"hypervolume"}  # of several objectives, below
    assert set(dir(results.plot(backend="plotly"))) == public
    for name, figure in drawn.items():
        body = json.loads(figure.to_json())
        assert body["layout"]["title"]["text"], name
        assert body["data"] or name == "schedule"


def traces(figure, **look):
    return [one for one in figure.data if all(getattr(one, k) == v for k, v in look.items())]


def test_points_steps_and_axes_are_those_of_the_study(results, drawn):
    figure = drawn["history"]
    history = results.history
    (points,) = traces(figure, mode="markers")
    assert list(points.x) == [t.number for t in history.trials.values()]
    np.testing.assert_allclose(points.y, [t.score for t in history.trials.values()])
    (best,) = traces(figure, mode="lines")
    assert best.line.shape == "hv" and best.name == "best so far"
    assert best.y[-1] == pytest.approx(results.best.score)
    assert figure.layout.yaxis.title.text == "value"

    (front,) = traces(drawn["pareto"], mode="markers", name="Pareto front")
    found = results.pareto()
    assert sorted(front.y) == pytest.approx(sorted(found["value"]))


def test_scales_ticks_panels_grids_and_second_axes(results, drawn):
    rungs = drawn["rungs"].layout
    assert rungs.yaxis.type == "log" and all("(" in text for text in rungs.yaxis.ticktext)
    assert rungs.yaxis.range[1] < np.log10(20)
    slices = drawn["slices"]
    count = len(results.space.names)
    axes = [key for key in slices.to_dict()["layout"] if key.startswith("xaxis")]
    assert len(axes) == count and len({trace.xaxis for trace in slices.data}) == count
    assert sum(bool(trace.showlegend) for trace in slices.data) == len(
        {trace.name for trace in slices.data if trace.name}
    )
    (grid,) = traces(drawn["contours"], type="heatmap")
    assert np.shape(grid.z) == (40, 40) and grid.colorbar.title.text == "expected value"
    one = results.plot(backend="plotly").surrogate(results.space.names[0])
    assert one.layout.yaxis2.overlaying == "y" and one.layout.yaxis2.side == "right"
    widths = {len(trace.x) for trace in one.data}
    assert 121 in widths  # the mean and the acquisition along the parameter


def test_legends_name_what_is_drawn_without_points_of_its_own(results, drawn):
    entries = {trace.name for trace in drawn["curves"].data if trace.showlegend}
    assert any(name.startswith("to epoch") for name in entries)
    assert any("(best)" in name for name in entries)
    for name in ("contours", "surrogate"):
        assert drawn[name].layout.legend.orientation == "h"
    assert list(drawn["history"].layout.xaxis.domain) == [0.0, 1.0]
    for name in ("xaxis", "xaxis2"):
        assert drawn["slices"].layout[name].anchor == name.replace("xaxis", "y")
    ends = [drawn["slices"].layout[key].domain for key in ("xaxis", "xaxis2")]
    assert 0.0 < ends[0][0] < ends[0][1] < ends[1][0] and ends[1][1] == 1.0


def test_languages_several_objectives_and_limits():
    def train(config):
        return {"loss": config["x"], "cost_usd$<b>": 1 - config["x"] ** 2}

    objectives = [kt.Objective("loss", "min"), kt.Objective("cost_usd$<b>", "min")]
    space = {"x": kt.space.uniform(0, 1)}
    found = kt.optimize(
        train, space, objective=objectives, algorithm="random", max_trials=9, seed=0, verbose=0,
        limits={kt.Objective("loss", "min"): 0.8},
    )  # fmt: skip
    plots = found.plot("es", backend="plotly")
    figure = plots.hypervolume()
    assert figure.layout.title.text == "Hipervolumen" and figure.layout.separators == ", "
    np.testing.assert_allclose(
        traces(figure, mode="lines")[0].y, found.hypervolume()["hypervolume"]
    )
    pareto = plots.pareto()
    (rule,) = pareto.layout.shapes
    limit = {rule.x0, rule.x1} if rule.xref == "x" else {rule.y0, rule.y1}
    assert limit == {0.8}
    assert "cost_usd$&lt;b>" in pareto.layout.xaxis.title.text
    assert found.plot("es").history().get_xlabel() == "ensayo"
    plt.close("all")


def test_an_unknown_backend_and_an_absent_plotly(results, monkeypatch):
    with pytest.raises(InvalidInput, match="backend 'plotli'. Did you mean 'plotly'"):
        results.plot(backend="plotli")
    with pytest.raises(AttributeError):
        results.plot(backend="plotly").histori  # noqa: B018
    monkeypatch.setattr("kerashpo.core.requirements.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'pip install "kerashpo\[plotly\]"'):
        results.plot(backend="plotly")


def test_searches_are_compared_interactively(results):
    other = kt.simulate(PowerLaw(9), tuner="asha", budget_epochs=40, seed=0)
    before = plt.get_fignums()
    searches = {"one": results, "other": other}
    figure = kt.plots.compare(searches, by="epochs", lang="es", backend="plotly")
    assert plt.get_fignums() == before
    assert figure.layout.xaxis.title.text == "épocas entrenadas"
    assert {"one", "other"} <= {one.name for one in figure.data}
    with pytest.raises(InvalidInput, match="leave it out with backend='plotly'"):
        kt.plots.compare(searches, ax=plt.figure().gca(), backend="plotly")
    plt.close("all")
    with pytest.raises(InvalidInput, match="Unknown backend 'plotli'.*'plotly'"):
        kt.plots.compare(searches, backend="plotli")


def test_without_plotly_a_comparison_names_the_extra(results, monkeypatch):
    monkeypatch.setattr("kerashpo.core.requirements.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"plots.compare.* pip install \"kerashpo\[plotly\]\""):
        kt.plots.compare([results], backend="plotly")
