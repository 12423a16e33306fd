"""`kerashpo.plots.compare`: several searches in one figure."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.problems.power_law import PowerLaw


@pytest.fixture(autouse=True)
def _agg():
    before = mpl.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def search(tuner="full", seed=0):
    return kt.simulate(PowerLaw(9), tuner=tuner, max_trials=6, seed=seed)


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_list_is_named_by_its_tuners():
    ax = kt.plots.compare([search("full"), search("asha"), search("full", 1)])
    assert labels(ax) == ["full + random (1)", "asha + random", "full + random (2)"]
    assert ax.get_xlabel() == "seconds of search" and ax.get_ylabel() == "value"
    assert ax.figure.get_suptitle() == "Best value so far"


def test_a_mapping_gives_names_and_seeds_their_mean():
    seeds = [search("asha", seed) for seed in (0, 1)]
    ax = kt.plots.compare({"ASHA": seeds, "everything": search()}, by="epochs", lang="es")
    assert labels(ax) == ["ASHA", "everything"]
    assert ax.get_xlabel() == "épocas entrenadas"


def test_studies_tuners_and_results_are_all_searches(tmp_path):
    space = {"x": kt.space.uniform(0.0, 1.0)}
    found = kt.optimize(lambda c: c["x"], space, max_trials=3, seed=0, directory=tmp_path / "s")

    class Tuner:
        results = found

    study = kt.open_study(tmp_path / "s")
    _, mine = plt.subplots()
    ax = kt.plots.compare({"a": Tuner(), "b": study, "c": found}, by="trials", ax=mine)
    assert ax is mine and labels(ax) == ["a", "b", "c"]


def test_what_cannot_be_compared_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="Unknown cost 'epoch'. Did you mean 'epochs'"):
        kt.plots.compare([search()], by="epoch")
    with pytest.raises(InvalidInput, match="opened by kerashpo.open_study.*'runs/lab'"):
        kt.plots.compare(["runs/lab"])
    with pytest.raises(InvalidInput, match="no search to compare"):
        kt.plots.compare([])
    other = kt.optimize(lambda c: c["x"], {"x": kt.space.uniform(0.0, 1.0)}, max_trials=2,
                        direction="max", seed=0)  # fmt: skip
    with pytest.raises(InvalidInput, match=r"same objective. Received: value \(max\), value \(min"):
        kt.plots.compare([search(), other])


def test_a_misspelt_name_gets_the_nearest_one():
    with pytest.raises(AttributeError, match="no attribute 'compair'. Did you mean 'compare'"):
        _ = kt.plots.compair
