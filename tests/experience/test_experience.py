"""Data features, distances, and what worked on similar data."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy, skew
from sklearn.datasets import load_diabetes, load_iris, load_wine, make_classification
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import kerashpo as kt
from kerashpo.core.errors import InvalidInput, StudyNotFound
from kerashpo.experience import Experience, data_features, note, noted
from kerashpo.experience.distance import distances
from kerashpo.experience.notes import NAME
from kerashpo.store.open import LOG_NAME
from tests.helpers.small_models import DATA, build_few, place

WINE = load_wine(return_X_y=True)


def test_sizes_classes_and_shapes_are_those_of_their_definitions():
    x, y = WINE
    found = data_features(x, y)
    assert found["log_rows"] == pytest.approx(np.log(178))
    assert found["log_columns"] == pytest.approx(np.log(13))
    shares = np.bincount(y) / len(y)
    assert found["classes"] == 3
    assert found["class_entropy"] == pytest.approx(entropy(shares, base=3))
    assert found["majority_share"] == pytest.approx(shares.max())
    assert np.expm1(found["skewness"]) == pytest.approx(np.abs(skew(x, axis=0)).mean())
    table = np.abs(pd.DataFrame(x).corr().to_numpy())
    assert found["correlation"] == pytest.approx(table[np.triu_indices(13, 1)].mean())
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    stump = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=1, random_state=0))
    better = cross_val_score(stump, x, y, cv=folds).mean() - shares.max()
    assert found["landmark_stump"] == pytest.approx(better, abs=0.02)


def test_data_of_every_kind_have_finite_features():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.random(40), "b": list("xyzw") * 10, "c": 1.0})
    table.loc[::4, "a"] = np.nan
    cases = {
        "table": (table, rng.random(40)),
        "regression": load_diabetes(return_X_y=True),
        "text labels": (rng.random((20, 3)), ["no", "yes"] * 10),
        "one-hot": (rng.random((20, 3)), np.eye(4)[np.arange(20) % 4]),
        "a rare class": (rng.random((20, 3)), [0] * 19 + [1]),
        "one class": (rng.random((8, 3)), np.zeros(8, dtype=int)),
        "images": (rng.integers(0, 255, (30, 8, 8), dtype=np.uint8), np.arange(30) % 3),
        "one column": (rng.random((12, 1)), rng.random(12)),
        "constant": (np.ones((12, 2)), rng.random(12)),
        "all missing": (np.full((12, 2), np.nan), rng.random(12)),
    }
    names = set(data_features(*WINE))
    assert len(names) == 16
    for name, (x, y) in cases.items():
        found = data_features(x, y)
        assert set(found) == names and np.isfinite(list(found.values())).all(), name
    assert data_features(*cases["table"])["missing_share"] == pytest.approx(10 / 120)
    assert data_features(*cases["table"])["numeric_share"] == pytest.approx(2 / 3)
    assert data_features(*cases["one-hot"])["classes"] == 4
    assert data_features(*cases["regression"])["landmark_linear"] > 0.3
    empty = (np.ones((0, 2)), np.ones(0))
    for wrong in ((np.ones((3, 2)), [0, 1, 0]), (np.ones((9, 2)), [0, 1]), empty):
        with pytest.raises(InvalidInput, match="at least four rows"):
            data_features(*wrong)
    with pytest.raises(InvalidInput, match="need numbers, or a data frame"):
        data_features(np.array([["a"], ["b"]] * 4), [0, 1] * 4)


def test_distances_do_not_depend_on_units():
    here, others = {"a": 1.0, "b": 5.0, "c": 0.0}, [{"a": 2.0, "b": 5.0}, {"a": 1.0, "b": 7.0}]
    found = distances(here, others)
    scaled = [{"a": 1000 * one["a"], "b": one["b"]} for one in others]
    np.testing.assert_allclose(found, distances({"a": 1000.0, "b": 5.0}, scaled))
    assert distances(here, [here, here]).tolist() == [0.0, 0.0]
    assert len(distances(here, [])) == 0
    with pytest.raises(InvalidInput, match="no feature in common"):
        distances({"a": 1.0}, [{"b": 1.0}])


@pytest.fixture
def runs(tmp_path):
    """Searches on three data sets, a study without features, and a damaged one."""
    x, y = WINE
    half = np.arange(0, 178, 2)
    wide = make_classification(300, 40, n_informative=20, n_classes=4, random_state=0)
    data = {"wine": (x[half], y[half]), "iris": load_iris(return_X_y=True), "wide": wide}
    space = {"depth": kt.space.integer(1, 9)}
    for best, name in enumerate([*data, "unknown", "damaged"], start=1):
        kt.optimize(
            lambda c, best=best: abs(c["depth"] - best), space, algorithm="grid", max_trials=9,
            seed=0, verbose=0, directory=tmp_path / name,
        )  # fmt: skip
        if name in data:
            note(tmp_path / name, data_features(*data[name]))
    (tmp_path / "damaged" / LOG_NAME).write_text('{"not": "an event"}\n')
    return tmp_path


def test_what_worked_on_data_like_these(runs):
    experience = Experience(runs)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = experience.like(*WINE)
    assert [str(one.message).partition("' is skipped")[0][-7:] for one in said] == ["damaged"]
    names = [path.rpartition("/")[2] for path in found["study"]]
    assert names[0] == "wine" and sorted(names) == ["iris", "wide", "wine"]
    assert found["distance"].is_monotonic_increasing
    assert found["config"][0] == {"depth": 1}
    (runs / "damaged" / LOG_NAME).unlink()
    by_features = experience.nearest(features=data_features(*WINE), count=1)
    assert by_features == [str(runs / "wine")]
    table = experience.studies()
    assert len(table) == 4 and table["log_rows"].notna().sum() == 3
    with pytest.raises(InvalidInput, match="either the data"):
        experience.like()
    with pytest.raises(StudyNotFound, match="no folder"):
        Experience(runs / "nowhere")
    assert "4 studies" in repr(experience)


def test_notes_are_checked(runs):
    assert noted(runs / "unknown") is None
    with pytest.raises(StudyNotFound, match="no study"):
        note(runs, {"a": 1.0})
    with pytest.raises(InvalidInput, match="finite"):
        note(runs / "wine", {"a": float("nan")})
    for text in ("{", "[1]", '{"a": null}', '{"a": NaN}'):
        (runs / "wine" / NAME).write_text(text)
        with pytest.raises(InvalidInput, match="data_features"):
            noted(runs / "wine")


def test_a_tuner_starts_from_the_most_similar_data_and_notes_its_own(tmp_path):
    features = data_features(DATA["x"], DATA["y"])
    near = {**features, "log_rows": features["log_rows"] + 0.1}
    far = {**features, "log_rows": 12.0, "landmark_linear": -0.9}
    configs = {"far": {"units": 4, "rate": 1e-3}, "near": {"units": 12, "rate": 1e-2}}
    for name, config in configs.items():
        tuner = kt.Search(build_few, algorithm="random", max_trials=1, **place(tmp_path, name))
        tuner.enqueue(config)
        tuner.search(**DATA)
        note(tmp_path / name, near if name == "near" else far)
    given = {"warm_start": [tmp_path / "far", tmp_path / "near"], "max_trials": 2}

    def first(name, **more):
        tuner = kt.Search(build_few, algorithm="tpe", **given, **more, **place(tmp_path, name))
        tuner.search(**DATA)
        return dict(tuner.results.history.trials[0].config)

    assert first("plain") == configs["far"]
    assert first("similar", context="auto") == configs["near"]
    assert first("similar", context="auto") == configs["near"]  # resumed: the same search
    assert noted(tmp_path / "similar") == pytest.approx(features)
    assert noted(tmp_path / "plain") is None
    assert first("by hand", context=far) == configs["far"]
    with pytest.raises(InvalidInput, match='context must be "auto"'):
        first("wrong", context=3)
    tuner = kt.Search(build_few, max_trials=1, context="auto", **place(tmp_path, "pipeline"))
    with pytest.raises(InvalidInput, match="needs one array"):
        tuner.search([DATA["x"]] * 2, DATA["y"], verbose=0)
