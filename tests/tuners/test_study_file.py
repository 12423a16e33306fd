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
        ("function = 'code.py:los'\n[space]\na = 1", "no 'los'. Did you mean 'loss'"),
        (FUNCTION.replace("num_initial_points", "initial_points"), "no option 'initial_points'"),
        (FUNCTION.replace("seed = 0", "fn = 0"), r"\[search\] has no 'fn'"),
        (MODEL.replace('"Search"', '"Serch"'), "no tuner 'Serch'. Did you mean 'Search'"),
        (MODEL.replace('data = "code.py:data"', ""), "needs data"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(study, text, message):
    with pytest.raises(InvalidInput, match=message):
        run_file(study(text))


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
