"""``context=`` of `optimize`: features of the data that a function uses."""

from __future__ import annotations

import json

import numpy as np
import pytest

import kerashpo as kt
from kerashpo.core.errors import InvalidInput
from kerashpo.tuners.study_file import SCHEMA, run_file

SPACE = {"x": kt.space.uniform(-1.0, 1.0)}


def search(best=0.0, **more):
    given = {"max_trials": 5, "seed": 0, "verbose": 0, "algorithm": "random", **more}
    return kt.optimize(lambda c: (c["x"] - best) ** 2, SPACE, **given)


@pytest.fixture
def runs(tmp_path):
    """Five studies, on data of 1, 2, 3, 4 and 5 rows."""
    for rows in range(1, 6):
        search(rows / 9, seed=rows, directory=tmp_path / str(rows), context={"rows": rows})
    return tmp_path


def test_a_search_starts_from_the_three_studies_on_the_most_similar_data(runs):
    found = search(warm_start=runs, context={"rows": np.int64(5)})
    tried = [dict(t.config) for t in found.history.trials.values()]
    bests = [dict(kt.open_study(runs / name).results.best.config) for name in ("5", "4", "3")]
    assert tried[:3] == bests
    others = [dict(kt.open_study(runs / name).results.best.config) for name in ("1", "2")]
    assert not any(config in tried for config in others)


def test_the_features_are_noted_beside_the_log(runs):
    assert kt.experience.noted(runs / "3") == {"rows": 3.0}


def test_a_resumed_search_goes_on(runs, tmp_path):
    given = {"warm_start": [runs / name for name in "12345"], "context": {"rows": 2.0}}
    search(directory=tmp_path / "new", max_trials=3, **given)
    longer = search(directory=tmp_path / "new", **given)
    whole = search(**given)
    assert [t.config for t in longer.history.trials.values()] == [
        t.config for t in whole.history.trials.values()
    ]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("auto", "optimize gets a function"),
        (3, "context must be"),
        ({"rows": "many"}, r"finite numbers. Received: {'rows': 'many'}"),
        ({"rows": float("nan")}, r"finite numbers. Received: {'rows': nan}"),
    ],
)
def test_what_is_no_mapping_of_numbers_is_refused(context, message, tmp_path):
    with pytest.raises(InvalidInput, match=message):
        search(context=context, directory=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_study_file_holds_it(runs, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    (tmp_path / "loss.py").write_text("def loss(config):\n    return config['x'] ** 2\n")
    body = {
        "function": "loss.py:loss",
        "space": {"x": {"type": "uniform", "low": -1, "high": 1}},
        "search": {
            "max_trials": 2, "seed": 0, "verbose": 0, "algorithm": "random",
            "warm_start": [str(n) for n in range(1, 6)], "context": {"rows": 4},
        },
    }  # fmt: skip
    jsonschema.validate(body, json.loads(SCHEMA.read_text()))
    (tmp_path / "study.json").write_text(json.dumps(body))
    best = kt.open_study(runs / "4").results.best.config
    assert dict(run_file(tmp_path / "study.json").history.trials[0].config) == dict(best)
