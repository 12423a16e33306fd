"""A problem's simple rival and the arguments of `fit` that it tunes, in every kind of search."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest

from kerashpo.compare.__main__ import main
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.search_and_test import _final_round
from kerashpo.problems.registry import make_task

MINE = """
import numpy as np
import kerashpo as kt


def build(hp):
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1, sampling="log")), "mse",
                  metrics=[keras.metrics.MeanSquaredError(name="mse"), rows])
    model.run_eagerly = True
    return model


def rows(y, answers):
    import keras

    return keras.ops.cast(keras.ops.shape(y)[0], "float32")


def rival(split):
    return {"val_mse": 0.25, "test_mse": 0.5, "test_loss": 0.5}


def numbers():
    x = np.random.default_rng(0).normal(size=(60, 2))
    return kt.Task.from_arrays(
        build, x, x.sum(axis=1), name="numbers", objective="val_mse", rival=rival,
        fit_hp={"batch_size": kt.space.choice([5, 7], default=7)}, batch_size=32,
    )


def ours(build_model, budget, **common):
    return kt.RandomSearch(build_model, max_trials=budget.trials, **common)
"""
TUNERS = ["random", "keras_tuner.bayesian", "optuna.tpe", "mine.ours"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rivals")
    file, out = folder / "mine.py", folder / "out"
    file.write_text(MINE)
    tuners = [name.replace("mine.", f"{file}:") for name in TUNERS]
    few = "--max-epochs 1 --max-trials 2 --initial-points 1 --quiet".split()
    assert main(["--problem", f"{file}:numbers", "--tuners", *tuners, *few, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def results(compared):
    found = [json.loads(path.read_text("utf-8")) for path in compared.rglob("*.result.json")]
    return {body["tuner"]: body for body in found}


def test_the_rival_has_a_row_beside_the_baselines(compared, results):
    with open(compared / "results.csv", newline="", encoding="utf-8") as file:
        assert [row["tuner"] for row in csv.DictReader(file)] == [
            *TUNERS,
            "default",
            "rival",
            "mean",
        ]
    rival = results["rival"]
    assert (rival["val_score"], rival["test_score"], rival["epochs"]) == (0.25, 0.5, 0)
    assert "simple rival" in (compared / "report.md").read_text("utf-8")


def test_every_search_trains_in_batches_of_the_tuned_size(compared, results):
    configs = {tuner: body["best_config"] for tuner, body in results.items()}
    assert configs["default"]["batch_size"] == 7
    assert all(configs[name]["batch_size"] in (5, 7) for name in TUNERS)
    for path in compared.rglob("*.curves.json"):
        curves = json.loads(path.read_text("utf-8"))
        # 38 training rows: eight batches of at most 5, or six of at most 7.
        means = [value for *_, metric, value, _, _ in curves if metric == "rows"]
        assert len(means) == 2
        assert set(np.round(means, 4)) <= {38 / 8, round(38 / 6, 4)}


@pytest.mark.parametrize("without", [{"same_split": True}, {"averages": False}, {"folds": False}])
def test_rows_that_must_not_be_shuffled_have_no_final_round(without):
    task, options = make_task("wine"), ComparisonOptions(tuners=("recommended",))
    assert _final_round("recommended", task, options) == {"final_round": 5}
    task = dataclasses.replace(task, **without)
    assert _final_round("recommended", task, options) == {"final_round": False}


WRONG = """

def bad_rival():
    import dataclasses
    return dataclasses.replace(numbers(), rival=lambda split: {"val_mse": 1.0})


def failing_rival():
    import dataclasses
    return dataclasses.replace(numbers(), rival=lambda split: split.nothing)


def bad_fit():
    import dataclasses
    return dataclasses.replace(numbers(), fit_hp={"batchsize": kt.space.choice([5, 7])})


def no_mapping():
    import dataclasses
    return dataclasses.replace(numbers(), fit_hp=[5, 7])


def no_function():
    import dataclasses
    return dataclasses.replace(numbers(), rival=3)
"""


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("bad_rival", "rival(split) must return test_mse and val_mse by name"),
        ("failing_rival", "rival(split) raised AttributeError"),
        ("bad_fit", "fit_hp cannot tune 'batchsize'. Did you mean 'batch_size'"),
        ("no_mapping", "fit_hp of the task 'numbers' must map arguments of fit"),
        ("no_function", "The rival of the task 'numbers' must be a function"),
    ],
)
def test_wrong_rivals_and_arguments_of_fit_are_refused_before_anything_is_trained(
    function, message, tmp_path, capsys
):
    file, out = tmp_path / "wrong.py", tmp_path / "out"
    file.write_text(MINE + WRONG)
    assert main(["--problem", f"{file}:{function}", "--tuners", "random", "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert not list(out.rglob("study.jsonl"))
