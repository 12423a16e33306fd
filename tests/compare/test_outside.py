"""Problems and tuners from outside: compared for real, and refused before anything is trained."""

from __future__ import annotations

import csv
import inspect
import math
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerashpo import cli
from kerashpo.compare.__main__ import main
from kerashpo.compare.command import INTERRUPTED
from kerashpo.compare.comparison_options import ComparisonOptions
from kerashpo.compare.evaluate import constant_scores
from kerashpo.compare.outside import load_tasks
from kerashpo.compare.runs import plan_runs
from kerashpo.problems.registry import make_task

MINE = """
import numpy as np
import kerashpo as kt


def shapes(n=120):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, x @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.normal(size=n)


def build_classes(hp):
    import keras

    model = keras.Sequential([keras.Input((3,))])
    model.add(keras.layers.Dense(hp.Int("units", 2, 8, default=4), activation="relu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log", default=1e-2)
    auc = keras.metrics.AUC(name="auc")
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy", auc])
    return model


def build_numbers(hp):
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_regularizer="l2")])
    model.compile(keras.optimizers.SGD(hp.Float("rate", 1e-3, 1e-1, sampling="log")), "mae")
    return model


def sides():
    x, y = shapes()
    return kt.Task.from_arrays(
        build_classes, x, np.where(y > 0, "right", "left"), name="sides", objective="val_auc",
        title={"es": "Lados"}, description={"en": "Left or right?", "es": "¿Izquierda o derecha?"},
        positive="right",
    )


def later():
    x, y = shapes()
    return kt.Task.from_arrays(
        build_numbers, x, y, name="later", objective="val_loss", in_time_order=True,
        description="Numbers in time order.",
    )


def my_bayesian(build_model, budget, **common):
    return kt.BayesianOptimization(
        build_model, max_trials=budget.trials, num_initial_points=1, **common
    )


def their_random(build_model, budget, **common):
    import keras_tuner

    return keras_tuner.RandomSearch(build_model, max_trials=budget.trials, **common)
"""
FEW = "--max-epochs 2 --max-trials 2 --initial-points 1".split()


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A file with two problems and two tuners."""
    file = tmp_path_factory.mktemp("outside") / "mine.py"
    file.write_text(MINE)
    return file


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def compared(mine, tmp_path_factory):
    """A comparison of both problems with three tuners, as a plan says it."""
    out = tmp_path_factory.mktemp("compared") / "out"
    plan = mine.with_name("plan.toml")
    plan.write_text(
        f"problem = ['{mine}:sides', '{mine}:later']\n"
        f"tuners = ['random', '{mine}:my_bayesian', '{mine}:their_random']\n"
        f"max_epochs = 2\nmax_trials = 2\ninitial_points = 1\nout = '{out}'\n"
    )
    assert main(["--plan", str(plan)]) == 0
    return out, plan


def test_every_cell_has_run(compared):
    out, _ = compared
    found = {(row["problem"], row["tuner"]): row for row in rows(out / "results.csv")}
    tuners = ["random", "mine.my_bayesian", "mine.their_random", "default"]
    assert list(found) == [
        *[("sides", tuner) for tuner in (*tuners, "majority")],
        *[("later", tuner) for tuner in (*tuners, "mean")],
    ]
    for (problem, tuner), row in found.items():
        spent = (int(row["trials"]), int(row["epochs"]))
        assert spent == {"default": (1, 2), "majority": (0, 0), "mean": (0, 0)}.get(tuner, (2, 4))
        assert math.isfinite(float(row["test_loss"]))
        assert math.isfinite(float(row["test_accuracy"])) == (problem == "sides")


def test_scores_are_of_the_problems_own_metric(compared):
    out, _ = compared
    for row in rows(out / "scores.csv"):
        assert row["metric"] == {"sides": "auc", "later": "loss"}[row["problem"]]
        if row["tuner"] == "majority":
            assert float(row["test_score"]) == pytest.approx(0.5)


def test_every_epoch_is_in_the_curves_also_of_another_librarys_tuner(compared):
    out, _ = compared
    counts = {}
    for row in rows(out / "curves.csv"):
        if row["metric"] == "val_loss":
            counts[row["problem"], row["tuner"]] = counts.get((row["problem"], row["tuner"]), 0) + 1
    assert counts["sides", "mine.their_random"] == counts["later", "mine.my_bayesian"] == 4


def test_the_report_in_both_languages(compared, capsys):
    out, plan = compared
    text = (out / "report.md").read_text("utf-8")
    assert "## Lados" in text and "Left or right?" in text and "Numbers in time order." in text
    assert "1 seed of the search, its split in time order" in text
    assert "1 seed with a split of its own" in text
    assert "test auc" in text and "recall right" not in text
    # AUC is no share of samples, and a loss neither.
    assert not re.search(r"\| random \| [\d.]+ %", text)
    capsys.readouterr()
    assert main(["--plan", str(plan), "--lang", "es"]) == 0
    spanish = (out / "report.md").read_text("utf-8")
    assert (
        "¿Izquierda o derecha?" in spanish and "1 semilla de la búsqueda, su partición" in spanish
    )
    assert capsys.readouterr().out.count("ya estaba hecho") == 10
    page = (out / "report.html").read_text("utf-8")
    assert 'lang="es"' in page and "Lados" in page


def test_the_target_without_one_is_the_untuned_models_score(compared):
    out, _ = compared
    untuned = next(r for r in rows(out / "scores.csv") if r["tuner"] == "default")
    assert untuned["problem"] == "sides"
    score = f"{float(untuned['val_score']):.3f}"
    text = (out / "report.md").read_text("utf-8").replace(",", ".")
    assert re.search(rf"Lados: (until|hasta) {re.escape(score)} (on|en)", text)


def test_other_code_is_another_result_and_a_comment_is_not(compared, mine, monkeypatch):
    _, plan = compared
    asked = []
    monkeypatch.setattr(
        "kerashpo.compare.run_cells.run_one", lambda run, options: asked.append(run.label)
    )
    source = mine.read_text()
    try:
        mine.write_text("# a comment\n" + source)
        assert main(["--plan", str(plan), "--workers", "1"]) == 0
        mine.write_text(
            source.replace('default=4), activation="relu"', 'default=6), activation="relu"')
        )
        assert main(["--plan", str(plan), "--workers", "1"]) == INTERRUPTED
    finally:
        mine.write_text(source)
    assert asked == ["random on sides, seed 0"]


@pytest.mark.slow
def test_worker_processes_give_the_same_table(compared, tmp_path):
    out, plan = compared
    found = tmp_path / "out"
    assert main(["--plan", str(plan), "--workers", "2", "--out", str(found)]) == 0
    mine, theirs = (
        {(row["problem"], row["tuner"]): row for row in rows(folder / "results.csv")}
        for folder in (found, out)
    )
    assert [*mine] == [*theirs]
    for cell, row in mine.items():
        assert math.isfinite(float(row["test_loss"])), cell
        if cell[1] == "mine.their_random":  # another library's weights follow no seed of ours
            continue
        assert row["best_config"] == theirs[cell]["best_config"]
        assert float(row["test_loss"]) == pytest.approx(float(theirs[cell]["test_loss"]), rel=1e-5)


def test_the_names_of_own_tuners_in_folders(mine):
    options = ComparisonOptions(
        problem=(f"{mine}:sides",), tuners=(f"{mine}:my_bayesian", "hyperband"), out="out"
    )
    first, second, *_ = plan_runs(options, load_tasks(options.problem))
    assert re.search(
        r"out/runs/sides-code-\w{8}/epochs-50-factor-3-trials-25-code-\w{8}/", first.path.as_posix()
    )
    assert (first.tuner, second.tuner) == ("mine.my_bayesian", "hyperband")


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("shapes", [True, False])
@pytest.mark.parametrize("width", [1, 2])
def test_the_constant_answer_is_measured_with_the_models_loss(mine, width, shapes, logits):
    import keras

    task = make_task(f"{mine}:sides")
    split = task.load(0)
    layers = [keras.layers.Dense(width, activation=None if logits else "sigmoid")]
    model = keras.Sequential([*[keras.Input((3,))] * shapes, *layers])
    losses = keras.losses
    loss = losses.BinaryCrossentropy if width == 1 else losses.SparseCategoricalCrossentropy
    model.compile(loss=loss(from_logits=logits))
    share = np.mean(split.train[1])
    test = split.test[1]
    expected = -np.mean(np.where(test == 1, np.log(share), np.log(1 - share)))
    assert constant_scores(model, split, task)["test_loss"] == pytest.approx(expected, rel=1e-5)


def test_penalties_on_weights_are_no_part_of_a_constant_answer(mine):
    import keras_tuner

    task = make_task(f"{mine}:later")
    split = task.load(0)
    model = task.build(keras_tuner.HyperParameters())
    found = constant_scores(model, split, task)
    mean = float(np.mean(split.train[1]))
    assert found["val_loss"] == pytest.approx(np.mean(np.abs(split.validation[1] - mean)), rel=1e-5)


HEAD = "import numpy as np\nimport kerashpo as kt\n" + MINE.partition("def sides")[0]
SPLIT = "kt.problems.Split"


def wrong_task(build="build_classes", **changes):
    given = {"name": "'wrong'", "build": build, "objective": "'val_accuracy'"}
    part = "(np.zeros((8, 3)), np.arange(8) % 2)"
    given["load"] = f"lambda seed: {SPLIT}({part}, {part}, {part})"
    given["classes"] = "('a', 'b')"
    listed = ", ".join(f"{name}={value}" for name, value in {**given, **changes}.items())
    return f"def task():\n    return kt.Task({listed})\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def task(n): pass", "function without arguments: missing a required argument: 'n'"),
        ("def task(): return 3", "must be a function that returns a kerashpo.Task.*Received: int"),
        ("task = 3", "Received: 3, which is no function"),
        ("def task(): 1 / 0", "task raised ZeroDivisionError"),
        (wrong_task(load="lambda seed: 3"), r"load\(seed\) must return a kerashpo.problems.Split"),
        (wrong_task(load="lambda seed: 1 / 0"), r"load\(0\) raised ZeroDivisionError"),
        (wrong_task(load=f"lambda seed: {SPLIT}(1, 2, 3)"), "train part must be a pair"),
        (
            wrong_task(load=f"lambda seed: {SPLIT}(*[(np.zeros((3, 3)), np.zeros(4))] * 3)"),
            "as many samples as targets.*3, 4",
        ),
        (
            wrong_task(load=f"lambda seed: {SPLIT}(*[(np.zeros((3, 3)), np.arange(3))] * 3)"),
            "labels of the train part must be 0 to 1.*Received: 0 to 2",
        ),
        (
            wrong_task(load=f"lambda seed: {SPLIT}(*[([0, 0], [0, 1])] * 3)"),
            "samples and targets of the train part must be numpy arrays",
        ),
        (wrong_task("lambda hp: 1 / 0"), r"build_model\(hp\) raised ZeroDivisionError"),
        (wrong_task("lambda hp: None"), "must return a compiled Keras model.*NoneType"),
        (wrong_task(objective="'val_acuracy'"), "val_acuracy' should be minimised"),
        (wrong_task(objective="'val_f1_score'"), "does not log the objective 'val_f1_score'"),
        (wrong_task("build_numbers", objective="'val_loss'", load=(
            f"lambda seed: {SPLIT}(*[(np.zeros((8, 5)), np.arange(8) % 2)] * 3)"
        )), "the default model cannot be trained on these data"),
    ],
)  # fmt: skip
def test_a_wrong_problem_is_refused_before_anything_is_trained(source, message, tmp_path, capsys):
    file = tmp_path / "wrong.py"
    file.write_text(f"{HEAD}\n{source}\n")
    out = tmp_path / "out"
    assert main(["--problem", "wine", f"{file}:task", *FEW, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert re.search(message, err, re.DOTALL), err
    assert "Traceback" not in err and not out.exists()


@pytest.mark.parametrize(
    ("source", "message", "more"),
    [
        ("make = 3", "make must be a function", []),
        ("def make(build_model): pass", "make raised TypeError.*build_model, budget and obj", []),
        ("def make(build_model, budget, **common): return 3", "must return a tuner.*int", []),
        (
            "import kerashpo as kt\n"
            "def make(build_model, budget, objective, **common):\n"
            "    return kt.RandomSearch(build_model, objective=objective, max_trials=1)",
            "in the folder that it is given.*untitled_project",
            [],
        ),
        (
            "import keras_tuner\n"
            "def make(build_model, budget, objective, directory, **common):\n"
            "    return keras_tuner.RandomSearch(build_model, objective=objective, max_trials=1,\n"
            "        directory=directory, project_name='mine')",
            "in the folder that it is given.*mine",
            [],
        ),
        (
            "def make(build_model, budget, **common):\n"
            "    return kt.Hyperband(build_model, max_epochs=2, factor=1, **common)",
            "make: .*factor",
            [],
        ),
        (
            "def make(build_model, budget, **common):\n"
            "    return kt.Hyperband(build_model, max_epochs=9, **common)",
            r"make plans \d+ epochs, and every search gets 4",
            ["--epochs", "4"],
        ),
    ],
)
def test_a_wrong_tuner_is_refused_before_anything_is_trained(
    source, message, more, tmp_path, capsys
):
    file = tmp_path / "wrong.py"
    file.write_text(f"{HEAD}\n{source}\n")
    out = tmp_path / "out"
    given = ["--problem", "wine", "--tuners", "random", f"{file}:make", *more]
    assert main([*given, *FEW, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert re.search(message, err, re.DOTALL), err
    assert "Traceback" not in err and not out.exists()


def test_names_that_collide_are_refused(mine, tmp_path, capsys):
    other = tmp_path / "mine.py"
    other.write_text(MINE)
    assert main(["--problem", f"{mine}:sides", f"{other}:sides", "--dry-run"]) == 2
    assert "Two problems are called 'sides'" in capsys.readouterr().err
    assert main(["--tuners", f"{mine}:my_bayesian", f"{other}:my_bayesian", "--dry-run"]) == 2
    assert "Two tuners are called 'mine.my_bayesian'" in capsys.readouterr().err


def test_a_dry_run_shows_problems_and_tuners_from_outside(mine, capsys):
    given = ["--problem", f"{mine}:later", "--tuners", f"{mine}:my_bayesian", "--dry-run"]
    assert main(given) == 0
    out = capsys.readouterr().out
    assert "later" in out and "mine.my_bayesian" in out and "the mean" in out


@pytest.fixture
def new_problem(tmp_path, capsys, monkeypatch):
    """A folder, which is the current one, with a new problem and its test."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new-problem", "lirios"]) == 0
    assert "--problem lirios.py:lirios" in capsys.readouterr().out
    return tmp_path


def test_new_problem_writes_one_whose_own_test_passes(new_problem, tmp_path_factory):
    names = runpy.run_path(str(new_problem / "test_lirios.py"))
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        given = inspect.signature(test).parameters
        test(*(tmp_path_factory.mktemp(name) for name in given))


@pytest.mark.slow
def test_pytest_runs_the_test_of_a_new_problem(new_problem):
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_lirios.py"],
        cwd=new_problem,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("name", ["numpy", "json"])
def test_new_problem_hides_no_module(name, capsys, tmp_path):
    assert cli.main(["new-problem", name, "--out", str(tmp_path)]) == 2
    assert f"would hide the module '{name}'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_new_problem_overwrites_nothing(new_problem, capsys):
    assert make_task("lirios.py:lirios").classes == ("setosa", "versicolor", "virginica")
    assert cli.main(["new-problem", "lirios"]) == 2
    assert "exists already" in capsys.readouterr().err
    for name in ("a-b", "class", "1x"):
        assert cli.main(["new-problem", name]) == 2
        assert "must be one of Python" in capsys.readouterr().err
    assert cli.main(["new-problem", "other", "--out", "lirios.py"]) == 2
    assert "Cannot write to 'lirios.py'" in capsys.readouterr().err
