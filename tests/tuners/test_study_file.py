"""`kerashpo run study.toml`: a search that a file describes."""

from __future__ import annotations

import json

import pytest

from kerashpo.cli import main
from kerashpo.core.errors import InvalidInput
from kerashpo.space.formats.definitions import _KEYS
from kerashpo.study.study import open_study
from kerashpo.tuners.study_file import _OF_FUNCTIONS, _OF_MODELS, _TUNERS, SCHEMA, run_file

CODE = """
def loss(config):
    return (config["x"] - 0.25) ** 2 + (0 if config["model"] == "svm" else config["model/trees"])

def build(hp):
    from tests.helpers.small_models import make
    return make(hp.Int("units", 4, 8, step=4))

def data():
    from tests.helpers.small_models import LABELS, ROWS
    return {"x": ROWS, "y": LABELS, "validation_split": 0.25}
"""
FUNCTION = """
function = "code.py:loss"
[space]
x = {type = "uniform", low = 0, high = 1}
[space.model]
type = "choice"
[space.model.options]
svm = {}
forest = {trees = {type = "integer", low = 1, high = 3}}
[search]
algorithm = "tpe"
num_initial_points = 2
max_trials = 6
seed = 0
directory = "runs/first"
verbose = 0
"""
EMPTY = """
function = "code.py:loss"
search = {max_trials = 3, seed = 0, verbose = 0, directory = "runs/none"}
"""
MODEL = """
model = "code.py:build"
data = "code.py:data"
[tuner]
name = "Search"
algorithm = "sobol"
objective = "val_loss"
max_trials = 2
seed = 0
directory = "runs"
project_name = "second"
[fit]
batch_size = 16
epochs = 1
verbose = 0
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "code.py").write_text(CODE)

    def write(text):
        (tmp_path / "study.toml").write_text(text)
        return tmp_path / "study.toml"

    return write


def test_a_function_is_searched_and_continues_where_it_was(study, capsys):
    path = study(FUNCTION)
    assert main(["run", str(path)]) == 0
    results = open_study(path.parent / "runs/first").results
    assert len(results) == 6 and results.history.settings["algorithm"] == "tpe"
    study(FUNCTION.replace("max_trials = 6", "max_trials = 8"))
    assert len(run_file(path)) == 8


def test_several_objectives_and_limits_of_a_function(study):
    path = study(
        """
        function = "code.py:both"
        space = {x = {type = "uniform", low = -2, high = 2}}
        [search]
        algorithm = "nsga2"
        objective = [{name = "f1", direction = "min"}, {name = "f2", direction = "max"}]
        limits = {f1 = {at_most = 1.0}, cpu_seconds = 9}
        max_trials = 12
        seed = 0
        verbose = 0
        """
    )
    with open(path.parent / "code.py", "a") as file:
        file.write("def both(c):\n  return {'f1': c['x']**2, 'f2': c['x'], 'cpu_seconds': 1.0}\n")
    history = run_file(path).history
    assert [(one.name, one.direction) for one in history.objectives] == [
        ("f1", "min"), ("f2", "max"),
    ]  # fmt: skip
    assert {str(limit) for limit in history.limits} == {"f1 at most 1", "cpu_seconds at most 9"}
    front = history.front()
    assert front and all(0 <= history.trials[n].config["x"] <= 1 for n in front)
    assert not all(trial.feasible for trial in history.trials.values())


def test_objectives_and_limits_of_a_model_by_name(study):
    text = MODEL.replace('objective = "val_loss"', 'objective = ["val_loss", "size"]')
    results = run_file(study(text.replace("[fit]", "limits = {size = 1e6}\n[fit]")))
    assert [one.name for one in results.history.objectives] == ["val_loss", "size"]
    assert results.history.limits[0].bound == 1e6


def test_a_model_is_searched(study):
    path = study(MODEL)
    results = run_file(path)
    assert len(results) == 2 and results.epochs == 2
    assert (path.parent / "runs/second/study.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("funktion = 'code.py:loss'", "unknown entry 'funktion'. Did you mean 'function'"),
        ("[space]", "must name either a function"),
        (FUNCTION + "\n[fit]\n", "'fit' cannot be combined with 'function'"),
        ("function = 'code.py:loss'", "needs a table"),
        (f"{EMPTY}[space]", r"\[space\] is empty: there is nothing to search. Give it"),
        ("function = 'code.py:los'\n[space]\na = 1", "no 'los'. Did you mean 'loss'"),
        (FUNCTION.replace("num_initial_points", "initial_points"), "no argument 'initial_points'"),
        (FUNCTION.replace("seed = 0", "fn = 0"), r"\[search\] has no 'fn'"),
        (MODEL.replace('"Search"', '"Serch"'), "no tuner 'Serch'. Did you mean 'Search'"),
        (MODEL.replace('data = "code.py:data"', ""), "needs data"),
        (FUNCTION + 'objective = {name = "f1"}', "An objective is a metric's name, or"),
        (FUNCTION + "limits = {f1 = {below = 3}}", "limits: f1 is a number, {at_most = 1000}"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(study, text, message):
    path = study(text)
    with pytest.raises(InvalidInput, match=message):
        run_file(path)
    assert not (path.parent / "runs").exists()


def test_the_schema_knows_what_the_reader_knows(capsys):
    assert main(["run", "--schema"]) == 0
    assert capsys.readouterr().out.strip() == str(SCHEMA)
    schema = json.loads(SCHEMA.read_text())
    assert set(schema["properties"]) == {"$schema", *_OF_FUNCTIONS, *_OF_MODELS}
    assert set(schema["properties"]["tuner"]["properties"]["name"]["enum"]) == set(_TUNERS)
    known = {}
    for one in schema["$defs"]["definition"]["oneOf"]:
        named = one["properties"]["type"]
        for kind in named.get("enum", [named.get("const")]):
            known[kind] = set(one["properties"]) - {"type", "when"}
    assert known == {kind: set(keys) for kind, keys in _KEYS.items()}
